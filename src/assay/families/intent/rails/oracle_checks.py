"""Each rule of the specification as one sentence about fractions, for the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from .oracle_view import Nonsense, Unknown, View

ORDER = (
    *("action", "asset", "venue", "support", "chain", "pair", "amount", "oracle_age"),
    *("oracle_deviation", "balance", "position", "allowance", "liquidity", "supply_cap"),
    *("borrow_cap", "collateral", "capacity", "ltv", "health", "slippage", "quote_age", "quote"),
    *("tx_min", "tx_max", "day_max"),
)
"""The rules as the specification lists them."""

PAYS = ("deposit_asset", "swap_asset", "repay_asset", "stake_asset")
HAS_AMOUNT = (*PAYS, "withdraw_asset", "borrow_asset", "unstake_asset")
KNOWN = (*HAS_AMOUNT, "claim_rewards")
ASKED_OF: Mapping[str, Sequence[str]] = {
    "asset": HAS_AMOUNT,
    "pair": ("swap_asset",),
    "oracle_age": HAS_AMOUNT,
    "oracle_deviation": HAS_AMOUNT,
    "balance": PAYS,
    "position": ("withdraw_asset", "repay_asset", "unstake_asset", "claim_rewards"),
    "allowance": PAYS,
    "liquidity": ("borrow_asset", "withdraw_asset"),
    "supply_cap": ("deposit_asset",),
    "borrow_cap": ("borrow_asset",),
    "collateral": ("borrow_asset",),
    "capacity": ("borrow_asset", "withdraw_asset"),
    "ltv": ("borrow_asset", "withdraw_asset"),
    "health": ("borrow_asset", "withdraw_asset"),
    "slippage": ("swap_asset",),
    "quote_age": ("swap_asset",),
    "quote": ("swap_asset",),
    "tx_min": HAS_AMOUNT,
    "tx_max": HAS_AMOUNT,
    "day_max": HAS_AMOUNT,
}

RISKY = ("borrow_asset", "withdraw_asset")


def broken(view: View) -> Iterator[tuple[str, str]]:
    """Yield each rule that is not kept, and what a rail should say of it."""
    if view.action not in KNOWN:
        yield "action", "action"
        return
    for rule in ORDER[1:]:
        if view.action not in ASKED_OF.get(rule, KNOWN):
            continue
        try:
            kept = CHECKS[rule](view)
        except Nonsense as nonsense:
            own = rule in ("amount", "slippage") and str(nonsense) == rule
            yield rule, rule if own else f"missing:{nonsense}"
        except Unknown as lack:
            yield rule, f"missing:{lack}"
        else:
            if not kept:
                yield rule, rule


def _asset(view: View) -> bool:
    roles = ["asset"] + ["to_asset"] * (view.action == "swap_asset")
    roles += ["collateral"] * (view.slot("collateral") is not None)
    names = [view.name(role) for role in roles]
    if not set(names) <= set(view.policy["assets"]):
        return False
    return all(view.digits(name) >= 0 for name in names)


def _support(view: View) -> bool:
    return view.action in view.policy["venues"].get(view.name("venue"), ())


def _chain(view: View) -> bool:
    facts, said = view.context.get("chain"), view.slot("chain")
    wanted = said[0] if said else facts
    if wanted is not None and wanted not in view.policy["chains"]:
        return False
    if facts is None:
        raise Unknown("chain")
    return bool(wanted == facts)


def _amount(view: View) -> bool:
    if view.action == "claim_rewards":
        said = view.slot("amount")
        return said is None or said[0] in ("all", "previous")
    amount = view.amount()
    unit = Fraction(10) ** view.digits(view.name("asset"))
    return amount > 0 and (amount * unit).denominator == 1


def _seconds(view: View, at: str) -> Fraction:
    apart = datetime.fromisoformat(view.context["now"]) - datetime.fromisoformat(at)
    return Fraction(apart.days * 86_400 + apart.seconds) + Fraction(apart.microseconds, 10**6)


def _oracle_age(view: View) -> bool:
    dated = []
    for asset in sorted(view.prices_that_count()):
        price = view.quoted(asset)
        dated += [found["at"] for found in (price, price.get("reference", price))]
    return all(0 <= _seconds(view, at) <= view.policy["price_age_max_s"] for at in dated)


def _oracle_deviation(view: View) -> bool:
    most, agreed = Fraction(view.policy["deviation_max"]), True
    for asset in sorted(view.prices_that_count()):
        price = view.quoted(asset)
        if "reference" not in price:
            raise Unknown("reference")
        second = Fraction(price["reference"]["usd"])
        agreed &= second * (1 - most) <= Fraction(price["usd"]) <= second * (1 + most)
    return agreed


def _balance(view: View) -> bool:
    return view.held("wallet", view.name("asset")) - view.amount() >= 0


def _position(view: View) -> bool:
    venue = view.name("venue")
    if view.action == "claim_rewards":
        view.held("rewards", "")
        return any(view.claims(asset) for asset in view.history.assets("rewards", venue))
    kind = {"withdraw_asset": "collateral", "repay_asset": "debt", "unstake_asset": "staked"}
    return view.held(kind[view.action], view.name("asset")) - view.amount() >= 0


def _allowance(view: View) -> bool:
    asset = view.name("asset")
    if view.digits(asset) >= 0 and view.context["assets"][asset].get("native"):
        return True
    left = view.held("allowances", asset)
    stated = view.context["allowances"].get(view.name("venue"), {}).get(asset)
    return stated == "unlimited" or left - view.amount() >= 0


def _liquidity(view: View) -> bool:
    return view.pool("liquidity", view.name("asset")) - view.amount() >= 0


def _capped(kind: str, cap: str) -> Callable[[View], bool]:
    def check(view: View) -> bool:
        stated = view.reserve(view.name("asset")).get(cap)
        if stated is None:
            raise Unknown(cap)
        if stated == "none":
            return True
        return Fraction(stated) - view.pool(kind, view.name("asset")) >= view.amount()

    return check


def _collateral(view: View) -> bool:
    return view.slot("collateral") is None or view.name("collateral") in view.backing()


def _capacity(view: View) -> bool:
    if view.action == "withdraw_asset" and view.protocol() == "aave-v3":
        return True
    return view.room(lambda asset: view.share(asset, "ltv_max"), Fraction(1))


def _ltv(view: View) -> bool:
    return view.room(lambda _: Fraction(view.policy["ltv_max"]), Fraction(1))


def _health(view: View) -> bool:
    def weight(asset: str) -> Fraction:
        return view.share(asset, "liquidation_threshold")

    return view.room(weight, Fraction(view.policy["hf_min"]))


def _slippage(view: View) -> bool:
    return view.tolerance() <= Fraction(view.policy["slippage_max"])


def _quote_age(view: View) -> bool:
    return 0 <= _seconds(view, view.offer()["at"]) <= int(view.policy["quote_age_max_s"])


def _quote(view: View) -> bool:
    """The loss in the oracle's dollars, as a share of what is paid, is tolerated."""
    offer = view.offer()
    tolerance = view.tolerance()
    paid = Fraction(offer["amount"]) * view.usd(offer["sell"])
    brought = Fraction(offer["expected"]) * view.usd(offer["buy"])
    return (paid - brought) / paid <= tolerance


