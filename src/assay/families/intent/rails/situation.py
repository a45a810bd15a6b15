"""A situation that is all right: one action, everything it needs, and room on every side.

Values are drawn from a raw stream of PCG64, in whole numbers, so that a situation is the same on
every machine.  What is drawn here is JSON, as a wallet or an indexer would hand it over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from ..draws import Draws

ASSETS: Mapping[str, tuple[int, Fraction]] = {
    "ETH": (18, Fraction(3000)),
    "WBTC": (8, Fraction(90_000)),
    "LINK": (18, Fraction(18)),
    "OP": (18, Fraction(2)),
    "USDC": (6, Fraction(1)),
    "DAI": (18, Fraction(1)),
}
"""Digits behind the point, and a usual price."""

NATIVE = "ETH"
DEBT = "DAI"
"""At a dollar exactly, and divisible by 10^18: positions are put on a limit with it."""

VENUES: Mapping[str, Sequence[str]] = {
    "aave": ("deposit_asset", "withdraw_asset", "borrow_asset", "repay_asset", "claim_rewards"),
    "compound": ("deposit_asset", "withdraw_asset", "borrow_asset", "repay_asset", "claim_rewards"),
    "uniswap": ("swap_asset",),
    "curve": ("swap_asset", "claim_rewards"),
    "lido": ("stake_asset", "unstake_asset", "claim_rewards"),
    "rocketpool": ("stake_asset", "unstake_asset"),
}
LENDING = ("deposit_asset", "withdraw_asset", "borrow_asset", "repay_asset")
START = datetime(2026, 11, 28, 12, tzinfo=UTC)


def text(value: Fraction, digits: int = 30) -> str:
    """Write a fraction as a plain decimal, cut to so many digits.

    >>> text(Fraction(5, 4)), text(Fraction(2, 3), 3)
    ('1.25', '0.666')
    """
    whole = value * 10**digits // 1
    left, right = divmod(int(whole), 10**digits)
    tail = str(right).rjust(digits, "0").rstrip("0") if digits else ""
    return f"{left}.{tail}" if tail else str(left)


@dataclass(frozen=True, slots=True)
class Scene:
    """A situation while it is being made: JSON that is changed in place until it is handed out."""

    action: str
    venue: str
    asset: str
    draws: Draws
    steps: list[dict[str, Any]]
    context: dict[str, Any]
    policy: dict[str, Any]

    @property
    def slots(self) -> dict[str, Any]:
        """The slots of the only step."""
        found: dict[str, Any] = self.steps[0]["slots"]
        return found

    @property
    def amount(self) -> Fraction:
        """How much the step moves."""
        return Fraction(self.slots["amount"]["value"])

    @property
    def usd(self) -> Fraction:
        """How much the step moves, in dollars."""
        return self.amount * self.price(self.asset)

    def price(self, asset: str) -> Fraction:
        """Dollars for a unit."""
        return Fraction(self.context["prices"][asset]["usd"])

    def reserve(self, asset: str) -> dict[str, Any]:
        """An asset's line in the venue's market."""
        found: dict[str, Any] = self.context["markets"][self.venue]["reserves"][asset]
        return found

    @property
    def position(self) -> dict[str, dict[str, str]]:
        """What the user has at the venue."""
        found: dict[str, dict[str, str]] = self.context["positions"][self.venue]
        return found

    @property
    def unit(self) -> Fraction:
        """The last unit of the step's asset."""
        return Fraction(1, 10 ** ASSETS[self.asset][0])

    def set_amount(self, value: Fraction) -> None:
        """Let the step move another amount; a swap gets its quote again."""
        self.slots["amount"] = {"value": text(value, 40), "unit": self.asset}
        self.requote()

    def requote(self) -> None:
        """Let the venue offer a little less than the oracle's value for exactly this swap."""
        if self.action != "swap_asset":
            return
        bought = self.slots["to_asset"]
        fair = self.usd / self.price(bought)
        worst = Fraction(self.policy["slippage_max"]) * whole(self.draws, 5, 40) / 100
        digits = ASSETS[bought][0]
        expected = (fair * (1 - worst) * 10**digits // 1 + 1) / Fraction(10**digits)
        self.context["quotes"][0] |= {
            "amount": self.slots["amount"]["value"],
            "expected": text(expected),
        }

    def json(self) -> dict[str, Any]:
        """Return what is asked."""
        return {"steps": self.steps, "context": self.context, "policy": self.policy}


def whole(draws: Draws, low: int, high: int) -> int:
    """Draw a whole number, both ends included."""
    return low + int(draws.unit() * (high - low + 1))


def scene(action: str, draws: Draws) -> Scene:
    """Draw a situation in which every rule is kept, with room."""
    venue = draws.one_of([name for name, actions in VENUES.items() if action in actions])
    asset = draws.one_of([name for name in ASSETS if name != DEBT or action not in LENDING])
    if action in ("stake_asset", "unstake_asset"):
        asset = draws.one_of(("ETH", "LINK", "OP"))
    context = _facts(draws)
    price = Fraction(context["prices"][asset]["usd"])
    dollars = Fraction(10 ** whole(draws, 2, 4) * whole(draws, 10, 99), 10)
    amount = Fraction(max(1, int(dollars / price * 1000)), 1000)
    slots: dict[str, Any] = {
        "venue": {"value": venue, "unit": ""},
        "asset": {"value": asset, "unit": ""},
        "amount": {"value": text(amount), "unit": asset},
    }
    made = Scene(
        action=action,
        venue=venue,
        asset=asset,
        draws=draws,
        steps=[{"action": action, "slots": slots}],
        context=context,
        policy=_policy(draws, amount * price),
    )
    _provide(made, amount)
    return made


def _facts(draws: Draws) -> dict[str, Any]:
    now = START + timedelta(seconds=whole(draws, 0, 10**7), microseconds=whole(draws, 0, 999_999))
    prices = {}
    for name, (_, usual) in ASSETS.items():
        usd = usual * whole(draws, 60, 180) / 100 if name != DEBT else Fraction(1)
        apart = Fraction(whole(draws, 9980, 10_020), 10_000)
        prices[name] = {
            "usd": text(usd),
            "source": "chainlink",
            "at": (now - timedelta(milliseconds=whole(draws, 0, 20_000))).isoformat(),
            "reference": {
                "usd": text(usd * apart, 8),
                "source": "pyth",
                "at": (now - timedelta(milliseconds=whole(draws, 0, 20_000))).isoformat(),
            },
        }
    return {
        "schema": 1,
        "now": now.isoformat(),
        "chain": "Ethereum",
        "assets": {
            name: {"decimals": digits, "native": name == NATIVE}
            for name, (digits, _) in ASSETS.items()
        },
        "prices": prices,
        "wallet": {name: str(whole(draws, 0, 9)) for name in ASSETS},
        "used_today_usd": str(whole(draws, 0, 500)),
    }


def _policy(draws: Draws, dollars: Fraction) -> dict[str, Any]:
    most = int(dollars) * whole(draws, 2, 9) + 10
    return {
        "schema": 1,
        "assets": list(ASSETS),
        "venues": {name: list(actions) for name, actions in VENUES.items()},
        "chains": ["Ethereum", "Base"],
        "ltv_max": text(Fraction(whole(draws, 70, 90), 100)),
        "hf_min": text(Fraction(whole(draws, 100, 115), 100)),
        "risk": {},
        "price_age_max_s": whole(draws, 30, 3600),
        "deviation_max": text(Fraction(whole(draws, 5, 50), 1000)),
        "slippage_max": text(Fraction(whole(draws, 5, 30), 1000)),
        "quote_age_max_s": whole(draws, 30, 120),
        "tx_usd": {"min": "1", "max": str(most)},
        "day_usd_max": str(most * 2 + 500),
    }


def _provide(made: Scene, amount: Fraction) -> None:
    """Put in place what the action needs, and a multiple of it."""
    context, asset, draws = made.context, made.asset, made.draws
    much = text(amount * whole(draws, 2, 9))
    match made.action:
        case "claim_rewards":
            del made.slots["amount"]
            del made.slots["asset"]
            context["rewards"] = {made.venue: {"OP": "0", asset: much}}
        case "unstake_asset":
            context["staked"] = {made.venue: {asset: much}}
        case "swap_asset":
            bought = draws.one_of([name for name in ASSETS if name != asset])
            made.slots["to_asset"] = bought
            age = timedelta(milliseconds=whole(draws, 0, 20_000))
            at = (datetime.fromisoformat(context["now"]) - age).isoformat()
            pair = {"venue": made.venue, "sell": asset, "buy": bought}
            context["quotes"] = [{**pair, "amount": "1", "expected": "1", "at": at}]
            made.requote()
        case "stake_asset":
            pass
        case _:
            _lend(made, amount)
    if made.action in ("deposit_asset", "swap_asset", "repay_asset", "stake_asset"):
        context["wallet"][asset] = much
        context["allowances"] = {made.venue: {asset: "unlimited" if draws.unit() < 0.3 else much}}


def _lend(made: Scene, amount: Fraction) -> None:
    """Give the user a position that the step leaves healthy, at a market with room."""
    draws, asset = made.draws, made.asset
    reserves = {}
    for name in ASSETS:
        ltv = Fraction(whole(draws, 50, 80), 100)
        reserves[name] = {
            "ltv_max": text(ltv),
            "liquidation_threshold": text(ltv + Fraction(whole(draws, 3, 10), 100)),
            "liquidity": text(amount * whole(draws, 50, 999) + 10**7),
            "supplied": text(amount * whole(draws, 50, 999) + 10**9),
            "supply_cap": "none" if draws.unit() < 0.2 else text(amount * 2000 + 10**9),
            "borrowed": text(amount * whole(draws, 50, 999) + 10**9),
            "borrow_cap": "none" if draws.unit() < 0.2 else text(amount * 2000 + 10**9),
        }
    protocol = "compound-v3" if made.venue == "compound" else "aave-v3"
    made.context["markets"] = {made.venue: {"protocol": protocol, "reserves": reserves}}
    others = [name for name in ASSETS if name not in (asset, DEBT)]
    second = draws.one_of(others)
    worth = made.usd * whole(draws, 5, 9)
    collateral = {second: text(worth / made.price(second), 4)}
    debts = {DEBT: text(made.usd * whole(draws, 1, 9) / 10, 4)}
    match made.action:
        case "withdraw_asset":
            collateral[asset] = text(amount * whole(draws, 2, 5))
        case "repay_asset":
            debts[asset] = text(amount * whole(draws, 2, 5))
        case "deposit_asset" if draws.unit() < 0.5:
            collateral, debts = {}, {}
        case _:
            pass
    made.context["positions"] = {made.venue: {"collateral": collateral, "debts": debts}}
    if draws.unit() < 0.5:
        # A house parameter that is stricter than the market's, or does not matter.
        line = reserves[second]
        house = Fraction(whole(draws, 85, 105), 100)
        ltv, threshold = Fraction(line["ltv_max"]), Fraction(line["liquidation_threshold"])
        made.policy["risk"] = {
            second: {"ltv_max": text(ltv * house), "liquidation_threshold": text(threshold * house)}
        }
