"""``assay explain``: what an error code or a word means."""

from __future__ import annotations

import difflib
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from ..core.errors import CODES, PlanError
from .page import Line, Page, strong


@dataclass(frozen=True, slots=True)
class Entry:
    """A heading of ``explain.md`` with what stands below it."""

    title: str
    names: tuple[str, ...]
    paragraphs: tuple[str, ...]


def explain(*words: str) -> Page:
    """Explain an error code or a word of reports and plans.

    Args:
        words: A code such as A103, or a word such as holm, risk or design effect.  Without any,
            everything that can be explained is listed.
    """
    entries = read_entries()
    if not words:
        return _index(entries)
    asked = " ".join(words).strip()
    entry = entries.get(_key(asked))
    if entry is None:
        close = difflib.get_close_matches(_key(asked), entries, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, close))}?  " if close else ""
        raise PlanError(
            f"there is nothing about {asked!r}",
            hint=f"{hint}`assay explain` lists every code and word",
            code="A106",
        )
    return _page(entry)


def read_entries() -> Mapping[str, Entry]:
    """Return every entry by each of its names, in the order of the file."""
    text = (resources.files("assay.cli") / "explain.md").read_text("utf-8")
    found: dict[str, Entry] = {}
    for part in text.split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        names = tuple(name.strip() for name in heading.split(","))
        paragraphs = tuple(" ".join(p.split()) for p in body.strip().split("\n\n") if p.strip())
        line = CODES.get(names[0])
        title = f"{names[0]}: {line}" if line else heading
        for name in names:
            found[_key(name)] = Entry(title, names, paragraphs)
    return found


def _page(entry: Entry) -> Page:
    wide = min(shutil.get_terminal_size().columns, 92)
    lines: list[Line] = [strong(entry.title)]
    for paragraph in entry.paragraphs:
        lines += ["", *textwrap.wrap(paragraph, wide, break_long_words=False)]
    facts = {"title": entry.title, "names": list(entry.names), "text": list(entry.paragraphs)}
    return Page(lines=lines, facts=facts)


def _index(entries: Mapping[str, Entry]) -> Page:
    words = [e.names[0] for e in dict.fromkeys(entries.values()) if e.names[0] not in CODES]
    lines: list[Line] = [strong("Codes")]
    lines += [f"  {code}  {line}" for code, line in CODES.items()]
    lines += ["", strong("Words")]
    lines += [f"  {line}" for line in textwrap.wrap(", ".join(words), 88)]
    return Page(lines=lines, facts={"codes": dict(CODES), "words": words})


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())
