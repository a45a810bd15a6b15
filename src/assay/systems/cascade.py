"""Ask a cheap system first, and a dearer one where it declines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..core.reply import Answer, Crash, Reply
from ..core.sample import Question
from ..core.system import System


@dataclass(frozen=True, slots=True)
class Cascade:
    """``first``, and ``fallback`` for every question that ``first`` does not answer.

    Usage of the fallback's reply is its own; the first call's cost stands in its own records.

    >>> from assay.systems.controls import Constant, Silent
    >>> [reply] = Cascade(Silent(), Constant("swap")).answer([Question(id="q", input="")])
    >>> reply.said.value
    'swap'
    """

    first: System
    fallback: System

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Ask the first system everything and the fallback the rest."""
        rest = {(q.id, q.attempt): q for q in questions}
        for reply in self.first.answer(questions):
            # A crash is ours: the fallback must not hide that the first was not observed.
            if isinstance(reply.said, Answer | Crash):
                rest.pop((reply.question, reply.attempt), None)
                yield reply
        if rest:
            yield from self.fallback.answer(list(rest.values()))
