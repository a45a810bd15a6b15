"""Badges: a number of a model, with its interval, as a small picture that stands alone.

Covered: markup in names, text without end, text that hides or turns around; a badge has no script, no
link and no font of its own.  Not covered: a badge that somebody copied beside another model.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from ..hostile import visible
from .rows import Row
from .spelling import is_measured, spell_cell

MEASURED = "#1f5fa8"
QUIET = "#5f6368"
"""Of what was not measured.  Colours say whether there is a number, never whether it is good."""

LABEL = "#33383d"
LONGEST = 60
"""Characters of either half; what is longer is cut."""

_SIZE, _HEIGHT, _PAD = 11, 20, 6
_WIDTHS = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 "
    "636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 "
    "603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 "
    "634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838"
)
_ADVANCE = dict(zip(map(chr, range(32, 127)), map(int, _WIDTHS.split()), strict=True))
"""Thousandths of the font's size, of DejaVu Sans, whose letters are as wide as Verdana's."""


def badge(label: str, value: str, *, title: str, colour: str = MEASURED) -> str:
    """Return an SVG with a label and a value, each any text.

    Its width depends on the text alone, and the text is fitted to it, whatever font the reader has.
    ``title`` is what a screen reader says.  Equal texts give equal bytes.

    >>> made = badge("right", "0.61 [0.55, 0.67]", title="<m>: 0.61")
    >>> made.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="143" height="20"')
    True
    >>> "&lt;m&gt;: 0.61" in made and "<m>" not in made
    True
    """
    left, right = _fitted(label), _fitted(value)
    split, rest = _width(left) + 2 * _PAD, _width(right) + 2 * _PAD
    whole = split + rest
    said = _escaped(visible(" ".join(title.split()), 4 * LONGEST))
    end = whole - 3
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" '
        f'viewBox="0 0 {whole} {_HEIGHT}" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<path fill="{LABEL}" d="M3 0h{split - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z"/>'
        f'<path fill="{colour}" d="M{split} 0h{end - split}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{split}z"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="{_SIZE}" '
        f'text-rendering="geometricPrecision">'
        f"{_text(left, _PAD)}{_text(right, split + _PAD)}"
        "</g></svg>\n"
    )


def badge_of(row: Row, column: Mapping[str, Any]) -> str:
    """Return the badge of a row's number; grey, *not measured*, where there is none."""
    cell = row.cells.get(column["id"])
    value = spell_cell(cell, column)
    n = f", n={cell['n']}" if cell is not None and is_measured(cell) and cell.get("n") else ""
    label = f"{column['label']} | {column['task']}" if column.get("task") else str(column["label"])
    title = f"{row.label}, {row.system}: {label}: {value}{n}; assay run {row.run[:16]}"
    return badge(label, value, title=title, colour=MEASURED if n or is_measured(cell) else QUIET)


def _fitted(text: str) -> str:
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _width(text: str) -> int:
    """Return the width of a text in pixels, rounded up."""
    return max(1, -(-sum(map(_advance, text)) * _SIZE // 1000))


def _advance(char: str) -> int:
    if char in _ADVANCE:
        return _ADVANCE[char]
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 1000 if unicodedata.east_asian_width(char) in "WF" else 700


def _text(text: str, x: int) -> str:
    return (
        f'<text x="{x}" y="14" textLength="{_width(text)}" lengthAdjust="spacingAndGlyphs" '
        f'xml:space="preserve">{_escaped(text)}</text>'
    )


def _escaped(text: str) -> str:
    return escape(text, {'"': "&quot;"})
