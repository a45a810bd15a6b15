"""The forms in which prompts are compared, so that what reads the same counts as the same.

For comparison only: what a system is asked is never changed.

*Covered*: casing, spacing, full-width and other compatibility characters (NFKC), characters that
nobody sees (zero width, bidirectional marks, variation selectors, controls), Cyrillic and Greek
letters that look Latin, numbers, listed fillers.
*Not covered*: words of capitals from another script only, accents left out, other words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NUMBER = re.compile(r"\$?\d[\d,.]*(?:[kKmM]\b|%)?")
_SPACE = re.compile(r"\s+")
_LATIN = re.compile(r"[a-zA-Z]")
_WORD = re.compile(r"\S+")

_SEEN_AS = str.maketrans(
    "аеорсухіјѕһԁԛԝѵӏαορνικυχıɑɡ",
    "aeopcyxijshdqwvlaopvikuxiag",
)
"""Small letters that look Latin.  No two of one script look like the same one, so that nothing
different becomes the same."""

_CAPITALS = str.maketrans(
    "АВЕКМНОРСТХУІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # noqa: RUF001  (that they look Latin is the point)
    "ABEKMHOPCTXYISJABEZHIKMNOPTYX",
)
"""Read as Latin in words that have Latin letters too: alone they are words of their own script."""

_UNSEEN = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})
"""Characters that show nothing although their category says otherwise."""


def plain(text: str) -> str:
    r"""Return a text as it is read: small letters, single spaces, nothing that nobody sees.

    >>> plain("  Pay\tMY rent "), plain("pa\u200by m\u0443 \uff52ent")
    ('pay my rent', 'pay my rent')
    """
    if not (text.isascii() and text.isprintable()):
        shown = "".join(c for c in unicodedata.normalize("NFKC", text) if not _is_unseen(c))
        text = _WORD.sub(_one_script, shown).casefold().translate(_SEEN_AS)
    return _SPACE.sub(" ", text).strip().casefold()


def _one_script(word: re.Match[str]) -> str:
    found = word.group()
    return found.translate(_CAPITALS) if _LATIN.search(found) else found


def _is_unseen(char: str) -> bool:
    if char.isspace():
        return False
    point = ord(char)
    return (
        unicodedata.category(char) in ("Cf", "Cc")
        or point in _UNSEEN
        or 0xFE00 <= point <= 0xFE0F
        or 0xE0100 <= point <= 0xE01EF
    )


def masks(texts: Sequence[str], fillers: Sequence[str] = ()) -> list[str]:
    """Return texts as they are read, with numbers and fillers as ``_``.

    >>> masks(["Swap 2,500  USDC", "swap 3k dai"], ["USDC", "DAI"])
    ['swap _ _', 'swap _ _']
    """
    found = [plain(text) for text in texts]
    if fillers:
        longest_first = sorted({plain(f) for f in fillers}, key=lambda f: (-len(f), f))
        words = "|".join(map(re.escape, longest_first))
        filler = re.compile(rf"(?<!\w)(?:{words})(?!\w)")
        found = [filler.sub("_", text) for text in found]
    return [_NUMBER.sub("_", text) for text in found]
