"""What is known while a function is translated, and what there is no rule for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from ..cases.kinds import Kind


class NoRule(Exception):  # noqa: N818  (it is no mistake of anybody's)
    """There is no rule for this construct; the text names it and its line."""


def no_rule(node: ast.AST, what: str = "") -> NoRule:
    """Return that there is no rule for a node."""
    line = getattr(node, "lineno", 0)
    return NoRule(f"line {line}: {what or type(node).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of the program: what it takes and returns, and whether it returns a ``Result``."""

    name: str
    parameters: tuple[tuple[str, Kind], ...]
    returns: Kind
    may_fail: bool = False


@dataclass(slots=True, kw_only=True)
class Scope:
    """The variables of a function, with their types; the functions of the program."""

    functions: dict[str, Function]
    inside: Function | None
    """None in a script."""

    kinds: dict[str, Kind] = field(default_factory=dict)
