"""What a command has to say: lines for people, facts for programs, an exit status."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from ..visible import plain


class Style(StrEnum):
    """How a piece of text looks where colour is wanted; the value is its ANSI code."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    BAD = "31"
    GOOD = "32"
    UNSURE = "33"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line with a style."""

    text: str
    style: Style = Style.PLAIN


Line: TypeAlias = "str | Span | tuple[str | Span, ...]"
"""Text of any origin: whatever it holds is made safe when it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a command returns.  ``--json`` prints the facts, nothing else prints both."""

    lines: Sequence[Line]
    facts: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0
    """Exit status: 1 when a command that judges says no."""


def to_page(result: object) -> Page | None:
    """Return what a command returned as a page; None for what is none.

    A plugin's page is anything with ``lines`` and ``facts`` (and ``code``): it need not import this
    module.  Its lines are texts, or sequences of cells; cells of lines that follow each other stand
    in columns.

    >>> class Plugged:
    ...     lines, facts, code = ["Trained", ("right", "0.9")], {"right": 0.9}, 1
    >>> page = to_page(Plugged())
    >>> page.lines, page.code
    (['Trained', ('  ', 'right', '  ', '0.9')], 1)
    """
    if isinstance(result, Page):
        return result
    lines, facts = getattr(result, "lines", None), getattr(result, "facts", None)
    if lines is None or facts is None:
        return None
    shown: list[Line] = []
    rows: list[Sequence[str]] = []
    for line in (*lines, ""):
        if isinstance(line, str):
            shown += [*columns(rows), line]
            rows = []
        else:
            rows.append(line)
    return Page(lines=shown[:-1], facts=facts, code=getattr(result, "code", 0))


def strong(text: str) -> Span:
    """Return text that stands out."""
    return Span(text, Style.STRONG)


def faint(text: str) -> Span:
    """Return text that stands back."""
    return Span(text, Style.FAINT)


def columns(rows: Iterable[Sequence[str | Span]], *, indent: int = 2) -> list[Line]:
    """Return rows as lines whose cells stand below each other.

    >>> columns([("a", "bb"), ("ccc", "d")])
    [('  ', 'a  ', '  ', 'bb'), ('  ', 'ccc', '  ', 'd')]
    """
    table = [tuple(row) for row in rows]
    count = max((len(row) for row in table), default=0)
    widths = [
        max((width(_text(row[i])) for row in table if i < len(row)), default=0)
        for i in range(count)
    ]
    lines: list[Line] = []
    for row in table:
        pieces: list[str | Span] = [" " * indent]
        for place, cell in enumerate(row):
            last = place == len(row) - 1
            pieces.append(cell if last else _padded(cell, widths[place]))
            if not last:
                pieces.append("  ")
        lines.append(tuple(pieces))
    return lines


def width(text: str) -> int:
    r"""Return how many columns of a terminal a text takes, once it is safe.

    >>> width("データ"), width("e\u0301"), width("\x1b")
    (6, 1, 4)
    """
    return sum(_width(char) for char in plain(text))


def _width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _text(cell: str | Span) -> str:
    return cell.text if isinstance(cell, Span) else cell


def _padded(cell: str | Span, to: int) -> str | Span:
    text = _text(cell)
    filled = text + " " * (to - width(text))
    return Span(filled, cell.style) if isinstance(cell, Span) else filled
