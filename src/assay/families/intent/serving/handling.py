"""From a request to what is done about it: mapper, grammar, rails, ledger, in this order.

*Covered*: nothing is carried out unless the mapper names an action, the grammar reads every slot,
and every rule passes; without facts to judge by, rails are not run and nothing is carried out.
*Not covered*: a real transaction.  The ledger is simulated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from assay import Answer, Bottom, Failed

from ..grammar.parts import Domain
from ..grammar.reading import read_steps
from ..grammar.slots import MOST_CHARACTERS
from ..grammar.steps import Slot, Step
from ..rails import Allowed, Blocked, Context, Policy, judge_steps, to_json
from ..rails.reading import ROLES

Said = Answer | Bottom | Failed
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that make a line look other than it reads: nobody can confirm what they see."""

NAMES = ("asset", "venue", "chain")
"""Kinds of slots whose values are names that a policy lists."""

STEPWISE = ("multi_step", "ambiguous")
"""Reasons of a mapper that sees more than one action: the grammar takes the request apart."""


class Fate(StrEnum):
    """What becomes of a request."""

    EXECUTED = "executed"
    """On the simulated ledger, all of its steps."""

    BLOCKED = "blocked"
    """By a rule; none of its steps."""

    DECLINED = "declined"
    """By the mapper or the grammar: no action was understood, or none was wanted."""

    PROPOSED = "proposed"
    """Understood; rails were not run, so nothing was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """A request, what was understood, and what became of it."""

    prompt: str
    said: Said
    """What the mapper says of the whole request."""

    steps: tuple[Step, ...] = ()
    verdict: Allowed | Blocked | None = None
    """What the rails say; None: not run."""

    reason: str = ""
    """Why it was not carried out; empty where it was."""

    @property
    def fate(self) -> Fate:
        """What became of it."""
        match self.verdict:
            case Allowed():
                return Fate.EXECUTED
            case Blocked():
                return Fate.BLOCKED
            case None:
                return Fate.PROPOSED if self.steps else Fate.DECLINED

    @property
    def answer(self) -> Answer | None:
        """What the mapper would say, if it had to name a label."""
        return _answer_of(self.said)

    @property
    def runner_up(self) -> tuple[str, float] | None:
        """The second most probable label of the whole request."""
        answer = _answer_of(self.said)
        if answer is None or len(answer.scores) < 2:
            return None
        ranked = sorted(answer.scores.items(), key=lambda pair: (-pair[1], pair[0]))
        return next((pair for pair in ranked if pair[0] != answer.value), None)

    @property
    def facts(self) -> dict[str, Any]:
        """Everything as plain JSON; equal handlings are equal JSON, whatever the process."""
        answer = _answer_of(self.said)
        runner_up = self.runner_up
        return {
            "prompt": self.prompt,
            "fate": self.fate.value,
            "reason": self.reason,
            "mapper": {
                "kind": type(self.said).__name__.lower(),
                "label": None if answer is None else answer.value,
                "confidence": None if answer is None else answer.confidence,
                "runner_up": None
                if runner_up is None
                else {"label": runner_up[0], "confidence": runner_up[1]},
            },
            "steps": [_step(step) for step in self.steps],
            "rails": None if self.verdict is None else to_json(self.verdict),
        }

    @property
    def digest(self) -> str:
        """The sha256 of everything: what determinism is measured by."""
        text = json.dumps(self.facts, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Handles requests of one domain.

    ``decide`` says the label of each of several texts: ``Mapper.load(folder).answer_all``, or any
    system that answers texts.
    """

    decide: Callable[[Sequence[str]], Sequence[Said]]
    domain: Domain
    second: Callable[[str], Said] | None = None
    """A second opinion on the action of a clause, the domain's keywords say.  Where it names another
    action than ``decide``, nobody is followed; where it names none, it has no say."""

    def handle(
        self, prompt: str, *, context: Context | None = None, policy: Policy | None = None
    ) -> Handled:
        """Handle one request; see ``handle_all``."""
        return self.handle_all([prompt], context=context, policy=policy)[0]

    def handle_all(
        self,
        prompts: Sequence[str],
        *,
        context: Context | None = None,
        policy: Policy | None = None,
    ) -> list[Handled]:
        """Handle requests, each for itself and on the same facts; none sees another's effects.

        The mapper has the first word: what it declines, but for several steps, is declined.  The
        grammar then reads every step, and asks the mapper for the action of each.  A single step
        whose action is not the one that the mapper gives the whole request is ``ambiguous``.
        Rails run where both ``context`` and ``policy`` are given.
        """
        return [
            self.handle_said(prompt, said, context=context, policy=policy)
            for prompt, said in zip(prompts, self.say(prompts), strict=True)
        ]

    def say(self, prompts: Sequence[str]) -> list[Said]:
        """Return what the mapper says of each request, asked together; unreadable ones are not asked."""
        whys = [_unreadable(prompt) for prompt in prompts]
        readable = [prompt for prompt, why in zip(prompts, whys, strict=True) if not why]
        said = iter(self.decide(readable) if readable else ())
        return [Bottom(why) if why else next(said) for why in whys]

    def handle_said(
        self, prompt: str, said: Said, *, context: Context | None, policy: Policy | None
    ) -> Handled:
        """Go on from what the mapper said of a request."""
        match said:
            case Failed(why):
                return Handled(prompt=prompt, said=said, reason=why)
            case Bottom(reason) if reason not in STEPWISE:
                return Handled(prompt=prompt, said=said, reason=reason)
        known: Mapping[str, Said] = {prompt: said}

        def decide(clause: str) -> Said:
            first = known[clause] if clause in known else self.decide([clause])[0]
            other = None if self.second is None else self.second(clause)
            if isinstance(first, Answer) and isinstance(other, Answer):
                return first if first.value == other.value else Bottom("disagreement", first)
            return first

        read = read_steps(prompt, self.domain, decide)
        if isinstance(read, Bottom):
            return Handled(prompt=prompt, said=said, reason=read.reason)
        if isinstance(read, Failed):
            return Handled(prompt=prompt, said=said, reason=read.why)
        if not _agree(said, read):
            return Handled(prompt=prompt, said=said, reason="ambiguous")
        if context is None or policy is None:
            lacks = " and ".join(
                name for name, one in (("context", context), ("policy", policy)) if one is None
            )
            return Handled(
                prompt=prompt, said=said, steps=read, reason=f"rails not run: no {lacks}"
            )
        if stray := {role for step in read for role in step.slots} - set(ROLES):
            reason = f"rail:unjudged:{min(stray)}"
            return Handled(prompt=prompt, said=said, reason=reason)
        read = _named(read, policy)
        verdict = judge_steps(read, context, policy)
        reason = f"rail:{verdict.block.rule}" if isinstance(verdict, Blocked) else ""
        return Handled(prompt=prompt, said=said, steps=read, verdict=verdict, reason=reason)


