"""The canonical suite: requests written by hand, what must happen to each, and what must be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assay import Answer, Bottom, DataError, Question, Railed

from .context import read_context
from .judging import judge_steps, to_json
from .policy import read_policy
from .rail import EXECUTE, rails
from .reading import read_steps
from .task import Willing


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request with what must happen to it."""

    id: str
    prompt: str
    steps: Sequence[Mapping[str, Any]]
    context: Mapping[str, Any]
    policy: Mapping[str, Any]
    expect: str
    """``execute``, or the reason without ``rail:``."""

    numbers: Mapping[str, Mapping[str, str]]
    """By rule: numbers that the last step's ruling must list."""

    @property
    def question(self) -> Question:
        """What a system is asked."""
        asked: dict[str, Any] = {
            "prompt": self.prompt,
            "steps": list(self.steps),
            "context": self.context,
            "policy": self.policy,
        }
        return Question(id=self.id, input=asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What happened."""

    case: Case
    said: str
    """``execute``, or the reason without ``rail:``."""

    wrong: tuple[str, ...]
    """What is not as it must be; empty when all is."""

    output: Mapping[str, Any]
    """All that was ruled and moved, as JSON; of a document that cannot be used, the error."""

    @property
    def passed(self) -> bool:
        """Whether decision, reason and numbers are as they must be."""
        return not self.wrong


def canonical() -> tuple[Case, ...]:
    """Return the cases of the suite that is shipped.

    >>> len(canonical()) >= 40, canonical()[0].id
    (True, 'borrow-with-room')
    """
    return tuple(_cases())


@cache
def _cases() -> tuple[Case, ...]:
    text = files("assay.families.intent").joinpath("data/rails/canonical.yaml").read_text("utf-8")
    written = yaml.safe_load(text)
    base = written["base"]
    return tuple(
        Case(
            id=case["id"],
            prompt=case["prompt"],
            steps=case["steps"],
            context=patched(base["context"], case.get("context", {})),
            policy=patched(base["policy"], case.get("policy", {})),
            expect=case["expect"],
            numbers=case.get("numbers", {}),
        )
        for case in written["cases"]
    )


def patched(value: Any, change: Any) -> Any:
    """Return a value with a JSON merge patch (RFC 7396): null takes a key away.

    >>> patched({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(change, Mapping):
        return change
    found = dict(value) if isinstance(value, Mapping) else {}
    for key, part in change.items():
        if part is None:
            found.pop(key, None)
        else:
            found[key] = patched(found.get(key), part)
    return found


def run_canonical(cases: Sequence[Case] | None = None) -> tuple[CaseResult, ...]:
    """Put every case through ``Railed`` and compare decision, reason and numbers.

    Deterministic: ``output`` is the same in every run, process and thread count.

    >>> [result.case.id for result in run_canonical() if not result.passed]
    []
    """
    return tuple(_run(case) for case in cases or canonical())


def _run(case: Case) -> CaseResult:
    [reply] = Railed(Willing(), rails()).answer([case.question])
    match reply.said:
        case Answer():
            said = EXECUTE
        case Bottom(reason):
            said = reason.removeprefix("rail:")
        case other:
            said = type(other).__name__.lower()
    output = _output(case)
    wrong = [] if said == case.expect else [f"said {said}, not {case.expect}"]
    wrong += _numbers_wrong(case, output)
    return CaseResult(case=case, said=said, wrong=tuple(wrong), output=output)


def _output(case: Case) -> Mapping[str, Any]:
    try:
        context, policy = read_context(case.context), read_policy(case.policy)
        return to_json(judge_steps(read_steps(case.steps), context, policy))
    except DataError as error:
        return {"decision": "refused", "code": error.code, "what": error.what, "where": error.where}


def _numbers_wrong(case: Case, output: Mapping[str, Any]) -> list[str]:
    steps = output.get("steps") or [{"rulings": []}]
    listed = {ruling["rule"]: ruling.get("numbers", {}) for ruling in steps[-1]["rulings"]}
    return [
        f"{rule}.{name} is {listed.get(rule, {}).get(name)}, not {wanted}"
        for rule, numbers in case.numbers.items()
        for name, wanted in numbers.items()
        if listed.get(rule, {}).get(name) != wanted
    ]
