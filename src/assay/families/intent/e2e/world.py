"""The facts and limits around a request whose steps are known: ample, or with one thing wrong.

What is drawn here is JSON, as a wallet or an indexer would hand it over.  Nothing here says what
should happen: the oracle of the rails finds that out from the facts (``situations_oracle``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..draws import Draws
from ..rails.situation import text, whole

NOW = "2026-11-28T12:00:00Z"
FRESH, SECOND, STALE = "2026-11-28T11:59:50Z", "2026-11-28T11:59:55Z", "2026-11-28T11:00:00Z"
HOME = "Ethereum"
NATIVE = "ETH"
STABLE = frozenset({"USDC", "USDT", "DAI", "FRAX", "LUSD", "GHO", "crvUSD", "USDe", "PYUSD"})
PRICES = {"ETH": 3000, "WETH": 3000, "WBTC": 90_000, "BTC": 90_000, "stETH": 3000}
ACTIONS = (
    *("deposit_asset", "withdraw_asset", "swap_asset", "borrow_asset"),
    *("repay_asset", "stake_asset", "unstake_asset", "claim_rewards"),
)
SHARES = {"all": Fraction(1), "half": Fraction(1, 2), "third": Fraction(1, 3)}
ROOM = 100
"""Times the amount that is asked for: what an ample world has of it."""

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Every name that a world knows: those of the request, and others beside them."""

    assets: tuple[str, ...]
    venues: tuple[str, ...]
    chains: tuple[str, ...]


def plain_steps(steps: Steps) -> list[dict[str, Any]]:
    """Return steps as rails read them: amounts and tolerances with their units apart.

    >>> plain_steps([{"action": "stake_asset", "slots": {"amount": "5 percent", "asset": "SOL"}}])
    [{'action': 'stake_asset', 'slots': {'amount': {'value': '5', 'unit': 'percent'}, 'asset': 'SOL'}}]
    """
    found = []
    for step in steps:
        slots: dict[str, Any] = {}
        for role, said in step["slots"].items():
            head, _, unit = said.rpartition(" ")
            is_number = role in ("amount", "slippage", "collateral_amount")
            slots[role] = {"value": head, "unit": unit} if is_number and head else said
        found.append({"action": step["action"], "slots": slots})
    return found


def world(steps: Steps, names: Names, draws: Draws) -> tuple[str, dict[str, Any]]:
    """Return what was done to an ample world, and its ``steps``, ``context`` and ``policy``."""
    plain = plain_steps(steps)
    found = {
        "steps": plain,
        "context": _context(plain, names, draws),
        "policy": _policy(names),
    }
    # Half of the worlds are as they should be; the others have one thing wrong.
    twist = "ample" if draws.unit() < 0.5 else draws.one_of(tuple(TWISTS))
    if twist in TWISTS:
        TWISTS[twist](found, draws)
    return twist, found


def _policy(names: Names) -> dict[str, Any]:
    return {
        "schema": 1,
        "assets": list(names.assets),
        "venues": {venue: list(ACTIONS) for venue in names.venues},
        "chains": list(names.chains),
        "ltv_max": "0.75",
        "hf_min": "1.2",
        "price_age_max_s": 60,
        "deviation_max": "0.02",
        "slippage_max": "0.05",
        "quote_age_max_s": 30,
        "tx_usd": {"min": "0", "max": "none"},
        "day_usd_max": "none",
    }


def _context(steps: Sequence[Mapping[str, Any]], names: Names, draws: Draws) -> dict[str, Any]:
    needed = {asset: _needed(steps, asset) * ROOM for asset in names.assets}
    chain = next((s["slots"]["chain"] for s in steps if "chain" in s["slots"]), HOME)
    prices = {asset: _price(asset, draws) for asset in names.assets}
    held = {asset: text(amount) for asset, amount in needed.items()}
    # Whatever may be borrowed against is worth ten times whatever may be owed.
    owed = sum((needed[a] * prices[a] for a in names.assets), Fraction(0))
    most = needed[NATIVE] + _cut(20 * owed / prices[NATIVE])
    backing = {**held, NATIVE: text(most)}
    lots = {a: text(ROOM * (most if a == NATIVE else needed[a])) for a in names.assets}
    context = {
        "schema": 1,
        "now": NOW,
        "chain": chain,
        "assets": {
            a: {"decimals": 18, **({"native": True} if a == NATIVE else {})} for a in names.assets
        },
        "wallet": held,
        "allowances": {v: dict.fromkeys(names.assets, "unlimited") for v in names.venues},
        "positions": {v: {"collateral": backing, "debts": held} for v in names.venues},
        "markets": {
            v: {"protocol": "aave-v3", "reserves": {a: _reserve(lots[a]) for a in names.assets}}
            for v in names.venues
        },
        "prices": {
            a: {
                "usd": text(price),
                "source": "chainlink",
                "at": FRESH,
                "reference": {"usd": text(price), "source": "pyth", "at": SECOND},
            }
            for a, price in prices.items()
        },
        "staked": {v: dict(held) for v in names.venues},
        "rewards": {v: dict.fromkeys(names.assets, "1") for v in names.venues},
        "used_today_usd": "0",
    }
    context["quotes"] = list(_quotes(steps, context, prices))
    return context


