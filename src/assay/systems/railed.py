"""Rails: checks that can turn an answer into a decline, never the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..core.reply import Answer, Bottom, Reply
from ..core.sample import Json, Question
from ..core.system import System

Rail: TypeAlias = Callable[[Question, Json], str | Bottom | None]
"""Returns the reason to decline this answer to this question, or None.

A ``Bottom`` in place of a reason brings ``detail``: the numbers behind it, for the evidence pack."""


@dataclass(frozen=True, slots=True)
class Railed:
    """``system`` behind rails.  The first rail that fires names the reason.

    Whatever the system is, the reply that it gave is kept as the proposal of the decline.

    >>> from assay.systems.controls import Constant
    >>> railed = Railed(Constant("borrow"), (lambda q, action: "ltv" if "90%" in q.input else None,))
    >>> [reply] = railed.answer([Question(id="q", input="borrow at 90%")])
    >>> reply.said.reason, reply.said.proposal.value
    ('rail:ltv', 'borrow')

    *Not to be trusted when* a rail raises: that is the death of the system (``Failed``), which is no
    decline; rails that read what others wrote return a reason for what they cannot read.
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
            yield reply if reason is None else replace(reply, said=_decline(reason, reply.said))


def _decline(reason: str | Bottom, answer: Answer) -> Bottom:
    match reason:
        case Bottom(code, detail=detail):
            return Bottom(f"rail:{code}", answer, detail)
        case _:
            return Bottom(f"rail:{reason}", answer)
