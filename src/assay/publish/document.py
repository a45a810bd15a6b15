"""A report before it is Markdown or a page: a few kinds of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..core.metric import Estimate, Metric
from .drawing import Drawing
from .words import Scale, halves, label, scale_of


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text with a look."""

    text: str
    kind: str = "plain"
    """``plain``, ``number``, ``code``, ``muted``, ``name``, ``cell`` (a number with its interval
    below it), ``missing`` (a number that was not measured, and why), ``right``, ``miss``, ``quiet``, or where a system stands."""

    href: str = ""
    """``#...`` on the page (left out in Markdown), or a relative path."""

    title: str = ""
    note: str = ""
    """Small print behind the text."""

    flag: str = ""
    """A warning beside it."""

    ends: tuple[float, float, float] | None = None
    """Value, low and high of a share, drawn as a small interval."""


Inline: TypeAlias = "str | Span | tuple[str | Span, ...]"


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph."""

    text: Inline
    kind: str = ""
    """``note`` for small print, ``warning`` for what the numbers have to be read with."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: tuple[Inline, ...]
    kind: str = ""
    """``group`` for a line that names the rows below it, ``control``, ``chosen``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; its first column names the row."""

    says: str
    """What it shows: the caption."""

    header: tuple[Inline, ...]
    rows: tuple[Row, ...]
    kind: str = ""
    """``matrix`` for one with headings on both sides."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure."""

    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    pairs: tuple[tuple[str, Inline], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to ship on one task."""

    task: str
    system: str | None
    headline: str
    """The sentence, without what would change it."""

    figures: tuple[tuple[str, Span], ...]
    because: str
    sure: tuple[str, ...] = ()
    """How sure it is, in short sentences."""

    saves: str = ""
    change: tuple[tuple[str, str], ...] = ()
    """What would change it, and a command that would tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One finding."""

    id: str
    status: str
    says: str
    asks: str
    found: Span
    decides: str
    speaks_of: str
    method: str
    notes: tuple[str, ...] = ()
    exploratory: bool = False


@dataclass(frozen=True, slots=True)
class Cards:
    """Findings."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """What came of one system's replies."""

    system: Inline
    parts: tuple[tuple[str, int, str], ...]
    """Outcome, count, link."""

    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What came of the replies of every system."""

    says: str
    outcomes: tuple[str, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Browser:
    """Every sample with what each system said; on the page only."""

    data: tuple[str, ...]
    """JSON per task."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks behind a line that opens them."""

    title: Inline
    blocks: tuple[Block, ...]
    is_open: bool = False
    group: str = ""
    """Of the folds of one group, one is open at a time."""


Block: TypeAlias = (
    "Para | Items | Table | Figure | Facts | Verdict | Cards | Bars | Browser | Fold | Section"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same as plain values, for a report in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report, before it is Markdown or a page."""

    title: str
    says: str
    line: Inline
    """Which run, in one line."""

    sections: tuple[Section, ...] = ()
    foot: Inline = (
        "Made by assay from sealed records. ",
        Span("assay verify", "code"),
        " computes every number on this page again.",
    )


def cell(estimate: Estimate, *, href: str = "", flag: str = "", scale: Scale | None = None) -> Span:
    """Return a number as a table holds it."""
    main, rest = halves(estimate, scale)
    ends = None
    low, high, value = estimate.low, estimate.high, estimate.value
    if value is not None and low is not None and high is not None and 0 <= low <= high <= 1:
        ends = (value, low, high) if (scale or scale_of(estimate.metric)) is Scale.PLAIN else None
    if value is None:
        return Span(main, "missing", note=rest)
    return Span(main, "cell", href, note=rest, ends=ends, flag=flag)


def heading(metric: Metric | None, name: str) -> Span:
    """Return the head of a metric's column."""
    says = metric.says if metric else ""
    return Span(label(name), "plain", title=says, note=name if label(name) != name else "")
