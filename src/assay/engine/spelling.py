"""A name that nobody knows, and the one that was meant."""

from __future__ import annotations

import difflib


def nearest(word: str, known: list[str]) -> str:
    """Return a sentence that suggests the nearest of the known names.

    >>> nearest("acuracy", ["accuracy", "risk"])
    "did you mean 'accuracy'?"
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(sorted(known)[:20]) if known else "nothing is known here"
