"""Rules about what a user may move: in one action, and in one day."""

from __future__ import annotations

from .admission import MOVING
from .exact import show
from .rule import Rule, at_least, at_most
from .ruling import Missing, Pass, Ruling
from .sight import Sight


def tx_min(sight: Sight) -> Ruling:
    """The action moves at least so many dollars."""
    value = sight.usd(sight.asset, sight.amount())
    numbers = {"usd": show(value)}
    return at_least("tx_min", value, sight.policy.tx_usd.min, says="dollars moved", numbers=numbers)


def tx_max(sight: Sight) -> Ruling:
    """The action moves at most so many dollars."""
    most = sight.policy.tx_usd.max
    if most == "none":
        return Pass(rule="tx_max", says="the policy has none", limit="none")
    value = sight.usd(sight.asset, sight.amount())
    return at_most("tx_max", value, most, says="dollars moved", numbers={"usd": show(value)})


def day_max(sight: Sight) -> Ruling:
    """What is moved today, with this action, is at most so many dollars."""
    most = sight.policy.day_usd_max
    if most == "none":
        return Pass(rule="day_max", says="the policy has none", limit="none")
    used = sight.state.used_usd
    if used is None:
        raise Missing("used_today", "used_today_usd")
    value = sight.usd(sight.asset, sight.amount())
    numbers = {"usd": show(value), "used_usd": show(used), "after_usd": show(used + value)}
    return at_most("day_max", used + value, most, says="dollars moved today", numbers=numbers)


RULES = (
    Rule(id="tx_min", says="the action is large enough", actions=MOVING, of=tx_min),
    Rule(id="tx_max", says="the action is small enough", actions=MOVING, of=tx_max),
    Rule(id="day_max", says="the day has room for it", actions=MOVING, of=day_max),
)
