"""A network that is done, as a system: rows in, values or reasons out, in NumPy alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, Failed, Question, Reply, Usage

from ..domains.drawn import rounded
from ..learning.head import Read
from ..learning.rows import Scale, features_of

SAID_DIGITS = 6
"""Significant digits of what is said: a batch of another size may change the last bits of a product."""

UNDIRECTED = "no_value"
"""The reason of a system that cannot tell which one it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads rows: values, or none, with a confidence."""

    read: Callable[[NDArray[np.float64]], Read]
    """From scaled features, shape [rows, features], to what they come to."""

    scale: Scale
    reasons: tuple[str, ...]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer every question at once; each costs its share."""
        if not questions:
            return
        begun = time.perf_counter()
        said = list(self._said(questions))
        share = (time.perf_counter() - begun) / len(questions)
        for question, one in zip(questions, said, strict=True):
            yield Reply(question.id, one, Usage(busy_s=share), attempt=question.attempt)

    def _said(self, questions: Sequence[Question]) -> Iterator[Answer | Bottom | Failed]:
        read = self.read(self.scale.inward(features_of(questions)))
        with np.errstate(all="ignore"):
            values = self.scale.outward(read.value)
            sd = None if read.sd is None else self.scale.spread(read.value, read.sd)
        good = _finite(values)
        # A value that was a number and is none in its unit is lost: a fault.  One that was none before
        # is what its head says of it: of P / Q, a bottom.
        fault = read.fault | (_finite(read.value) & ~good)
        if sd is not None:
            fault |= good & ~_finite(sd)
        told = rounded(np.where(good[:, None], values, 0.0), SAID_DIGITS).tolist()
        sure = rounded(read.confidence, SAID_DIGITS).tolist()
        spread = None if sd is None else rounded(sd, SAID_DIGITS)
        for i in range(len(questions)):
            reason = self.reasons[read.reason[i] - 1] if read.reason[i] > 0 else UNDIRECTED
            if fault[i]:
                yield Failed("non_finite")
                continue
            if not good[i]:
                yield Bottom(reason)
                continue
            scores = {} if spread is None else _spreads(spread[i].tolist())
            value = told[i][0] if len(told[i]) == 1 else told[i]
            answer = Answer(value, sure[i], scores, instead=reason)
            yield Bottom(reason, answer) if read.declines[i] else answer


def _finite(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows hold numbers only."""
    return np.asarray(np.isfinite(values).all(axis=-1).reshape(len(values)))


def _spreads(sd: list[float]) -> dict[str, float]:
    if len(sd) == 1:
        return {"sd": sd[0]}
    return {f"sd_{i}": one for i, one in enumerate(sd)}
