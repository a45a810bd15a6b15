"""Control systems: what a number looks like when nobody tries.

They run beside every plan.  A metric on which a control does as well as the system under test is
flagged, and a set of claims that a control satisfies is vacuous.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import ClassVar

from ..core.reply import Answer, Bottom, Reply
from ..core.sample import Json, Question, Sample
from ..core.system import Built, Needs
from ..store.canon import canonical


@dataclass(frozen=True, slots=True)
class Silent:
    """A system that declines everything."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Decline each question."""
        for question in questions:
            yield Reply(question.id, Bottom("silent"), attempt=question.attempt)


@dataclass(frozen=True, slots=True)
class Constant:
    """A system that always says the same."""

    value: Json

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Say it."""
        for question in questions:
            yield Reply(question.id, Answer(self.value, 1.0), attempt=question.attempt)


@dataclass(frozen=True, slots=True)
class Random:
    """A system that draws one of the answers it has seen, and declines as if that were one.

    Asked how likely texts are, it draws that, too: a task of choices is then answered at chance.
    """

    values: tuple[Json, ...]
    seed: int

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Draw an answer from (seed, question), so that order and batch do not matter."""
        for question in questions:
            key = f"{self.seed}/{question.seed}/{question.attempt}/{question.id}"
            texts = _continuations(question.input)
            said = self._weighed(texts, key) if texts else self._drawn(_draw(key))
            yield Reply(question.id, said, attempt=question.attempt)

    def _drawn(self, draw: int) -> Answer | Bottom:
        if not self.values:
            return Bottom("silent")
        pick, confidence = draw % (len(self.values) + 1), (draw >> 32) / 2**32
        if pick == len(self.values):
            return Bottom("drawn", Answer(self.values[0], confidence))
        return Answer(self.values[pick], confidence)

    def _weighed(self, texts: Sequence[str], key: str) -> Answer:
        # Whether totals count or means over characters, each text is as likely to come first.
        longest, best = max(map(len, texts)), _draw(key) % len(texts)
        shares = [_draw(f"{key}/{k}") / 2**64 for k in range(len(texts))]
        totals = [
            -len(text) / longest if k == best else -1.0 - share
            for k, (text, share) in enumerate(zip(texts, shares, strict=True))
        ]
        confidence = 1 / sum(exp(total - totals[best]) for total in totals)
        scores = {f"ll:{k}": total for k, total in enumerate(totals)}
        scores |= {f"greedy:{k}": 0.0 for k in range(len(texts))}
        scores |= {f"tokens:{k}": float(len(text)) for k, text in enumerate(texts)}
        return Answer(best, confidence, scores)


def _draw(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def _continuations(asked: Json) -> list[str]:
    """Return the texts whose likelihood is asked for, or none where that is not the question."""
    match asked:
        case {"contexts": list(contexts), "continuations": list(continuations)}:
            texts = continuations if len(continuations) >= len(contexts) else contexts
            return [text for text in texts if isinstance(text, str) and text]
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentControl:
    """The recipe of ``control.silent``."""

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the silent system."""
        return Built(system=Silent())


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantControl:
    """The recipe of ``control.constant``: the most frequent answer of train, ties by order."""

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the system that says the most frequent answer; silent when there is none."""
        counts = Counter(canonical(value) for value in _answers(train))
        if not counts:
            return Built(system=Silent())
        best = max(sorted(counts), key=counts.__getitem__)
        value = next(v for v in _answers(train) if canonical(v) == best)
        return Built(system=Constant(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomControl:
    """The recipe of ``control.random``: any answer of train, or none, equally often; any likelihood."""

    draws: ClassVar[bool] = True
    seeded: bool = True
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the drawing system; silent when train has no answers and no likelihood is asked for."""
        distinct = {canonical(value): value for value in _answers(train)}
        return Built(system=Random(tuple(distinct[key] for key in sorted(distinct)), seed))


def _answers(samples: Sequence[Sample]) -> list[Json]:
    return [s.target.value for s in samples if isinstance(s.target, Answer)]
