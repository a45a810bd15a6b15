"""Texts with a label that says whether they are toxic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.lines import wrong

from .rows import Row, read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text."""

    text: str
    toxic: bool
    kind: str = ""
    """What it tests, where the set says so."""


def read_texts(path: Path) -> tuple[Text, ...]:
    """Return labelled texts: ``text`` and ``toxic`` (true or false), or the columns of two public sets.

    Davidson et al. 2017 (``text``, ``cls``): hate (0) and offensive language (1) are toxic, neither (2) is not.
    HateCheck (``test_case``, ``label_gold``, ``functionality``): hateful is toxic.

    Raises ``DataError`` A200 with the line of a row that cannot be used.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "texts.jsonl"
    ...     _ = file.write_text('{"text": "you are vermin", "toxic": true}')
    ...     read_texts(file)[0].toxic
    True
    """
    return tuple(map(_text, read_rows(path)))


def _text(row: Row) -> Text:
    match row.members:
        case {"toxic": _}:
            return Text(text=row.text("text"), toxic=row.truth("toxic"))
        case {"cls": 0 | 1 | 2 as kind}:
            return Text(text=row.text("text"), toxic=kind != 2)
        case {"label_gold": "hateful" | "non-hateful" as label}:
            return Text(
                text=row.text("test_case"),
                toxic=label == "hateful",
                kind=row.text("functionality"),
            )
        case _:
            raise wrong(row.path, row.line, "the row says not whether it is toxic",
                        "give text and toxic, true or false")  # fmt: skip
