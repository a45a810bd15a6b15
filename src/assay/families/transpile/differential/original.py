"""What a Python program makes of inputs: its function is called in the sandbox, twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from assay import DataError
from assay.sandbox import Ended, Limits, Sandbox, run_python

from ..cases.kinds import Unmapped
from ..cases.signature import Signature, must_fail, signature_of
from ..cases.spelling import literal
from ..corpus.program import Case, Program
from .inputs import arguments

EACH_S = 1.0
"""Seconds of a call of the original."""

SEEDS = (0, 1)
"""Of the order of sets of texts: a program that says the same under both does not depend on it."""

HEAD = "SOURCE, NAME, GIVEN, EACH_S = "

ENDS = 4
"""How often a call may end the whole program before the rest is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Cases that the original made, and what became of the other inputs."""

    cases: tuple[Case, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    """Why inputs became no cases, and how many."""

    unsteady: str = ""
    """An input for which the original says something else each time; then there are no cases."""

    why_none: str = ""
    """Why nothing could be generated at all."""


def generated(
    program: Program, count: int, *, sandbox: Sandbox | None = None, edges: bool = False
) -> Generated:
    """Return up to ``count`` cases that a Python program makes of generated inputs.

    Inputs stay where the program's own cases stand (``inputs.Domain``), unless ``edges``.  What the original
    refuses (it raises) is no case, unless its own cases say that calls must fail; nor is what takes it more
    than a second, nor what has no Rust (an integer of more than 64 bits).

    Raises ``AssayError`` A500 where the machine failed, ``PluginError`` A401 without Hypothesis.

    *Not to be trusted when* the types of the annotations admit more than the author meant.
    """
    try:
        signature = signature_of(program)
        given = arguments(signature, () if edges else program.cases, count)
    except Unmapped as why:
        return Generated(cases=(), why_none=str(why))
    calls = [repr(each) for each in given]
    first, second = (
        said_by(program.python, signature.name, calls, hash_seed=seed, sandbox=sandbox)
        for seed in SEEDS
    )
    for text, one, other in zip(calls, first, second, strict=True):
        if one != other and "slow" not in (one["how"], other["how"]):
            return Generated(cases=(), unsteady=text)
    return _cases(given, first, program, signature)


def said_by(
    python: str, name: str, calls: Sequence[str], *, hash_seed: int, sandbox: Sandbox | None = None
) -> list[dict[str, Any]]:
    """Return what a function said to each call; ``{"how": "died"}`` where its process ended.

    Raises ``DataError`` where the program cannot even be loaded.
    """
    found: list[dict[str, Any]] = []
    for _ in range(ENDS):
        left = calls[len(found) :]
        if not left:
            break
        limits = Limits(
            wall_s=10 + EACH_S * len(left), cpu_s=10 + EACH_S * len(left), output_kb=16 * 1024
        )
        script = _script(python, name, left)
        [ended] = run_python([script], limits=limits, hash_seed=hash_seed, sandbox=sandbox)
        lines = ended.stdout.split(b"\n")[:-1]
        if not lines and not found and ended.status == 1:
            raise DataError(
                f"the Python program cannot be loaded: {_last(ended)}",
                hint="run it with python3 first",
            )
        found += [json.loads(line) for line in lines[: len(left)]]
        if len(lines) < len(left):
            found.append({"how": "died"})
    return found + [{"how": "died"}] * (len(calls) - len(found))


def _last(ended: Ended) -> str:
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"it ended with status {ended.status}"


@cache
def _driver() -> tuple[str, str]:
    """Return what stands before the line that says what is asked, and what stands behind it."""
    before, head, after = (Path(__file__).parent / "driver.py").read_text("utf-8").partition(HEAD)
    assert head
    return before, after.partition("\n")[2]


def _script(python: str, name: str, calls: Sequence[str]) -> str:
    before, after = _driver()
    return f"{before}{HEAD}{python!r}, {name!r}, {list(calls)!r}, {EACH_S}\n{after}"


def _cases(
    given: Sequence[tuple[Any, ...]],
    said: Sequence[dict[str, Any]],
    program: Program,
    signature: Signature,
) -> Generated:
    cases: list[Case] = []
    left_out: Counter[str] = Counter()
    for values, each in zip(given, said, strict=True):
        shown = tuple(map(as_json, values))
        if each["how"] == "returned":
            cases.append(Case(input=shown, expected=each["what"]))
        elif each["how"] == "raised" and signature.may_fail:
            cases.append(Case(input=shown, expected={"error": each["what"]}))
        else:
            left_out[_why(each)] += 1
    if not program.cases:  # what it returns is learnt from what it returned
        try:
            signature = signature_of(replace(program, cases=tuple(cases)))
        except Unmapped as why:
            return Generated(cases=(), why_none=str(why))
    fitting = []
    for case in cases:
        try:
            if not must_fail(case):
                literal(case.expected, signature.returns)
            for value, (_, kind) in zip(case.input, signature.parameters, strict=True):
                literal(value, kind)
            fitting.append(case)
        except Unmapped:
            left_out["what the original returns has no Rust"] += 1
    return Generated(cases=tuple(fitting), left_out=tuple(sorted(left_out.items())))


def _why(said: dict[str, Any]) -> str:
    return {
        "raised": "the original raises",
        "slow": f"the original takes more than {EACH_S:g} s",
        "no JSON": "what the original returns has no Rust",
    }.get(said["how"], "the original ends")


def as_json(value: Any) -> Any:
    """Return a Python value as a case has it: tuples and sets are lists, keys are texts."""
    match value:
        case dict():
            return {str(key): as_json(each) for key, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
        case set() | frozenset():
            return sorted((as_json(each) for each in value), key=json.dumps)
    return value