def _reserve(lots: str) -> dict[str, str]:
    return {
        "ltv_max": "0.75",
        "liquidation_threshold": "0.8",
        "liquidity": lots,
        "supplied": lots,
        "supply_cap": "none",
        "borrowed": lots,
        "borrow_cap": "none",
    }


def _needed(steps: Sequence[Mapping[str, Any]], asset: str) -> Fraction:
    """Return the most that a step moves of an asset, at least 10: what there is ROOM times of."""
    most = Fraction(10)
    for step in steps:
        said = step["slots"].get("amount")
        if step["slots"].get("asset") == asset and isinstance(said, str) and _is_number(said):
            most = max(most, Fraction(said))
    return most


def _is_number(said: str) -> bool:
    return said.replace(".", "", 1).isdigit()


def _price(asset: str, draws: Draws) -> Fraction:
    if asset in STABLE:
        return Fraction(1)
    return Fraction(PRICES.get(asset, 0)) or Fraction(whole(draws, 1, 400), 2)


def _quotes(
    steps: Sequence[Mapping[str, Any]], context: Mapping[str, Any], prices: Mapping[str, Fraction]
) -> list[dict[str, str]]:
    """Return an offer a hair below the oracle's value for each swap whose amount is known."""
    found = []
    for step in steps:
        slots = step["slots"]
        if step["action"] != "swap_asset" or not {"asset", "to_asset", "venue"} <= set(slots):
            continue
        amount = _amount(slots.get("amount"), Fraction(context["wallet"].get(slots["asset"], "0")))
        if amount is None or slots["asset"] not in prices or slots["to_asset"] not in prices:
            continue
        fair = amount * prices[slots["asset"]] / prices[slots["to_asset"]]
        found.append(
            {
                "venue": slots["venue"],
                "sell": slots["asset"],
                "buy": slots["to_asset"],
                "amount": text(amount, 18),
                "expected": text(fair * Fraction(9999, 10_000), 18),
                "at": FRESH,
            }
        )
    return found


def _amount(said: Any, has: Fraction) -> Fraction | None:
    """Return how much a slot means, cut to the last unit; None where it cannot be said."""
    match said:
        case str() if said in SHARES:
            return _cut(has * SHARES[said])
        case str() if _is_number(said):
            return Fraction(said)
        case {"value": str(value), "unit": "percent"} if _is_number(value):
            return _cut(has * Fraction(value) / 100)
        case _:
            return None


def _cut(value: Fraction) -> Fraction:
    return Fraction(value * 10**18 // 1, 10**18)


def _poor(found: dict[str, Any], _draws: Draws) -> None:
    """Leave a hair in every account."""
    context = found["context"]
    for held in (context["wallet"], *context["staked"].values()):
        for asset in held:
            held[asset] = "0.000001"


def _stale(found: dict[str, Any], _draws: Draws) -> None:
    for price in found["context"]["prices"].values():
        price["at"] = STALE


def _disputed(found: dict[str, Any], _draws: Draws) -> None:
    for price in found["context"]["prices"].values():
        price["reference"]["usd"] = text(Fraction(price["usd"]) * Fraction(11, 10))


def _not_listed(found: dict[str, Any], _draws: Draws) -> None:
    """Take the assets of the request off the list."""
    used = {s["slots"].get(role) for s in found["steps"] for role in ("asset", "to_asset")}
    kept = [asset for asset in found["policy"]["assets"] if asset not in used]
    found["policy"]["assets"] = kept or [NATIVE]


def _unsupported(found: dict[str, Any], _draws: Draws) -> None:
    """Let every venue do everything but what is asked for."""
    asked = {step["action"] for step in found["steps"]}
    for venue in found["policy"]["venues"]:
        found["policy"]["venues"][venue] = [a for a in ACTIONS if a not in asked]


def _small(found: dict[str, Any], _draws: Draws) -> None:
    found["policy"]["tx_usd"] = {"min": "0", "max": "0.01"}


def _unknown(found: dict[str, Any], draws: Draws) -> None:
    """Take away a section that a rule needs."""
    section = draws.one_of(("prices", "wallet", "markets", "positions", "staked", "rewards"))
    del found["context"][section]


def _elsewhere(found: dict[str, Any], _draws: Draws) -> None:
    """Let the facts be about another chain than the request says or implies."""
    other = next(c for c in found["policy"]["chains"] if c != found["context"]["chain"])
    found["context"]["chain"] = other
    found["policy"]["chains"] = [c for c in found["policy"]["chains"] if c != other]


def _distrusted(found: dict[str, Any], _draws: Draws) -> None:
    for allowed in found["context"]["allowances"].values():
        for asset in allowed:
            allowed[asset] = "0"


TWISTS: Mapping[str, Callable[[dict[str, Any], Draws], None]] = {
    "poor": _poor,
    "stale": _stale,
    "disputed": _disputed,
    "not_listed": _not_listed,
    "unsupported": _unsupported,
    "small": _small,
    "unknown": _unknown,
    "elsewhere": _elsewhere,
    "distrusted": _distrusted,
}
"""What goes wrong in half of the worlds."""
