"""Rails: checks that can turn an answer into a decline, never the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..core.reply import Answer, Bottom, Reply
from ..core.sample import Json, Question
from ..core.system import System

Rail: TypeAlias = Callable[[Question, Json], str | None]
"""Returns the reason to decline this answer to this question, or None."""


@dataclass(frozen=True, slots=True)
class Railed:
    """``system`` behind rails.  The first rail that fires names the reason.

    >>> from assay.systems.controls import Constant
    >>> railed = Railed(Constant("borrow"), (lambda q, action: "ltv" if "90%" in q.input else None,))
    >>> [reply] = railed.answer([Question(id="q", input="borrow at 90%")])
    >>> reply.said.reason, reply.said.proposal.value
    ('rail:ltv', 'borrow')
    """

    system: System
    rails: tuple[Rail, ...]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Ask the inner system and let every rail look at its answers."""
        asked = {(q.id, q.attempt): q for q in questions}
        for reply in self.system.answer(questions):
            question = asked.get((reply.question, reply.attempt))
            if question is None or not isinstance(reply.said, Answer):
                yield reply
                continue
            fired = (rail(question, reply.said.value) for rail in self.rails)
            reason = next((r for r in fired if r is not None), None)
            if reason is None:
                yield reply
            else:
                yield replace(reply, said=Bottom(f"rail:{reason}", reply.said))
