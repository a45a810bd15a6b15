"""What a check of a submission has to say, one finding at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..hostile import visible

Level: TypeAlias = Literal["error", "warning", "publish"]
"""``publish`` keeps a model from the board, and not from a run on your own machine."""

LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A finding: where, what, and what to write instead."""

    level: Level
    line: int
    """Of the submission, from 1."""

    key: str
    """``model.quantizations[0].file``; empty for the file as a whole."""

    says: str
    suggests: str = ""
    """A sentence that begins with a verb, or YAML to paste (with a line break at its end)."""

    @property
    def facts(self) -> dict[str, Any]:
        """Return the note as ``--json`` prints it."""
        return {
            "level": self.level,
            "line": self.line,
            "key": self.key,
            "says": self.says,
            "suggests": self.suggests,
        }


def shown(value: object) -> str:
    r"""Return somebody's value as a note shows it: on one line, nothing hidden, not too long.

    >>> shown("a\nb\u202e")
    "'a\\nb\\u202e'"
    """
    return visible(ascii(value) if isinstance(value, str) else str(value), LONGEST)


def safe(text: str) -> str:
    r"""Return a sentence that may hold words of strangers: on one line, nothing hidden.

    >>> safe("a\nb\x1b[31m")
    'a b[U+001B][31m'
    """
    return visible(" ".join(text.split("\n")), 2 * LONGEST).replace("\t", " ")


def safe_lines(text: str) -> str:
    """Return what to write, each line of it safe to see."""
    return "\n".join(map(safe, text.split("\n")))


def in_order(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return notes once each, errors first, each kind by line."""
    order = {"error": 0, "warning": 1, "publish": 2}
    return tuple(sorted(dict.fromkeys(notes), key=lambda note: (order[note.level], note.line)))
