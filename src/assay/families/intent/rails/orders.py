"""A step that every rule has passed, as the order that the ledger carries out."""

from __future__ import annotations

from decimal import Decimal

from .ledger import Kind, Moved, Order
from .sight import SOURCES, Sight


def order_of(sight: Sight) -> Order:
    """Return a step with every word resolved; for steps that every rule has passed."""
    action = sight.step.action
    if action == "claim_rewards":
        return Order(action=action, venue=sight.venue, moves=sight.rewards())
    asset, amount = sight.asset, sight.amount()
    yields = None
    if action == "swap_asset":
        yields = Moved(sight.word("to_asset"), sight.quote().expected)
    return Order(
        action=action,
        venue=sight.venue,
        moves=(Moved(asset, amount),),
        yields=yields,
        approved=SOURCES.get(action) not in (Kind.WALLET, Kind.DEBT) or approved(sight, asset),
        usd=sight.usd(asset, amount),
        rest=_rest(sight, asset, amount),
    )


def _rest(sight: Sight, asset: str, amount: Decimal) -> Moved | None:
    slot, state = sight.step.slots["amount"], sight.state
    if slot.value in ("previous", "rest"):
        return Moved(asset, Decimal(0))  # all of it is taken
    if slot.unit == "previous" and state.last is not None:
        return Moved(asset, state.last.amount - amount)
    kind = SOURCES.get(sight.step.action)
    return None if kind is None else Moved(asset, sight.holding(kind, asset) - amount)


def approved(sight: Sight, asset: str) -> bool:
    """Whether a venue may take as much of an asset as it likes: its own coin, or no limit."""
    stated = (sight.context.allowances or {}).get(sight.venue, {}).get(asset)
    return sight.facts(asset).native or stated == "unlimited"
