"""Rules about prices and offers: fresh, agreed, and not worse than what was asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from .admission import MOVING
from .exact import show, show_ratio
from .rule import Rule, at_least, at_most
from .ruling import Block, Missing, Pass, Ruling, Unclear
from .sight import Sight

SWAP = frozenset({"swap_asset"})


def oracle_age(sight: Sight) -> Ruling:
    """Every price that decides, and its second source, is fresh, and from no later than now."""
    dated: dict[str, datetime] = {}
    for asset in sight.relied_on():
        price = sight.price(asset)
        dated[asset] = price.at
        if price.reference is not None:
            dated[f"{asset} by {price.reference.source}"] = price.reference.at
    return _aged("oracle_age", sight, dated, sight.policy.price_age_max_s)


def _aged(rule: str, sight: Sight, dated: dict[str, datetime], most_s: int) -> Pass | Block:
    ages = {what: _micros(sight.context.now - at) for what, at in dated.items()}
    most = Decimal(most_s)
    wrong = [what for what, age in ages.items() if not 0 <= age <= most]
    kind = Block if wrong else Pass
    says = f"{wrong[0]} is not from then" if wrong else "fresh"
    numbers = {what: f"{show(age)} s" for what, age in ages.items()}
    return kind(rule=rule, says=says, numbers=numbers, limit=f"0 to {most_s} s before now")


def _micros(age: timedelta) -> Decimal:
    return Decimal(age // timedelta(microseconds=1)).scaleb(-6)


def oracle_deviation(sight: Sight) -> Ruling:
    """Every price that decides is close to that of a second source."""
    most = sight.policy.deviation_max
    numbers: dict[str, str] = {}
    wrong: list[str] = []
    for asset in sight.relied_on():
        price = sight.price(asset)
        if price.reference is None:
            raise Missing("reference", f"prices.{asset}.reference")
        apart, second = abs(price.usd - price.reference.usd), price.reference.usd
        numbers[asset] = show_ratio(apart, second, up=True)
        if apart > most * second:
            wrong.append(asset)
    kind = Block if wrong else Pass
    says = f"two sources disagree on {wrong[0]}" if wrong else "two sources agree"
    return kind(rule="oracle_deviation", says=says, numbers=numbers, limit=f"<= {show(most)}")


def slippage(sight: Sight) -> Ruling:
    """The tolerance that a swap asks for is allowed."""
    try:
        asked = sight.tolerance()
    except Unclear as unclear:
        numbers = {"slippage": sight.step.slots["slippage"].value}
        return Block(rule="slippage", says=unclear.says, numbers=numbers, limit="a percentage")
    return at_most(
        "slippage",
        asked,
        sight.policy.slippage_max,
        says="the tolerance of the swap",
        numbers={"slippage": show(asked)},
    )


def quote_age(sight: Sight) -> Ruling:
    """The venue's offer is fresh."""
    quote = sight.quote()
    dated = {f"the quote of {quote.venue}": quote.at}
    return _aged("quote_age", sight, dated, sight.policy.quote_age_max_s)


def quote(sight: Sight) -> Ruling:
    """The offer brings at least the oracle's value less the tolerance."""
    offer, tolerance = sight.quote(), sight.tolerance()
    paid = sight.usd(offer.sell, offer.amount)
    brought = sight.usd(offer.buy, offer.expected)
    return at_least(
        "quote",
        brought,
        paid * (1 - min(tolerance, Decimal(1))),
        says="dollars that the offer brings, at the oracle's prices",
        numbers={"paid_usd": show(paid), "brought_usd": show(brought), "slippage": show(tolerance)},
    )


RULES = (
    Rule(id="oracle_age", says="prices are fresh", actions=MOVING, of=oracle_age),
    Rule(id="oracle_deviation", says="two sources agree", actions=MOVING, of=oracle_deviation),
)
SWAP_RULES = (
    Rule(id="slippage", says="the tolerance is allowed", actions=SWAP, of=slippage),
    Rule(id="quote_age", says="the venue's offer is fresh", actions=SWAP, of=quote_age),
    Rule(id="quote", says="the offer is worth its price", actions=SWAP, of=quote),
)
