"""Decline below a confidence: the wrapper that ships what the analysis chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..core.reply import Answer, Bottom, Reply
from ..core.sample import Question
from ..core.system import System


@dataclass(frozen=True, slots=True)
class Thresholded:
    """``system``, but an answer with less confidence than ``at_least`` becomes a ``Bottom``.

    An answer without a confidence is kept: a threshold has nothing to say about it.  The reason is the
    one that the answer would have declined with, where it names one.

    >>> from assay.systems.controls import Constant
    >>> [reply] = Thresholded(Constant("swap"), at_least=1.1).answer([Question(id="q", input="")])
    >>> reply.said.reason
    'below_threshold'
    """

    system: System
    at_least: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Ask the inner system and decline where it is unsure."""
        for reply in self.system.answer(questions):
            match reply.said:
                case Answer(confidence=sure) as said if sure is not None and sure < self.at_least:
                    yield replace(reply, said=Bottom(said.instead or "below_threshold", said))
                case _:
                    yield reply
