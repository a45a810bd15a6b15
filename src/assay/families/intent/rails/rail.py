"""Rails for any system: its answer is held against a policy and a context before it stands.

Covered: an answer that is steps, that is an action's name, or that says to carry out the steps of
the question.  What cannot be read, what is not known and what breaks a rule all decline.
Not covered: whether the steps are what the user meant; that is the system's task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from assay import Bottom, DataError, Question

from ..grammar.steps import Step
from .context import Context, read_context
from .judging import RULES, Blocked, judge_steps, to_json
from .policy import ACTIONS, Policy, read_policy
from .reading import read_steps
from .rule import Rule

EXECUTE = "execute"
"""The answer of a system that agrees to the steps of its question."""

Reader: TypeAlias = Callable[[str], Sequence[Step]]
"""Reads the steps out of a prompt: a grammar."""

Rail: TypeAlias = Callable[[Question, Any], Bottom | None]


def rails(
    policy: Policy | None = None,
    *,
    read: Reader | None = None,
    rules: Sequence[Rule] = RULES,
) -> tuple[Rail, ...]:
    """Return what goes behind ``Railed``: one rail, which asks every rule.

    A question's input is a mapping with a ``context`` (JSON values), the ``prompt``, and where
    there is no ``policy`` argument the ``policy``.  A policy that is given here is the only one: no
    input can loosen it.  The answer is one of

    * steps (see ``read_steps``),
    * ``"execute"``: the question's own ``steps``,
    * the name of an action: the steps that ``read`` finds in the prompt, which must be this action
      and no other (``rail:plan_mismatch`` otherwise).

    A rail that fires gives ``Bottom("rail:<rule>", proposal)``, its ``detail`` the block with its
    numbers and limit, and everything else that was ruled, as JSON.  What the rails cannot read
    declines as well: ``rail:bad_context``, ``rail:bad_policy``, ``rail:bad_steps``,
    ``rail:missing:context``, ``rail:missing:policy``, ``rail:missing:steps``.

    >>> from assay import Answer, Railed, Reply
    >>> class Eager:
    ...     def answer(self, questions):
    ...         for question in questions:
    ...             yield Reply(question.id, Answer("execute"))
    >>> asked = Question(id="q", input={"prompt": "borrow it all", "steps": []})
    >>> [reply] = Railed(Eager(), rails()).answer([asked])
    >>> reply.said.reason, reply.said.proposal.value
    ('rail:missing:policy', 'execute')
    """

    def rail(question: Question, value: Any) -> Bottom | None:
        given = question.input if isinstance(question.input, Mapping) else {}
        try:
            limits = policy or _part(given, "policy", read_policy)
            facts = _part(given, "context", read_context)
            steps = _steps(given, value, read)
        except _Refusal as refusal:
            return refusal.bottom
        return _ruled(steps, facts, limits, rules)

    return (rail,)


class _Refusal(Exception):  # noqa: N818  (it is a decline, on its way)
    def __init__(self, reason: str, detail: str = "") -> None:
        self.bottom = Bottom(reason, None, detail)
        super().__init__(reason)


def _ruled(
    steps: Sequence[Step], context: Context, policy: Policy, rules: Sequence[Rule]
) -> Bottom | None:
    verdict = judge_steps(steps, context, policy, rules=rules)
    if not isinstance(verdict, Blocked):
        return None
    return Bottom(
        verdict.block.rule, None, json.dumps(to_json(verdict), indent=1, ensure_ascii=False)
    )


def _part(given: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> Any:
    if name not in given or given[name] is None:
        raise _Refusal(f"missing:{name}")
    if not isinstance(given[name], Mapping | str):
        raise _Refusal(f"bad_{name}", f"the {name} is {type(given[name]).__name__}, no object")
    try:
        return read(given[name])
    except DataError as error:
        raise _Refusal(f"bad_{name}", str(error)) from None


def _steps(given: Mapping[str, Any], value: Any, read: Reader | None) -> tuple[Step, ...]:
    try:
        match value:
            case str() if value == EXECUTE:
                return read_steps(given.get("steps", []))
            case str() if value in ACTIONS:
                return _meant(value, given.get("prompt"), read)
            case str():
                raise _Refusal("action", f"{value!r} is no action")
            case _:
                return read_steps(value)
    except DataError as error:
        raise _Refusal("bad_steps", str(error)) from None


def _meant(action: str, prompt: object, read: Reader | None) -> tuple[Step, ...]:
    if read is None or not isinstance(prompt, str):
        raise _Refusal("missing:steps", "nothing reads the steps of this answer out of its prompt")
    steps = tuple(read(prompt))
    named = [step.action for step in steps]
    if named != [action]:
        raise _Refusal("plan_mismatch", f"the answer is {action}, the prompt says {named}")
    return steps
