"""What a Python program makes of inputs: its function is called in the sandbox, twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from assay.machines import usable_cpus
from assay.sandbox import Ended, How, Limits, Sandbox, run_python

from ..cases.kinds import NOTHING, Unmapped, of_value
from ..cases.signature import Signature, must_fail, signature_of
from ..cases.spelling import literal
from ..corpus.program import Case, Program
from .inputs import arguments

EACH_S = 1.0
"""Seconds of a call of the original."""

SEEDS = (0, 1)
"""Of the order of sets of texts: a program that says the same under both does not depend on it."""

Said: TypeAlias = dict[str, Any]
"""What a call said: see ``driver.call``."""

NO_RUST = "what the original returns has no Rust"

DIED: Said = {"how": "died"}

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
    """A call for which the original says something else each time; then there are no cases."""

    why_none: str = ""
    """Why nothing could be generated at all."""

    @property
    def why(self) -> str:
        """Return why there are no cases; empty where there are some."""
        if self.cases:
            return ""
        if self.unsteady:
            return f"it says something else each time: {self.unsteady}"
        return self.why_none or "; ".join(f"{why} ({n:,} times)" for why, n in self.left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A function of a Python program, and calls of it as Python writes their arguments."""

    python: str
    name: str
    calls: tuple[str, ...]


def generated(
    programs: Sequence[Program],
    count: int,
    *,
    sandbox: Sandbox | None = None,
    fallible: Sequence[bool | None] | None = None,
) -> list[Generated]:
    """Return up to ``count`` cases that each of some Python programs makes of generated inputs.

    Inputs stay where the program's own cases stand (``inputs.Domain``).  What the original
    refuses (it raises) is no case, unless its own cases say that calls must fail, or ``fallible`` of it; nor is what
    takes it more than a second, nor what has no Rust (an integer of more than 64 bits).

    Raises ``AssayError`` A500 where the machine failed, ``PluginError`` A401 without Hypothesis.

    *Not to be trusted when* the types of the annotations admit more than the author meant.
    """
    found: dict[int, Generated] = {}
    given: dict[int, tuple[Signature, list[tuple[Any, ...]]]] = {}
    for number, program in enumerate(programs):
        try:
            signature = signature_of(program, fallible=fallible[number] if fallible else None)
            if signature.returns == NOTHING:
                raise Unmapped("it returns nothing")  # noqa: TRY301
            values = arguments(signature, program.cases, count)
            given[number] = signature, values
        except Unmapped as why:
            found[number] = Generated(cases=(), why_none=str(why))
    asked = [
        Asked(python=programs[n].python, name=signature.name, calls=tuple(map(repr, values)))
        for n, (signature, values) in given.items()
    ]
    twice = [said_by(asked, hash_seed=seed, sandbox=sandbox) for seed in SEEDS]
    for (number, (signature, values)), one, other in zip(given.items(), *twice, strict=True):
        found[number] = _generated(programs[number], signature, values, one, other)
    return [found[number] for number in range(len(programs))]


def _generated(
    program: Program,
    signature: Signature,
    values: Sequence[tuple[Any, ...]],
    one: Sequence[Said] | str,
    other: Sequence[Said] | str,
) -> Generated:
    if isinstance(one, str) or isinstance(other, str):
        return Generated(cases=(), why_none=one if isinstance(one, str) else str(other))
    for each, first, second in zip(values, one, other, strict=True):
        if first != second and "slow" not in (first["how"], second["how"]):
            return Generated(cases=(), unsteady=shown(signature.name, each))
    return _cases(values, one, program, signature)


def said_by(
    asked: Sequence[Asked], *, hash_seed: int, sandbox: Sandbox | None = None
) -> list[list[Said] | str]:
    """Return what functions said to each call; ``{"how": "died"}`` where a process ended.

    Of a program that cannot even be loaded: why.  Raises ``AssayError`` A500 where the machine failed.
    """
    found: list[list[Said] | str] = [[] for _ in asked]
    for _ in range(ENDS):
        left = [n for n, said in enumerate(found) if len(said) < len(asked[n].calls)]
        left = [n for n in left if not isinstance(found[n], str)]
        if not left:
            break
        most = 10 + EACH_S * max(len(asked[n].calls) for n in left)
        limits = Limits(wall_s=most, cpu_s=most, output_kb=16 * 1024)
        scripts = [_script(asked[n], len(found[n])) for n in left]
        cores = usable_cpus()
        ended = run_python(
            scripts, limits=limits, hash_seed=hash_seed, sandbox=sandbox, workers=cores
        )
        for number, each in zip(left, ended, strict=True):
            found[number] = _more(found[number], each, len(asked[number].calls))
    return [
        said if isinstance(said, str) else said + [DIED] * (len(each.calls) - len(said))
        for said, each in zip(found, asked, strict=True)
    ]


def _more(before: list[Said] | str, ended: Ended, count: int) -> list[Said] | str:
    assert isinstance(before, list)
    lines = ended.stdout.split(b"\n")[:-1]
    if not lines and not before and (ended.how is not How.EXITED or ended.status == 1):
        return f"it cannot be loaded: {_last(ended)}"
    after = [*before, *(json.loads(line) for line in lines)][:count]
    return after if len(after) == count else [*after, DIED]


def _last(ended: Ended) -> str:
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    if ended.how is not How.EXITED:
        return f"it {ended.how}"
    return said[-1] if said else f"it ended with status {ended.status}"


@cache
def _driver() -> tuple[str, str]:
    """Return what stands before the line that says what is asked, and what stands behind it."""
    before, head, after = (Path(__file__).parent / "driver.py").read_text("utf-8").partition(HEAD)
    assert head
    return before, after.partition("\n")[2]


def _script(asked: Asked, start: int) -> str:
    before, after = _driver()
    calls = list(asked.calls[start:])
    return f"{before}{HEAD}{asked.python!r}, {asked.name!r}, {calls!r}, {EACH_S}\n{after}"


def _cases(
    given: Sequence[tuple[Any, ...]],
    said: Sequence[Said],
    program: Program,
    signature: Signature,
) -> Generated:
    cases: list[Case] = []
    left_out: Counter[str] = Counter()
    for values, each in zip(given, said, strict=True):
        shown = tuple(map(as_json, values))
        if each["how"] == "returned" and not _mapped(each["what"]):
            left_out[NO_RUST] += 1
        elif each["how"] == "returned":
            cases.append(Case(input=shown, expected=each["what"]))
        elif each["how"] == "raised" and signature.may_fail:
            cases.append(Case(input=shown, expected={"error": each["what"]}))
        else:
            left_out[_why(each)] += 1
    if not program.cases:  # what it returns is learnt from what it returned
        try:
            signature = signature_of(
                replace(program, cases=tuple(cases)), fallible=signature.may_fail
            )
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
            left_out[NO_RUST] += 1
    return Generated(cases=tuple(fitting), left_out=tuple(sorted(left_out.items())))


def _mapped(value: Any) -> bool:
    try:
        of_value(value)
    except Unmapped:
        return False
    return True


def _why(said: Said) -> str:
    return {
        "raised": "the original raises",
        "slow": f"the original takes more than {EACH_S:g} s",
        "no JSON": NO_RUST,
    }.get(said["how"], "the original ends")


def shown(name: str, values: Sequence[Any]) -> str:
    """Return a call as Python writes it.

    >>> shown("power", (2, [3]))
    'power(2, [3])'
    """
    return f"{name}({', '.join(map(repr, values))})"


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
