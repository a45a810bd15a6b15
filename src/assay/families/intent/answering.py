"""A head over sentence embeddings, as a system: questions in, replies out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from assay import Failed, Question, Reply, Usage

from .calibration import Floats
from .encoder import Embeds
from .head import Head
from .prompt import prompt_of


class Scored(NamedTuple):
    """The logits of one text, its place in what was asked, and what it cost."""

    place: int
    logits: Floats
    seconds: float


class Scores(Protocol):
    """Anything that turns texts into the logits of its head's classes, in any order."""

    @property
    def head(self) -> Head:
        """The head whose classes the logits are of."""
        ...

    def score(self, texts: Sequence[str]) -> Iterator[Scored]:
        """Yield the logits of each text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MapperSystem:
    """A head over sentence embeddings."""

    embeds: Embeds
    head: Head

    def score(self, texts: Sequence[str]) -> Iterator[Scored]:
        """Yield the logits of each text, those with few tokens first."""
        for place, vector, seconds in self.embeds.embed(texts):
            start = time.perf_counter()
            logits = self.head.logits_of(vector)
            yield Scored(place, logits, seconds + time.perf_counter() - start)

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question; what is no text has failed.

        ``busy_s`` of a reply is its share of the time of the batch that it was encoded in.
        """
        asked: list[Question] = []
        texts: list[str] = []
        for question in questions:
            text = prompt_of(question)
            if isinstance(text, Failed):
                yield Reply(question.id, text, attempt=question.attempt)
            else:
                asked.append(question)
                texts.append(text)
        for place, logits, seconds in self.score(texts):
            start = time.perf_counter()
            said = self.head.decide(logits)
            usage = Usage(busy_s=seconds + time.perf_counter() - start)
            yield Reply(asked[place].id, said, usage, asked[place].attempt)
