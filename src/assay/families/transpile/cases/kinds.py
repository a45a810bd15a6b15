"""What type a value has in both languages: read from annotations, found in values, joined where they differ."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

LARGEST = 2**63 - 1
"""Of an ``i64``."""


class Unmapped(Exception):  # noqa: N818  (it is no mistake of anybody's)
    """There is no Rust for this; the text says why."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A type without parts: ``int``, ``float``, ``bool``, ``str`` or ``None``."""

    name: str


@dataclass(frozen=True, slots=True)
class Seq:
    """A list of any length: ``Vec``."""

    of: Kind


@dataclass(frozen=True, slots=True)
class Group:
    """A set: ``HashSet``."""

    of: Kind


@dataclass(frozen=True, slots=True)
class Tuple:
    """Values of fixed number and type."""

    of: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value, or None: ``Option``."""

    of: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary: ``HashMap``."""

    key: Kind
    value: Kind


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known: the element of an empty list."""


Kind: TypeAlias = Plain | Seq | Group | Tuple | Maybe | Table | Unknown

INT, FLOAT, BOOL, TEXT, NOTHING = map(Plain, ("int", "float", "bool", "str", "None"))
UNKNOWN: Kind = Unknown()
HASHABLE = (INT, BOOL, TEXT)
_PLAIN = {kind.name: kind for kind in (INT, FLOAT, BOOL, TEXT, NOTHING)}
_LISTS = {"list", "List", "Sequence", "Iterable", "Collection"}
_TABLES = {"dict", "Dict", "Mapping", "DefaultDict", "defaultdict", "Counter"}
_GROUPS = {"set", "Set", "frozenset", "FrozenSet"}
_BARE: Mapping[str, Kind] = {
    **_PLAIN,
    **dict.fromkeys(_LISTS, Seq(UNKNOWN)),
    **dict.fromkeys(_TABLES, Table(UNKNOWN, UNKNOWN)),
    **dict.fromkeys(_GROUPS, Group(UNKNOWN)),
}


def of_annotation(node: ast.expr | None) -> Kind:
    """Return what a Python annotation says; ``Unknown`` where it says nothing that we read.

    >>> of_annotation(ast.parse("dict[str, list[int] | None]", mode="eval").body)
    Table(key=Plain(name='str'), value=Maybe(of=Seq(of=Plain(name='int'))))
    """
    match node:
        case ast.Constant(value=None):
            return NOTHING
        case ast.Constant(value=str(text)):
            try:
                return of_annotation(ast.parse(text, mode="eval").body)
            except SyntaxError:
                return UNKNOWN
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _BARE.get(name, UNKNOWN)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return joined(of_annotation(left), of_annotation(right))
        case ast.Subscript(value=value, slice=inside):
            name = getattr(value, "id", getattr(value, "attr", ""))
            parts = list(inside.elts) if isinstance(inside, ast.Tuple) else [inside]
            return _generic(name, parts)
    return UNKNOWN


def _generic(name: str, parts: Sequence[ast.expr]) -> Kind:
    kinds = [of_annotation(part) for part in parts]
    match name, kinds:
        case "Optional", [one]:
            return joined(one, NOTHING)
        case "Union", _:
            return reduce(joined, kinds)
        case "tuple" | "Tuple", _ if kinds:
            last = parts[-1]
            if isinstance(last, ast.Constant) and last.value is ...:
                return Seq(kinds[0])
            return Tuple(tuple(kinds))
        case _, [one] if name in _LISTS:
            return Seq(one)
        case _, [one] if name in _GROUPS:
            return Group(one)
        case "Counter", [one]:
            return Table(one, INT)
        case _, [key, value] if name in _TABLES:
            return Table(key, value)
    return UNKNOWN


def of_value(value: Any) -> Kind:
    """Return the type of a JSON value.

    Raises ``Unmapped`` for a list of values that have no type in common, and for an integer that is
    too large.

    >>> of_value([1, None, 3])
    Seq(of=Maybe(of=Plain(name='int')))
    """
    match value:
        case None:
            return NOTHING
        case bool():
            return BOOL
        case int():
            if not -LARGEST - 1 <= value <= LARGEST:
                raise Unmapped(f"{value} does not fit into 64 bits")
            return INT
        case float():
            return FLOAT
        case str():
            return TEXT
        case list():
            return _of_list([of_value(each) for each in value])
        case dict():
            kinds = [of_value(each) for each in value.values()]
            return Table(TEXT, reduce(joined, kinds, UNKNOWN))
    raise Unmapped(f"{type(value).__name__} is no JSON")


def _of_list(kinds: Sequence[Kind]) -> Kind:
    try:
        return Seq(reduce(joined, kinds, UNKNOWN))
    except Unmapped:
        return Tuple(tuple(kinds))


def joined(one: Kind, other: Kind) -> Kind:
    """Return the narrowest type that holds what two types hold.

    Raises ``Unmapped`` where there is none in Rust without an ``enum``.

    >>> joined(INT, FLOAT).name, joined(Seq(UNKNOWN), Seq(TEXT))
    ('float', Seq(of=Plain(name='str')))
    """
    match one, other:
        case _ if one == other:
            return one
        case (Unknown(), known) | (known, Unknown()):
            return known
        case (Maybe() | Plain("None"), _) | (_, Maybe() | Plain("None")):
            return Maybe(joined(_present(one), _present(other)))
        case (Plain(a), Plain(b)) if {a, b} == {"int", "float"}:
            return FLOAT
        case (Seq(a), Seq(b)):
            return Seq(joined(a, b))
        case (Group(a), Group(b) | Seq(b)) | (Seq(a), Group(b)):
            return Group(joined(a, b))
        case (Tuple(a), Tuple(b)) if len(a) == len(b):
            return Tuple(tuple(map(joined, a, b)))
        case (Tuple(a), Seq(b)) | (Seq(b), Tuple(a)):
            return Tuple(tuple(joined(each, b) for each in a))
        case (Table(a, b), Table(c, d)):
            return Table(_keys(a, c), joined(b, d))
    raise Unmapped(f"{named(one)} and {named(other)} have no type in common")


def _present(kind: Kind) -> Kind:
    """Return what a value is when it is there."""
    if kind == NOTHING:
        return UNKNOWN
    return kind.of if isinstance(kind, Maybe) else kind


def _keys(one: Kind, other: Kind) -> Kind:
    """Join keys: JSON has only text, so an annotation that says int means it."""
    if {one, other} == {INT, TEXT}:
        return INT
    return joined(one, other)


def named(kind: Kind) -> str:
    """Return a type as Python writes it."""
    match kind:
        case Plain(name):
            return name
        case Seq(of):
            return f"list[{named(of)}]"
        case Group(of):
            return f"set[{named(of)}]"
        case Tuple(of):
            return f"tuple[{', '.join(map(named, of))}]"
        case Maybe(of):
            return f"{named(of)} | None"
        case Table(key, value):
            return f"dict[{named(key)}, {named(value)}]"
        case Unknown():
            return "anything"
