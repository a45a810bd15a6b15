"""A refusal in the very words that a question gives for it is a decline, not an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from assay import Answer, Bottom


def stated(asked: object, answer: Answer) -> Answer | Bottom:
    """Return the answer, or the ``Bottom`` that it states.

    The member ``declines`` of a question maps words to the reason that they state.  They have to be all
    of the answer; case, punctuation and spaces do not count.  Whoever says them and then answers after
    all has answered.

    >>> asked = {"prompt": "...  Or answer: NOT IN THE TEXT", "declines": {"NOT IN THE TEXT": "absent"}}
    >>> stated(asked, Answer("Not in the text.")).reason
    'absent'
    >>> stated(asked, Answer("Paris, though it is not in the text.")).value
    'Paris, though it is not in the text.'
    """
    known = asked.get("declines") if isinstance(asked, Mapping) else None
    if not isinstance(known, Mapping) or not isinstance(answer.value, str):
        return answer
    text, said = answer.value.strip(), _words(answer.value)
    for words, reason in known.items():
        is_said = text == words or (said != () and said == _words(words))
        if is_said and isinstance(reason, str):
            return Bottom(reason, detail=answer.value)
    return answer


def _words(text: str) -> tuple[str, ...]:
    return tuple(
        re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold().replace("_", " "))
    )
