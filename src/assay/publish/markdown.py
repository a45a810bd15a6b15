"""How a document reads as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import assert_never
from urllib.parse import quote

from .document import (
    Bar,
    Bars,
    Block,
    Browser,
    Card,
    Cards,
    Document,
    Facts,
    Figure,
    Fold,
    Inline,
    Items,
    Para,
    Section,
    Span,
    Table,
    Verdict,
)
from .hostile import safe_markdown, visible

_ENDS = re.compile(r"\\\[([-+\d.,$\\µsminxwthoulbe% ]*)\\\](?!\()")


def render(document: Document) -> str:
    r"""Return a document as Markdown.

    >>> print(render(Document(title="a|b", says="", line="run 1")), end="")
    # a\|b
    <BLANKLINE>
    run 1
    """
    parts = [f"# {safe_markdown(document.title)}"]
    if document.says:
        parts.append(f"> {safe_markdown(document.says)}")
    parts.append(_inline(document.line))
    for section in document.sections:
        parts += _block(section, 2)
    return "\n\n".join(part for part in parts if part) + "\n"


def code(text: str) -> str:
    r"""Return text as a Markdown code span: nothing in it is markup, a link or a mention.

    >>> code("a`|b")
    '``a`\\|b``'
    """
    shown = " ".join(visible(text).split()).replace("|", "\\|")
    if not shown:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _block(block: Block, level: int) -> list[str]:
    match block:
        case Section():
            inner = [p for b in block.blocks for p in _block(b, level + 1)]
            return [f"{'#' * level} {safe_markdown(block.title)}", *inner]
        case Fold():
            inner = [p for b in block.blocks for p in _block(b, level + 1)]
            return [f"**{_inline(block.title)}**", *inner]
        case Para():
            return [_inline(block.text)]
        case Items():
            return ["\n".join(f"- {_inline(item)}" for item in block.items)]
        case Table():
            return [_table(block.header, [row.cells for row in block.rows]), _small(block.says)]
        case Figure(drawing):
            return [f"![{safe_markdown(drawing.says)}]({quote(drawing.file)})"]
        case Facts():
            return ["\n".join(f"- {safe_markdown(k)}: {_inline(v)}" for k, v in block.pairs)]
        case Verdict():
            return _verdict(block)
        case Cards():
            return [part for card in block.cards for part in _card(card, level)]
        case Bars():
            rows = [
                (bar.system, *(_count(bar, outcome) for outcome in block.outcomes))
                for bar in block.bars
            ]
            return [_table(("system", *block.outcomes), rows), _small(block.says)]
        case Browser():
            return ["Every sample, with what each system said, stands in `report.html`."]
        case _:
            assert_never(block)


def _count(bar: Bar, outcome: str) -> Span:
    return Span(next((f"{n:,}" for o, n, _ in bar.parts if o == outcome), "0"), "number")


def _verdict(block: Verdict) -> list[str]:
    parts = [f"**{safe_markdown(block.headline)}**"]
    if block.figures:
        facts = (f"- {safe_markdown(name)}: {_inline(span)}" for name, span in block.figures)
        parts.append("\n".join(facts))
    parts += [f"Why: {safe_markdown(block.because)}."] if block.because else []
    if block.sure:
        lines = "\n".join(f"- {safe_number(line)}" for line in block.sure)
        parts.append(f"How sure:\n\n{lines}")
    parts += [f"What it saves: {safe_number(block.saves)}"] if block.saves else []
    if block.change:
        changes = "\n".join(
            f"- {safe_markdown(says)}" + (f": {code(command)}" if command else "")
            for says, command in block.change
        )
        parts.append(f"What would change our mind:\n\n{changes}")
    return parts


def _card(card: Card, level: int) -> list[str]:
    lines = [
        f"asked: {safe_markdown(card.asks)}",
        f"found: {_inline(card.found)}",
        f"speaks of: {safe_markdown(card.speaks_of)}",
        f"method: {safe_markdown(card.method)}",
    ]
    lines += [safe_markdown(card.decides)] if card.decides else []
    lines += ["added after the run was sealed (exploratory)"] if card.exploratory else []
    lines += [f"note: {safe_markdown(note)}" for note in card.notes]
    return [
        f"{'#' * level} {safe_markdown(card.id)}: {card.status}",
        f"> {safe_markdown(card.says)}",
        "\n".join(f"- {line}" for line in lines),
    ]


def _table(header: Sequence[Inline], rows: Iterable[Sequence[Inline]]) -> str:
    lines = [_line(header), "|" + "---|" * len(header)]
    lines += [_line([*row, *([""] * (len(header) - len(row)))]) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[Inline]) -> str:
    return "| " + " | ".join(_inline(cell) for cell in cells) + " |"


def _small(text: str) -> str:
    return f"*{safe_markdown(text)}*" if text else ""


def _inline(text: Inline) -> str:
    match text:
        case str():
            return safe_markdown(text)
        case Span():
            return _span(text)
        case _:
            return "".join(_joined(part) for part in text)


def _joined(part: str | Span) -> str:
    if isinstance(part, Span):
        return _span(part)
    # Within a sentence the spaces around a piece of it are its own.
    before, after = (" " if part[at : at + 1].isspace() else "" for at in (0, len(part) - 1))
    return f"{before}{safe_markdown(part)}{after}"


def _span(span: Span) -> str:
    match span.kind:
        case "code":
            shown = code(span.text)
        case "number" | "cell" | "missing":
            gap = "" if span.note.startswith(":") else " "  # 0 of 20: at most ...
            shown = safe_number(f"{span.text}{gap}{span.note}".strip())
        case _:
            shown = safe_markdown(span.text)
    if span.flag:
        shown += f" ({safe_markdown(span.flag)})"
    if span.note and span.kind not in ("number", "cell", "missing"):
        shown += f" ({safe_markdown(span.note)})"
    if span.href and not span.href.startswith("#"):
        return f"[{shown}]({span.href})"
    return shown


def safe_number(text: str) -> str:
    """Return a number as Markdown, its interval in readable brackets.

    >>> safe_number("0.92 [0.88, 0.95] n=400x5")
    '0.92 [0.88, 0.95] n=400x5'
    """
    return _ENDS.sub(r"[\1]", safe_markdown(text))
