"""The function that a translation must have: its name, its parameters and what it returns, in Rust."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ..corpus.program import Case, Program
from ..levels import parsed
from .kinds import TEXT, UNKNOWN, Kind, Unmapped, joined, of_annotation, of_value
from .spelling import name_of, parameter_of, type_of

SCRIPT = "output"
"""What the translation of a program without functions is called: it returns what the program prints."""

FAILS = ("error", "raises")
"""The only key of an expected value that says: this call must fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a translation is called by."""

    name: str
    parameters: tuple[tuple[str, Kind], ...]
    returns: Kind
    may_fail: bool
    """Whether a case wants it to fail: then it returns a ``Result``, or panics."""

    @property
    def rust(self) -> str:
        """Return it as Rust writes it; raises ``Unmapped``."""
        inside = ", ".join(f"{name_of(name)}: {parameter_of(k)}" for name, k in self.parameters)
        returns = type_of(self.returns)
        if self.may_fail:
            returns = f"Result<{returns}, String>"
        arrow = "" if returns == "()" else f" -> {returns}"
        return f"pub fn {name_of(self.name)}({inside}){arrow}"


def must_fail(case: Case) -> bool:
    """Whether a case wants the call to fail.

    >>> must_fail(Case(input=(0,), expected={"error": "ZeroDivisionError"}))
    True
    """
    expected = case.expected
    return isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)) in FAILS


def signature_of(program: Program, *, fallible: bool | None = None) -> Signature:
    """Return the function that a program's cases call.

    It is the function with the program's id as its name, or else the last one of the file.  Types are
    those of the annotations, and where these say nothing those of all cases together.  Raises
    ``Unmapped`` for a type that Rust has only as an ``enum``.  A program
    without functions is called by no arguments, and returns what it prints: ``output() -> String``.
    It returns a ``Result`` where a case must fail, or as ``fallible`` says.

    >>> add = Program(id="add", python="def add(a, b): return a + b", cases=(Case(input=(1, 2.5), expected=3.5),))
    >>> signature_of(add).rust
    'pub fn add(a: i64, b: f64) -> f64'
    """
    function = _entry(program)
    if function is None:
        return _script(program.cases)
    at = function.args
    if at.vararg or at.kwarg or at.kwonlyargs:
        raise Unmapped(f"{function.name} takes arguments by * or by name")
    given = [*at.posonlyargs, *at.args]
    for case in program.cases:
        if not len(given) - len(at.defaults) <= len(case.input) <= len(given):
            raise Unmapped(f"{function.name} takes {len(given)} arguments, not {len(case.input)}")
    width = max((len(case.input) for case in program.cases), default=len(given))
    columns = [[c.input[k] for c in program.cases if k < len(c.input)] for k in range(width)]
    if any(len(column) < len(program.cases) for column in columns):
        raise Unmapped("some cases leave out arguments that others give")
    return Signature(
        name=function.name,
        parameters=tuple(
            (arg.arg, _kind(arg.annotation, column))
            for arg, column in zip(given[:width], columns, strict=True)
        ),
        returns=_kind(function.returns, [c.expected for c in program.cases if not must_fail(c)]),
        may_fail=any(map(must_fail, program.cases)) if fallible is None else fallible,
    )


def _entry(program: Program) -> ast.FunctionDef | None:
    body = parsed(program.python, where=program.origin).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    if not functions:
        return None
    named = [f for f in functions if f.name == program.id.rpartition("/")[2]]
    return (named or functions)[-1]


def _script(cases: Sequence[Case]) -> Signature:
    if any(case.input or not isinstance(case.expected, str) for case in cases):
        raise Unmapped(
            "there is no function to call, and a script has no arguments and prints text"
        )
    return Signature(name=SCRIPT, parameters=(), returns=TEXT, may_fail=False)


def _kind(annotation: ast.expr | None, values: Sequence[Any]) -> Kind:
    said = of_annotation(annotation)
    found = reduce(joined, map(of_value, values), UNKNOWN)
    return joined(said, found)
