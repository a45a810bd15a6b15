"""Judge steps in order over a simulated ledger: all of them are carried out, or none.

Covered: every rule on every step that is reached, the effect of each step on the next, no step
carried out unless all may be.  Not covered: what happens between judging and a real transaction
(prices move, blocks are reordered): judge again at the moment of signing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import localcontext
from typing import Any

from assay import DataError

from ..grammar.steps import Step
from . import admission, funds, limits, markets, risk
from .context import Context
from .exact import EXACT, show
from .ledger import Order, Posting, State, postings
from .orders import order_of
from .policy import Policy
from .rule import Rule
from .ruling import Block, Idle, Missing, Ruling
from .sight import Sight

RULES: tuple[Rule, ...] = (
    *admission.RULES,
    *markets.RULES,
    *funds.RULES,
    *risk.RULES,
    *markets.SWAP_RULES,
    *limits.RULES,
)
"""In the order in which they are listed; the first that blocks names the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A step with what every rule says of it."""

    step: Step
    rulings: tuple[Ruling, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The rules that are broken, in the fixed order."""
        return tuple(ruling for ruling in self.rulings if isinstance(ruling, Block))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Every step passes every rule; this is what carrying them out comes to."""

    steps: tuple[Judged, ...]
    orders: tuple[Order, ...]
    state: State
    """After the last step."""

    @property
    def postings(self) -> tuple[tuple[Posting, ...], ...]:
        """What each step changes."""
        return tuple(tuple(postings(order)) for order in self.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A step breaks a rule; nothing is carried out, the steps before it included."""

    steps: tuple[Judged, ...]
    """Up to the one that is blocked."""

    unjudged: int
    """Steps behind it: what they would act on does not come to be."""

    @property
    def block(self) -> Block:
        """The first rule that is broken: the reason."""
        if not self.steps:
            return _NO_STEPS
        return self.steps[-1].blocks[0]


_NO_STEPS = Block(rule="missing:steps", says="there is no step to judge", limit="at least one step")


def judge_steps(
    steps: Sequence[Step],
    context: Context,
    policy: Policy,
    *,
    rules: Sequence[Rule] = RULES,
) -> Allowed | Blocked:
    """Judge steps in order, each on what the ones before it leave behind.

    All rules are asked of a step, and all rulings are kept.  The first step with a broken rule ends
    the judging, and nothing is carried out.  ``rules`` are all of them unless a test leaves some
    out; what the ledger itself refuses is the block ``ledger``.  No float, no clock, no I/O: equal
    arguments give equal results.

    >>> from .context import read_context
    >>> from .policy import read_policy
    >>> judge_steps([], read_context(EMPTY), read_policy(STRICT)).block.rule
    'missing:steps'
    """
    state, judged, orders = State.of(context), [], []
    with localcontext(EXACT):
        for place, step in enumerate(steps):
            sight = Sight(step, state, context, policy)
            judged.append(Judged(step=step, rulings=tuple(rule.judge(sight) for rule in rules)))
            if judged[-1].blocks:
                return Blocked(steps=tuple(judged), unjudged=len(steps) - place - 1)
            try:
                orders.append(order_of(sight))
                state = state.apply(orders[-1])
            except (DataError, Missing) as refusal:
                judged[-1] = replace(judged[-1], rulings=(*judged[-1].rulings, _second(refusal)))
                return Blocked(steps=tuple(judged), unjudged=len(steps) - place - 1)
    if not judged:
        return Blocked(steps=(), unjudged=0)
    return Allowed(steps=tuple(judged), orders=tuple(orders), state=state)


def _second(refusal: DataError | Missing) -> Block:
    """Rule what the ledger refused: a second lock, for rules that somebody left out or got wrong."""
    says = refusal.what if isinstance(refusal, DataError) else f"{refusal.path} is not known"
    return Block(rule="ledger", says=says, limit="no account below zero")


EMPTY = '{"schema": 1, "now": "2026-11-28T12:00:00Z"}'
"""A context that knows nothing."""

STRICT = """{"schema": 1, "assets": ["ETH"], "venues": {"aave": ["deposit_asset"]},
 "chains": ["Ethereum"], "ltv_max": "0.5", "hf_min": "1.5", "price_age_max_s": 60,
 "deviation_max": "0.01", "slippage_max": "0.005", "quote_age_max_s": 30,
 "tx_usd": {"min": "0", "max": "1000"}, "day_usd_max": "2000"}"""
"""A policy that allows little."""


def to_json(verdict: Allowed | Blocked) -> dict[str, Any]:
    """Return all of a verdict as plain JSON: every ruling with its numbers, and what is moved.

    Equal verdicts give equal JSON, whatever the process: numbers are exact decimal text.
    """
    steps: list[Any] = [
        {"action": one.step.action, "rulings": [_ruling(ruling) for ruling in one.rulings]}
        for one in verdict.steps
    ]
    match verdict:
        case Blocked():
            return {
                "decision": "blocked",
                "reason": verdict.block.rule,
                "step": len(verdict.steps),
                "unjudged": verdict.unjudged,
                "block": _ruling(verdict.block),
                "steps": steps,
            }
        case Allowed():
            moved: list[Any] = [
                [[*posting.account, show(abs(posting.change)), _sign(posting)] for posting in step]
                for step in verdict.postings
            ]
            return {"decision": "allowed", "steps": steps, "postings": moved}


def _sign(posting: Posting) -> str:
    return "out" if posting.change < 0 else "in"


def _ruling(ruling: Ruling) -> dict[str, Any]:
    kind = type(ruling).__name__.lower()
    if isinstance(ruling, Idle):
        return {"ruling": kind, "rule": ruling.rule, "says": ruling.says}
    return {
        "ruling": kind,
        "rule": ruling.rule,
        "says": ruling.says,
        "numbers": dict(ruling.numbers),
        "limit": ruling.limit,
    }
