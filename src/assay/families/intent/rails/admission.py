"""Rules about what may be done at all: actions, assets, venues, chains, amounts that make sense."""

from __future__ import annotations

from .exact import fits, show
from .policy import ACTIONS
from .rule import Rule, one_of
from .ruling import Block, Missing, Pass, Ruling, Unclear
from .sight import Sight

EVERY = frozenset(ACTIONS)
MOVING = EVERY - {"claim_rewards"}
"""Actions with an amount."""


def action(sight: Sight) -> Ruling:
    """The action is one of the eight."""
    return one_of("action", {"action": sight.step.action}, ACTIONS)


def asset(sight: Sight) -> Ruling:
    """Every asset that the step names is allowed, and its facts are known."""
    roles = {"swap_asset": ("asset", "to_asset")}.get(sight.step.action, ("asset",))
    if sight.step.value("collateral") is not None:
        roles = (*roles, "collateral")
    named = {role: sight.word(role) for role in roles}
    ruling = one_of("asset", named, sight.policy.assets)
    if isinstance(ruling, Pass):
        for one in named.values():
            sight.decimals(one)
    return ruling


def venue(sight: Sight) -> Ruling:
    """The venue is allowed."""
    return one_of("venue", {"venue": sight.venue}, tuple(sight.policy.venues))


def support(sight: Sight) -> Ruling:
    """The action is allowed at this venue."""
    there = sight.policy.venues.get(sight.venue, ())
    return one_of("support", {"action": sight.step.action}, there)


def chain(sight: Sight) -> Ruling:
    """The chain is allowed, and is the one that the facts are about."""
    facts = sight.context.chain
    named = sight.step.value("chain")
    wanted = facts if named is None else named
    if wanted is None:
        raise Missing("chain", "chain")
    ruling = one_of("chain", {"chain": wanted}, sight.policy.chains)
    if isinstance(ruling, Block):
        return ruling
    if facts is None:
        raise Missing("chain", "chain")
    if wanted != facts:
        return Block(
            rule="chain",
            says=f"the step is for {wanted}, the facts are about {facts}",
            numbers={"chain": wanted},
            limit=f"= {facts}",
        )
    return ruling


def pair(sight: Sight) -> Ruling:
    """A swap is between two different assets."""
    sold, bought = sight.asset, sight.word("to_asset")
    kind = Block if sold == bought else Pass
    numbers = {"asset": sold, "to_asset": bought}
    return kind(rule="pair", says=f"{sold} for {bought}", numbers=numbers, limit="different")


def amount(sight: Sight) -> Ruling:
    """The amount is above zero, and a whole number of the asset's last unit."""
    if sight.step.action == "claim_rewards":
        said = sight.step.value("amount") or "all"
        kind = Pass if said in ("all", "previous") else Block
        return kind(
            rule="amount", says="rewards are claimed whole", numbers={"amount": said}, limit="all"
        )
    try:
        found = sight.amount()
    except Unclear as unclear:
        said = sight.step.slots["amount"].value
        return Block(
            rule="amount", says=unclear.says, numbers={"amount": said}, limit="a number above 0"
        )
    digits = sight.decimals(sight.asset)
    kind = Pass if found > 0 and fits(found, digits) else Block
    return kind(
        rule="amount",
        says=f"an amount of {sight.asset}",
        numbers={"amount": show(found)},
        limit=f"above 0, at most {digits} digits behind the point",
    )


RULES = (
    Rule(id="action", says="the action is one of the eight", actions=None, of=action),
    Rule(id="asset", says="every asset that is named is allowed", actions=MOVING, of=asset),
    Rule(id="venue", says="the venue is allowed", actions=EVERY, of=venue),
    Rule(id="support", says="the action is allowed at the venue", actions=EVERY, of=support),
    Rule(id="chain", says="the chain is allowed, and that of the facts", actions=EVERY, of=chain),
    Rule(
        id="pair",
        says="a swap is between different assets",
        actions=frozenset({"swap_asset"}),
        of=pair,
    ),
    Rule(id="amount", says="the amount is above zero and fits the asset", actions=EVERY, of=amount),
)
