"""Types and values as Rust writes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf, isnan
from typing import Any

from .kinds import (
    BOOL,
    FLOAT,
    HASHABLE,
    INT,
    TEXT,
    Group,
    Kind,
    Maybe,
    Plain,
    Seq,
    Table,
    Tuple,
    Unknown,
    Unmapped,
    named,
    of_value,
)

_PLAIN = {"int": "i64", "float": "f64", "bool": "bool", "str": "String", "None": "()"}
MAP, SET = "std::collections::HashMap", "std::collections::HashSet"

KEYWORDS = frozenset(
    [
        "as",
        "async",
        "await",
        "break",
        "const",
        "continue",
        "dyn",
        "else",
        "enum",
        "extern",
        "false",
        "fn",
        "for",
        "if",
        "impl",
        "in",
        "let",
        "loop",
        "match",
        "mod",
        "move",
        "mut",
        "pub",
        "ref",
        "return",
        "static",
        "struct",
        "trait",
        "true",
        "type",
        "unsafe",
        "use",
        "where",
        "while",
        "abstract",
        "become",
        "box",
        "do",
        "final",
        "macro",
        "override",
        "priv",
        "try",
        "typeof",
        "unsized",
        "virtual",
        "yield",
        "gen",
    ]
)
"""What a function must not be called without ``r#`` before it.  ``self``, ``super``, ``crate`` cannot be
called even so."""


def type_of(kind: Kind) -> str:
    """Return the owned Rust type.

    Raises ``Unmapped`` for keys that have no order of bits (floats, lists).

    >>> type_of(Maybe(Seq(INT)))
    'Option<Vec<i64>>'
    """
    match kind:
        case Plain(name):
            return _PLAIN[name]
        case Seq(of):
            return f"Vec<{type_of(of)}>"
        case Group(of):
            return f"{SET}<{type_of(_hashable(of))}>"
        case Tuple(of):
            return f"({', '.join(map(type_of, of))}{',' if len(of) == 1 else ''})"
        case Maybe(of):
            return f"Option<{type_of(of)}>"
        case Table(key, value):
            return f"{MAP}<{type_of(_hashable(key))}, {type_of(value)}>"
        case Unknown():
            return "i64"  # of an empty list: nothing in it could be of another type


def parameter_of(kind: Kind) -> str:
    """Return the type as a parameter has it: texts, lists and tables are borrowed.

    >>> parameter_of(Seq(TEXT)), parameter_of(TEXT), parameter_of(INT)
    ('&[String]', '&str', 'i64')
    """
    match kind:
        case Plain("str"):
            return "&str"
        case Seq(of):
            return f"&[{type_of(of)}]"
        case Table() | Group():
            return f"&{type_of(kind)}"
    return type_of(kind)


def argument(value: Any, kind: Kind) -> str:
    """Return a JSON value as an argument of the type that ``parameter_of`` gives."""
    match kind:
        case Plain("str"):
            return text(_a(str, value, kind))
        case Seq() | Table() | Group():
            return f"&{literal(value, kind)}"
    return literal(value, kind)


def literal(value: Any, kind: Kind) -> str:
    """Return a JSON value as an expression of the owned type.

    Raises ``Unmapped`` for a value that is not of the type.

    >>> literal([1, 2.5], Seq(FLOAT))
    'vec![1.0f64, 2.5f64]'
    """
    match kind:
        case Plain():
            return _plain(value, kind)
        case Maybe(of):
            return "None" if value is None else f"Some({literal(value, of)})"
        case Seq(of):
            return f"vec![{_all(_a(list, value, kind), of)}]"
        case Group(of):
            return f"{SET}::from([{_all(_a(list, value, kind), of)}])"
        case Tuple(of):
            if len(_a(list, value, kind)) != len(of):
                raise Unmapped(f"{len(value)} values are no {named(kind)}")
            inside = ", ".join(map(literal, value, of))
            return f"({inside}{',' if len(of) == 1 else ''})"
        case Table(key, of):
            pairs = _a(dict, value, kind).items()
            inside = ", ".join(f"({_key(k, key)}, {literal(v, of)})" for k, v in pairs)
            return f"{MAP}::from([{inside}])"
        case Unknown():
            raise Unmapped(f"nothing says which type {value!r} has")


def _plain(value: Any, kind: Plain) -> str:
    match kind.name:
        case "int":
            number = _a(int, value, kind)
            of_value(number)  # says whether it fits
            return "i64::MIN" if number == -(2**63) else _signed(f"{number}i64")
        case "float":
            return _float(float(_a((int, float), value, kind)))
        case "bool":
            return "true" if _a(bool, value, kind) else "false"
        case "str":
            return f"String::from({text(_a(str, value, kind))})"
    _a(type(None), value, kind)
    return "()"


def text(value: str) -> str:
    r"""Return a text as a Rust string literal, in ASCII.

    >>> print(text('a "b" é'))
    "a \"b\" \u{e9}"
    """
    plain = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(plain.get(c) or (c if " " <= c <= "~" else _code(c)) for c in value) + '"'


def name_of(name: str) -> str:
    """Return a Python name as Rust calls it: ``_`` is a variable in Python."""
    if name == "_":
        return "underscore_"
    return f"r#{name}" if name in KEYWORDS else name


def _code(character: str) -> str:
    if 0xD800 <= ord(character) <= 0xDFFF:
        raise Unmapped("half a character (a lone surrogate) is no text in Rust")
    return f"\\u{{{ord(character):x}}}"


def _float(number: float) -> str:
    if isnan(number):
        return "f64::NAN"
    if isinf(number):
        return "f64::INFINITY" if number > 0 else "f64::NEG_INFINITY"
    return _signed(f"{number!r}f64")


def _signed(number: str) -> str:
    return f"({number})" if number.startswith("-") else number


def _all(values: Sequence[Any], kind: Kind) -> str:
    return ", ".join(literal(value, kind) for value in values)


def _key(key: str, kind: Kind) -> str:
    if kind == INT:
        try:
            return literal(int(key), INT)
        except ValueError:
            raise Unmapped(f"the key {key!r} is no int") from None
    if kind == BOOL:
        raise Unmapped("JSON has no keys that are true or false")
    return literal(key, kind)


def _hashable(kind: Kind) -> Kind:
    if isinstance(kind, Unknown):
        return TEXT
    inside = kind.of if isinstance(kind, Tuple) else (kind,)
    if FLOAT in inside or not all(each in HASHABLE for each in inside):
        raise Unmapped(f"{named(kind)} cannot be a key in Rust")
    return kind


def _a(wanted: type | tuple[type, ...], value: Any, kind: Kind) -> Any:
    """Return a value if it is of a Python type; a bool is no int."""
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise Unmapped(f"{value!r} is no {named(kind)}")
    return value
