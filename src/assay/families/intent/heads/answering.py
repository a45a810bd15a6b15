"""A head over sentence embeddings, as a system: questions in, replies out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from assay import Answer, Bottom, Failed, Question, Reply, Usage

from ..encoders.encoder import Embeds
from ..replies import readable
from .calibration import Floats
from .head import Head
from .sureness import Sureness, say_how_sure


class Scored(NamedTuple):
    """The logits of one text, its place in what was asked, and what it cost."""

    place: int
    logits: Floats
    seconds: float
    sure: float | None = None
    """The confidence, where it is not the calibrated probability."""


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
    outside: Sureness | None = None
    """Tells what is out of scope; None: the probability of the label does."""

    def score(self, texts: Sequence[str]) -> Iterator[Scored]:
        """Yield the logits of each text, those with few tokens first."""
        for place, vector, seconds in self.embeds.embed(texts):
            start = time.perf_counter()
            logits = self.head.logits_of(vector)
            sure = None
            if self.outside is not None and np.isfinite(logits).all():
                names = logits[None, : len(self.head.labels.names)]
                sure = float(self.outside.confidence(names, vector[None].astype(np.float64))[0])
            yield Scored(place, logits, seconds + time.perf_counter() - start, sure)

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question; what is no text has failed.

        ``busy_s`` of a reply is its share of the time of the batch that it was encoded in.
        """
        found = readable(questions)
        yield from found.failed
        for scored in self.score(found.texts):
            start = time.perf_counter()
            said = decide(self.head, scored)
            usage = Usage(busy_s=scored.seconds + time.perf_counter() - start)
            question = found.questions[scored.place]
            yield Reply(question.id, said, usage, question.attempt)


def decide(head: Head, scored: Scored) -> Answer | Bottom | Failed:
    """Return what a head says to a text that was scored, as sure as the score says."""
    said = head.decide(scored.logits)
    return said if scored.sure is None else say_how_sure(said, scored.sure)