def _named(steps: Sequence[Step], policy: Policy) -> tuple[Step, ...]:
    """Return steps with assets, venues and chains as the policy spells them: "Aave" is its "aave".

    Only the casing differs; a name that the policy has twice, or not at all, stays as it is, and the
    rails say what they think of it.
    """
    spelled: dict[str, list[str]] = {}
    for name in {*policy.assets, *policy.venues, *policy.chains}:
        spelled.setdefault(name.casefold(), []).append(name)

    def named(slot: Slot) -> Slot:
        known = spelled.get(slot.value.casefold(), [])
        unit = spelled.get(slot.unit.casefold(), [])
        return replace(
            slot,
            value=known[0] if slot.kind in NAMES and len(known) == 1 else slot.value,
            unit=unit[0] if len(unit) == 1 else slot.unit,
        )

    return tuple(
        replace(step, slots={role: named(slot) for role, slot in step.slots.items()})
        for step in steps
    )


def _unreadable(prompt: str) -> str:
    """Return why nobody should act on a text as it stands; empty if there is nothing."""
    if len(prompt) > MOST_CHARACTERS:
        return "too_long"
    if any(char in TURNS for char in prompt):
        return "hidden_direction"
    return "" if any(char.isalnum() for char in prompt) else "empty"


def _agree(said: Said, steps: Sequence[Step]) -> bool:
    """Whether the steps are what the mapper understood of the whole."""
    if isinstance(said, Answer):
        return len(steps) > 1 or steps[0].action == said.value
    return len(steps) > 1


def _answer_of(said: Said) -> Answer | None:
    match said:
        case Answer():
            return said
        case Bottom(proposal=proposal):
            return proposal
        case Failed():
            return None


def _step(step: Step) -> dict[str, Any]:
    return {
        "action": step.action,
        "slots": {
            role: {
                "kind": slot.kind,
                "value": slot.value,
                "unit": slot.unit,
                "text": slot.text,
                "span": list(slot.span),
            }
            for role, slot in step.slots.items()
        },
    }
