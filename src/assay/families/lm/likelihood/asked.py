"""Questions about the likelihood of texts, parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from assay import Question


class NoPairs(Exception):  # noqa: N818  (a fact about the question, not an error of ours)
    """The question asks for the likelihood of texts, and cannot be read."""


Pair: TypeAlias = tuple[str, str]
"""What stands before, and the text whose likelihood is asked for."""


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Which of several continuations, each after its own or one common context."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Rolling:
    """How likely a whole text is, its first token after the model's own beginning."""

    text: str


Asked: TypeAlias = Likelihoods | Rolling


def asked_of(question: Question) -> Asked | None:
    """Return what a question asks of likelihoods; None where it asks for words.

    ``{"contexts": [...], "continuations": [...]}`` asks for the likelihood of each continuation; where one
    of the two lists has a single text, it goes with every text of the other.  ``{"text": "..."}`` asks for
    that of a whole text.  Raises ``NoPairs`` for such a question with other members than texts.

    >>> asked_of(Question(id="q", input={"contexts": ["Two and two is"], "continuations": [" 4", " 5"]}))
    Likelihoods(pairs=(('Two and two is', ' 4'), ('Two and two is', ' 5')))
    >>> asked_of(Question(id="q", input={"prompt": "Two and two?"})) is None
    True
    """
    match question.input:
        case {"contexts": list(contexts), "continuations": list(continuations)}:
            return Likelihoods(_paired(contexts, continuations))
        case {"contexts": _} | {"continuations": _}:
            raise NoPairs("contexts and continuations are two lists of texts")
        case {"text": str(text), **others} if not others:
            if not text:
                raise NoPairs("the text is empty")
            return Rolling(text)
        case _:
            return None


def _paired(contexts: list[object], continuations: list[object]) -> tuple[Pair, ...]:
    before = [text for text in contexts if isinstance(text, str)]
    behind = [text for text in continuations if isinstance(text, str)]
    if len(before) != len(contexts) or len(behind) != len(continuations):
        raise NoPairs("contexts and continuations hold something that is no text")
    count = max(len(before), len(behind))
    if count == 0 or any(len(texts) not in (1, count) for texts in (before, behind)):
        raise NoPairs(f"{len(before)} contexts do not go with {len(behind)} continuations")
    if not all(behind):
        raise NoPairs("a continuation is empty")
    return tuple(
        (before[k if len(before) > 1 else 0], behind[k if len(behind) > 1 else 0])
        for k in range(count)
    )
