"""Wrong programs made of a right one: what tests must be able to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .reading import nodes, parse, text


class Fault(StrEnum):
    """How a mutant is wrong."""

    TODO = "todo!()"
    CONSTANT = "constant return"
    HARD_CODED = "hard-coded outputs"
    OFF_BY_ONE = "off by one"
    OPERATOR = "swapped operator"
    SIGN = "sign"


SWAPS = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "==": "!=", "!=": "==", "<": ">", ">": "<",
    "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "*=": "+=",
}  # fmt: skip
EDGES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "..": "..=", "..=": ".."}
_DECIMAL = re.compile(r"([0-9]+)([iu](?:8|16|32|64|128|size))?")

MOST = 6
"""Mutants of a kind that are made of one program, spread evenly over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A program with one fault."""

    fault: Fault
    where: str
    """Line, and what became of what."""

    code: str


def mutants_of(code: str, function: str) -> list[Mutant]:
    """Return programs that differ from a right one in one place, or in one function altogether.

    ``function`` is the name of the one that tests call.  Operators and numbers are those of the whole
    program, outside of tests.  A mutant may compute the same as the program by chance (``x <= 0``
    beside ``x < 0`` where 0 is left alone): a kill rate of 1 is not always to be had.  Raises
    ``PluginError`` A401 without the extra ``rust``.

    >>> found = mutants_of("pub fn half(x: i64) -> i64 { x / 2 }", "half")
    >>> [(mutant.fault.value, mutant.where) for mutant in found]
    [('todo!()', 'half'), ('off by one', 'line 1: 2 becomes 3'), ('swapped operator', 'line 1: / becomes *'), ('sign', 'half')]
    """
    root = parse(code)
    data = code.encode()
    found = list(_whole(data, _function(root, function), function))
    edits = sorted(_edits(root), key=lambda edit: edit.start)
    for fault in (Fault.OFF_BY_ONE, Fault.OPERATOR):
        found += [_edited(data, edit) for edit in _spread([e for e in edits if e.fault is fault])]
    order = list(Fault)
    return sorted(found, key=lambda mutant: order.index(mutant.fault))


def with_body(code: str, function: str, body: str) -> str | None:
    """Return a program with another body of a function; None where there is no such function."""
    node = _function(parse(code), function)
    if node is None:
        return None
    at = node.child_by_field_name("body")
    data = code.encode()
    return (data[: at.start_byte] + body.encode() + data[at.end_byte :]).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    fault: Fault
    start: int
    end: int
    line: int
    old: str
    new: str


def _function(root: Any, name: str) -> Any:
    for node in root.children:
        if node.type == "function_item":
            found = text(node.child_by_field_name("name"))
            if found.removeprefix("r#") == name.removeprefix("r#"):
                return node
    return None


def _whole(data: bytes, node: Any, name: str) -> Iterator[Mutant]:
    """Yield the mutants that replace or wrap a function."""
    if node is None:
        return
    body = node.child_by_field_name("body")
    before, after = data[: body.start_byte], data[body.end_byte :]
    yield Mutant(fault=Fault.TODO, where=name, code=(before + b"{ todo!() }" + after).decode())
    returns = text(node.child_by_field_name("return_type"))
    if returns in {"i64", "f64"}:
        inside = data[body.start_byte : body.end_byte]
        # A closure, so that `return` in the body leaves only the body.
        negated = b"{ let got: " + returns.encode() + b" = (|| " + inside + b")(); -got }"
        yield Mutant(fault=Fault.SIGN, where=name, code=(before + negated + after).decode())


def _edits(root: Any) -> Iterator[_Edit]:
    for node in nodes(root):
        if _is_of_tests(node):
            continue
        if node.type == "integer_literal":
            if (number := _DECIMAL.fullmatch(text(node).replace("_", ""))) is not None:
                yield _edit(Fault.OFF_BY_ONE, node, f"{int(number[1]) + 1}{number[2] or ''}")
        elif node.parent is not None and node.parent.type in {
            "binary_expression", "compound_assignment_expr", "range_expression",
        }:  # fmt: skip
            operator = text(node)
            if operator in EDGES and node.parent.type != "compound_assignment_expr":
                yield _edit(Fault.OFF_BY_ONE, node, EDGES[operator])
            if operator in SWAPS:
                yield _edit(Fault.OPERATOR, node, SWAPS[operator])


def _is_of_tests(node: Any) -> bool:
    while (node := node.parent) is not None:
        if node.type == "mod_item" and text(node.child_by_field_name("name")) == "tests":
            return True
    return False


def _edit(fault: Fault, node: Any, new: str) -> _Edit:
    return _Edit(
        fault=fault,
        start=node.start_byte,
        end=node.end_byte,
        line=node.start_point[0] + 1,
        old=text(node),
        new=new,
    )


def _edited(data: bytes, edit: _Edit) -> Mutant:
    return Mutant(
        fault=edit.fault,
        where=f"line {edit.line}: {edit.old} becomes {edit.new}",
        code=(data[: edit.start] + edit.new.encode() + data[edit.end :]).decode(),
    )


def _spread(edits: Sequence[_Edit]) -> list[_Edit]:
    if len(edits) <= MOST:
        return list(edits)
    return [edits[k * len(edits) // MOST] for k in range(MOST)]
