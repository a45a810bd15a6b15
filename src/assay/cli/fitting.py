"""Tables that fit a terminal: cells are folded between words, and what many cells say is said once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from .page import Line, Span, columns, faint, width
from .terminal import screen

Rows: TypeAlias = "list[tuple[str | Span, ...]]"

CENSUS = " (these questions only)"
INDENT = 2
GAP = 2
PIECE = re.compile(r"\[[^\]]*\],?|\S+(?: (?:[µm]?s\*?|min\*?|%)(?=[ ,]|$),?)?")
"""What stays on one line: an interval, a number with its unit, a word."""


def table(rows: Rows, *, wide: int | None = None) -> list[Line]:
    """Return rows as lines, the first of them the head; folded where the terminal is narrower.

    Args:
        rows: Cells; a row may be shorter than the others.
        wide: Columns of the terminal; without it those of standard output.  Where that is none,
            nothing is folded, so that a row remains a line for other programs.

    >>> for line in table([("", "right"), ("votes", "0.87 [0.83, 0.91]")], wide=22):
    ...     print("".join(line))
             right
      votes  0.87
             [0.83, 0.91]
    """
    room = screen() if wide is None else wide
    count = max((len(row) for row in rows), default=0)
    full = [_widest(rows, i, pieces=False) for i in range(count)]
    if room is None or _sum(full) <= room:
        return columns(rows)
    least = [_widest(rows, i, pieces=True) for i in range(count)]
    while _sum(full) > room:
        able = [i for i in range(count) if full[i] > least[i]]
        if not able:
            break
        full[max(able, key=lambda i: full[i])] -= 1
    folded: Rows = []
    for row in rows:
        cells = [_fold(cell, full[i]) for i, cell in enumerate(row)]
        for at in range(max(map(len, cells), default=0)):
            folded.append(tuple(cell[at] if at < len(cell) else "" for cell in cells))
    return columns(folded)


def starred(rows: Rows) -> tuple[Rows, list[Line]]:
    """Return rows with a star for "these questions only", and the line that explains the star.

    >>> rows, told = starred([("votes", "13.9 ms (these questions only)")])
    >>> rows, told[0].text
    ([('votes', '13.9 ms*')], '* these questions only: no interval')
    """
    found = any(CENSUS in _text(cell) for row in rows for cell in row)
    short: Rows = [
        tuple(_with(cell, _text(cell).replace(CENSUS, "*")) for cell in row) for row in rows
    ]
    return short, [faint("* these questions only: no interval")] if found else []


def _sum(widths: Sequence[int]) -> int:
    return INDENT + sum(widths) + GAP * (len(widths) - 1)


def _widest(rows: Rows, place: int, *, pieces: bool) -> int:
    texts = [_text(row[place]) for row in rows if place < len(row)]
    if pieces:
        texts = [piece for text in texts for piece in PIECE.findall(text)]
    return max(map(width, texts), default=0)


def _fold(cell: str | Span, to: int) -> list[str | Span]:
    lines: list[str] = []
    for piece in PIECE.findall(_text(cell)):
        if lines and width(lines[-1]) + 1 + width(piece) <= to:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return [_with(cell, line) for line in lines or [""]]


def _with(cell: str | Span, text: str) -> str | Span:
    return Span(text, cell.style) if isinstance(cell, Span) else text


def _text(cell: str | Span) -> str:
    return cell.text if isinstance(cell, Span) else cell
