"""Whether an answer says anything at all."""

from __future__ import annotations

_SHORT = 8
"""Words up to which an answer may repeat itself."""


def says_something(text: str) -> bool:
    """Whether a text has words, and is not one or two of them over and over.

    Broken models write the likeliest token again and again.  A short answer may be one word.

    >>> [says_something(text) for text in ("Yes.", " ", "!!!!", "no no no no no no no no no", "aaaaaaaaaaaaaaaa")]
    [True, False, False, False, False]
    """
    words = [word for word in text.casefold().split() if any(map(str.isalnum, word))]
    if not words or (len(words) > _SHORT and len(set(words)) < 3):
        return False
    letters = [letter for word in words for letter in word]
    return len(letters) <= _SHORT or len(set(letters)) > 2
