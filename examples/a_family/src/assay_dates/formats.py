"""``dates.formats``: a rule.  Two formats that can mean one thing only; anything else is declined."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assay import Answer, Bottom, Built, Needs, Question, Reply, Sample

from .phrases import MONTHS

NAMES = {m[:3].lower(): number for number, m in enumerate(MONTHS, 1)}
ISO = re.compile(r"\b(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)\b")
NAMED = re.compile(r"\b(?P<d>\d{1,2}) (?P<m>[A-Z][a-z]{2})[a-z]* (?P<y>\d{4})\b")


@dataclass(frozen=True, slots=True)
class Rule:
    """Reads ``2026-02-01`` and ``1 February 2026``."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question."""
        for question in questions:
            yield Reply(question.id, read(str(question.input)))


def read(text: str) -> Answer | Bottom:
    """Return the day that a text names in one of the two formats.

    >>> read("due 1 Feb 2026"), read("31 June 2026"), read("01/02/2026")
    (Answer(value='2026-02-01', confidence=None, scores={}), Bottom(reason='no_such_day', proposal=None), Bottom(reason='unknown_format', proposal=None))
    """
    found = ISO.search(text) or NAMED.search(text)
    if found is None:
        return Bottom("unknown_format")
    month = found["m"] if found["m"].isdigit() else NAMES.get(found["m"].lower(), 0)
    try:
        return Answer(date(int(found["y"]), int(month), int(found["d"])).isoformat())
    except ValueError:
        return Bottom("no_such_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The recipe of ``dates.formats``: nothing to learn, so the seed changes nothing."""

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the rule as it is."""
        return Built(system=Rule())
