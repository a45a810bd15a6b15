"""What a mapper said to samples, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assay import Answer, Bottom, Estimate, Failed, Sample
from assay.estimates import safe_threshold, share

from ..heads.card import MeasuredOn, MetricFacts, ThresholdFacts

DELTA = 0.05


@dataclass(frozen=True, slots=True)
class Judged:
    """Samples, and what was said to each."""

    samples: Sequence[Sample]
    said: Sequence[Answer | Bottom | Failed]

    @property
    def right(self) -> list[bool]:
        """Right answers and right declines."""
        return [
            (isinstance(s, Answer) and isinstance(t.target, Answer) and s.value == t.target.value)
            or (isinstance(s, Bottom) and isinstance(t.target, Bottom))
            for s, t in zip(self.said, self.samples, strict=True)
        ]

    @property
    def confidence(self) -> list[float]:
        """Of the answers; ``-inf`` for declines."""
        return [
            s.confidence if isinstance(s, Answer) and s.confidence is not None else -np.inf
            for s in self.said
        ]

    @property
    def groups(self) -> list[str]:
        """The group of each sample."""
        return [sample.cluster for sample in self.samples]

    def metrics(self, on: MeasuredOn) -> Iterator[MetricFacts]:
        """Yield accuracy, coverage and what they are made of, with intervals over groups."""
        answered = [isinstance(s, Answer) for s in self.said]
        none = [isinstance(t.target, Bottom) for t in self.samples]
        correct = [r and a for r, a in zip(self.right, answered, strict=True)]
        invented = [a and n for a, n in zip(answered, none, strict=True)]
        yield _metric(on, share("accuracy", self.right, groups=self.groups))
        yield _metric(on, share("coverage", answered, groups=self.groups))
        yield _metric(on, share("selective_accuracy", correct, asked=answered, groups=self.groups))
        if any(none):
            yield _metric(on, share("invention_rate", invented, asked=none, groups=self.groups))


def threshold(before: Judged, held_out: Judged, max_risk: float) -> ThresholdFacts:
    """Choose the threshold that keeps a risk on held-out samples, from a grid fixed ``before``."""
    found = safe_threshold(
        held_out.confidence,
        held_out.right,
        groups=held_out.groups,
        before=before.confidence,
        max_risk=max_risk,
    )
    return ThresholdFacts(max_risk=max_risk, delta=DELTA, value=found.value, says=found.says)


def _metric(on: MeasuredOn, found: Estimate) -> MetricFacts:
    return MetricFacts(
        on=on,
        name=found.metric,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        n_groups=found.n_groups,
        method=found.method,
    )
