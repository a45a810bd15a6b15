"""Ask a cheap system first, and a dearer one where it declines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from ..core.policy import Declines
from ..core.reply import Answer, Bottom, Crash, Failed, Reply, Said, Usage
from ..core.sample import Question
from ..core.system import System

_GREATEST = ("peak_bytes",)
"""Measurements of which the sum over calls means nothing."""


@dataclass(frozen=True, slots=True)
class Cascade:
    """``first``, and ``fallback`` for every question that ``first`` does not answer.

    A reply of the fallback carries the usage of both calls: whoever waits for it and pays for it
    waits and pays for both.  A failure of ``first`` goes on to the fallback, a crash does not.

    >>> from assay.systems.controls import Constant, Silent
    >>> [reply] = Cascade(Silent(), Constant("swap")).answer([Question(id="q", input="")])
    >>> reply.said.value
    'swap'
    """

    first: System
    fallback: System
    at_least: float | None = None
    """The confidence that an answer of ``first`` needs to stand; None: every answer stands."""

    declines: Declines = Declines.HAND_ON

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Ask the first system everything and the fallback the rest."""
        rest = {(q.id, q.attempt): q for q in questions}
        spent: dict[tuple[str, int], Usage] = {}
        for reply in self.first.answer(questions):
            key = reply.question, reply.attempt
            if self._stands(reply.said):
                rest.pop(key, None)
                yield reply
            else:
                spent[key] = reply.usage
        if not rest:
            return
        for reply in self.fallback.answer(list(rest.values())):
            before = spent.get((reply.question, reply.attempt))
            yield reply if before is None else replace(reply, usage=together(before, reply.usage))

    def _stands(self, said: Said) -> bool:
        match said:
            case Answer(confidence=sure):
                # An answer without a confidence is kept: a threshold has nothing to say about it.
                return self.at_least is None or sure is None or sure >= self.at_least
            case Bottom():
                return self.declines is Declines.STAND
            case Failed():
                return False
            case Crash():
                return True  # ours: the fallback must not hide that the first was not observed


def together(first: Usage, then: Usage) -> Usage:
    """Return what two calls one after the other cost; what one of them did not measure is unknown.

    >>> together(Usage(busy_s=1.0, calls=1), Usage(busy_s=2.0)).busy_s
    3.0
    >>> together(Usage(busy_s=1.0, calls=1), Usage(busy_s=2.0)).calls is None
    True
    """
    found: dict[str, float | int | None] = {}
    for field in fields(Usage):
        a, b = getattr(first, field.name), getattr(then, field.name)
        if a is None or b is None:
            found[field.name] = None
        else:
            found[field.name] = max(a, b) if field.name in _GREATEST else a + b
    if found["first_token_s"] is not None and first.latency_s is not None:
        # The first token that anybody sees is the fallback's, after all of the first call.
        found["first_token_s"] = first.latency_s + (then.first_token_s or 0.0)
    return Usage(**found)  # type: ignore[arg-type]  # each field keeps the type that it had
