"""Names of models: what may stand in one, and what the board calls it.

*Covered*: control and invisible characters, text that turns its direction, letters of two alphabets in one
word, other forms of the same letters, marks that pages and shells read.
*Not covered*: a whole name in letters that look Latin (a warning names them), and a name that lies.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

from ..hostile import visible

MOST = 80
"""Characters of an id."""

_MARKS = re.compile(r"[<>&\"'`$|;{}\[\]\\*?!#%^~=@]")
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN")


def model_id(name: str) -> str:
    """Return the id of a model: lower-case letters, digits, ``.`` and ``-``, at most 80 of them.

    Never empty, and never begins with a dot.  A name with no Latin letter or digit gets one made of its digest.

    >>> model_id("SmolLM2-135M-Instruct"), model_id("Gemma 3/270M"), model_id("../etc")
    ('smollm2-135m-instruct', 'gemma-3-270m', 'etc')
    >>> model_id("\u6a21\u578b")
    'model-c98e118e'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"-*[^a-z0-9.-]+-*|-{2,}", "-", plain)
    slug = re.sub(r"\.{2,}", ".", slug).strip("-.")[:MOST].strip("-.")
    return slug or f"model-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def system_name(name: str) -> str:
    """Return what the plan calls a quantization: as an id, with its ``_`` kept.

    >>> system_name("Q8_0"), system_name("Q4_K_M (imatrix)")
    ('q8_0', 'q4_k_m-imatrix')
    """
    parts = (model_id(part) for part in name.split("_") if any(map(str.isalnum, part)))
    return "_".join(parts)[:MOST].strip("-._") or model_id(name)


def same_name(one: str, other: str) -> bool:
    """Whether two names are one to a reader: without case, width, marks and spaces.

    >>> same_name("SmolLM2 135M", "smollm2-135m"), same_name("a1", "a2")
    (True, False)
    """
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in folded if char.isalnum())


def fault_of_text(text: str, *, most: int) -> str | None:
    r"""Return what is wrong with a text of a submission; None where it may stand.

    >>> fault_of_text("ok\u200b", most=10), fault_of_text("<b>", most=10)
    ('it has characters that nobody sees: ok[U+200B]', "it has '<', which no name needs")
    """
    if not text.strip():
        return "it is blank"
    if len(text) > most:
        return f"it has {len(text):,} characters; {most} are the most"
    if not text.isprintable() or visible(text) != text or "\u200c" in text or "\u200d" in text:
        safe = visible(text, 60).replace("\n", "[U+000A]").replace("\t", "[U+0009]")
        return f"it has characters that nobody sees: {safe}"
    if found := _MARKS.search(text):
        return f"it has {found[0]!r}, which no name needs"
    for word in text.split():
        if len(alphabets := _alphabets(word)) > 1:
            return f"one word has letters of {' and '.join(sorted(alphabets))}: {word!a}"
    return None


def foreign_letters(text: str) -> str | None:
    """Return the first letter that may be taken for another one, by its name; None where all are ASCII.

    >>> foreign_letters("Gemma"), foreign_letters("\u0421\u0430\u0440")
    (None, 'U+0421 CYRILLIC CAPITAL LETTER ES')
    """
    odd = next((char for char in text if not char.isascii()), None)
    return None if odd is None else f"U+{ord(odd):04X} {unicodedata.name(odd, 'without a name')}"


def _alphabets(word: str) -> set[str]:
    first = (unicodedata.name(char, "").split(" ")[0] for char in word if char.isalpha())
    return {name for name in first if name in _ALPHABETS}
