"""A label found in free text, or not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assay import DataError

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LONGEST = 20_000
"""Characters of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was read in a text."""

    label: str | None
    why: str
    """How it was found, or why none was."""

    whole: bool = False
    """Whether the text is the label and nothing else."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a task, and how an answer in free text is one of them.

    Text and labels are compared word by word, in small letters, compatibility forms of Unicode made
    one.  A text that is a label, punctuation aside, is that label.  Otherwise it is the only label that
    occurs in it; a label inside of a longer one ("positive" in "very positive") does not count as
    occurring there.  With none, or with several, there is no label, and the answer is wrong.

    >>> labels = Labels.of(["positive", "negative"])
    >>> [labels.read(text).label for text in (" Positive.", "It is negative!", "positive or negative")]
    ['positive', 'negative', None]

    *Not to be trusted when* models deny a label ("not positive") or use it as an ordinary word: ask for
    the label alone, and look at ``exact_match``.
    """

    names: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...] = field(repr=False)
    longest: int = field(repr=False)

    @classmethod
    def of(cls, names: Iterable[str]) -> Labels:
        """Return the different labels, sorted.

        Raises ``DataError`` A200 for fewer than two, for one without a letter or sign, and for two
        that no text tells apart.
        """
        distinct = tuple(sorted(set(names)))
        if len(distinct) < 2:
            raise DataError(
                f"there is {len(distinct)} label", hint="give rows of at least two labels"
            )
        made = tuple(_tokens(name) for name in distinct)
        known: dict[tuple[str, ...], str] = {}
        for name, tokens in zip(distinct, made, strict=True):
            if not tokens:
                raise DataError(f"the label {name!r} has nothing to read", hint="write a word")
            if (other := known.setdefault(tokens, name)) != name:
                raise DataError(
                    f"no answer tells the labels {other!r} and {name!r} apart",
                    hint="write them alike, or as different words",
                )
        return cls(distinct, made, max(map(len, made)))

    def code(self, name: str) -> int:
        """Return the place of a label."""
        return self.names.index(name)

    def read(self, text: str) -> Found:
        """Return the label that a text is, or holds."""
        said = _tokens(text[:_LONGEST])
        for name, tokens in zip(self.names, self.tokens, strict=True):
            if said == tokens:
                return Found(name, "is the label", whole=True)
        found = self._occurring(said)
        match found:
            case [only] if _words(said) == _words(self.tokens[only]):
                return Found(self.names[only], "is the label, with punctuation", whole=True)
            case [only]:
                return Found(self.names[only], "is the only label that occurs")
            case []:
                return Found(None, "no label occurs")
            case _:
                names = ", ".join(repr(self.names[k]) for k in found)
                return Found(None, f"several labels occur: {names}")

    def _occurring(self, said: Sequence[str]) -> list[int]:
        """Return the labels that occur somewhere outside of a longer one, sorted."""
        of = {tokens: k for k, tokens in enumerate(self.tokens)}
        spans = [
            (start, end, of[run])
            for start in range(len(said))
            for end in range(start + 1, min(start + self.longest, len(said)) + 1)
            if (run := tuple(said[start:end])) in of
        ]
        free: set[int] = set()
        reach = -1
        # By start, longest first: a span inside of another begins no earlier and ends no later.
        for _, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
            if end > reach:
                free.add(label)
                reach = end
        return sorted(free)


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", text).casefold()))


def _words(tokens: Sequence[str]) -> tuple[str, ...]:
    return tuple(token for token in tokens if token[0].isalnum() or token[0] == "_")