def _dollars(view: View) -> Fraction:
    return view.amount() * view.usd(view.name("asset"))


def _tx_max(view: View) -> bool:
    most = view.policy["tx_usd"]["max"]
    return most == "none" or _dollars(view) <= Fraction(most)


def _day_max(view: View) -> bool:
    most = view.policy["day_usd_max"]
    if most == "none":
        return True
    if view.used is None:
        raise Unknown("used_today")
    return _dollars(view) <= Fraction(most) - view.used


CHECKS: Mapping[str, Callable[[View], bool]] = {
    "asset": _asset,
    "venue": lambda view: view.name("venue") in view.policy["venues"],
    "support": _support,
    "chain": _chain,
    "pair": lambda view: view.name("asset") != view.name("to_asset"),
    "amount": _amount,
    "oracle_age": _oracle_age,
    "oracle_deviation": _oracle_deviation,
    "balance": _balance,
    "position": _position,
    "allowance": _allowance,
    "liquidity": _liquidity,
    "supply_cap": _capped("supplied", "supply_cap"),
    "borrow_cap": _capped("borrowed", "borrow_cap"),
    "collateral": _collateral,
    "capacity": _capacity,
    "ltv": _ltv,
    "health": _health,
    "slippage": _slippage,
    "quote_age": _quote_age,
    "quote": _quote,
    "tx_min": lambda view: _dollars(view) >= Fraction(view.policy["tx_usd"]["min"]),
    "tx_max": _tx_max,
    "day_max": _day_max,
}
