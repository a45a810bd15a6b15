"""What luck alone may have added to a calibration error, which only grows by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, inf, isinf, pi, sqrt

import numpy as np

from .arrays import Floats
from .inference import Inference, StudentT, Undefined
from .resamples import Counts, Resamples, every

ONE_GROUP = Undefined("the answers of one group do not say what luck adds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """How far the bins of a confidence stray by chance, all distances added."""

    mean: float
    sd: float
    df: float
    """Groups of one size, less one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distance:
    """A distance of many resamples at once, or the difference of two, and the luck in either."""

    of: Callable[[Counts], Floats]
    added: Luck
    """What luck may have added."""

    taken: Luck | None = None
    """What luck may have taken off: in a difference, by what it added to the second."""

    def __call__(self, drawn: Counts, /) -> Floats:
        """Return one value for each resample."""
        return self.of(drawn)

    def every(self, drawn: Resamples, records: int) -> Floats:
        """Return the value of every resample."""
        return every(self.of, drawn, records)


def luck(strays: Floats, *, alone: Floats, answers: Floats) -> Luck:
    """Return how far sums by bin stray from what is true of them, in all.

    ``strays`` of shape [groups, bins] holds the sums of right (0 or 1) less confidence; ``alone``, shape
    [bins], the variance of each sum if the confidences were right and no answer knew of another, which
    is the least that is believed; ``answers``, shape [groups], how many there are.  The sum of normal
    distances, correlated as the groups make them, over the number of answers.

    Source: moments of |X| and |Y| of a bivariate normal, Nabeya 1951.

    >>> found = luck(np.array([[0.5], [-0.5]] * 50), alone=np.array([25.0]), answers=np.ones(100))
    >>> round(found.mean, 3), round(found.sd, 3), found.df
    (0.04, 0.03, 99.0)

    Not to be trusted when a bin holds one or two answers: it is then a little large.
    """
    n, total = len(strays), float(answers.sum())
    if n < 2 or total <= 0:
        return Luck(mean=inf, sd=inf, df=1.0)
    centred = strays - strays.mean(axis=0)
    moved = centred.T @ centred * (n / (n - 1))
    shown = np.sqrt(np.diag(moved))
    spread = np.sqrt(np.maximum(np.diag(moved), alone))
    both = np.outer(shown, shown)
    alike = np.divide(moved, both, out=np.zeros_like(moved), where=both > 0).clip(-1.0, 1.0)
    np.fill_diagonal(alike, 1.0)
    shared = alike * np.arcsin(alike) + np.sqrt(1.0 - alike * alike) - 1.0
    variance = 2.0 / pi * float(spread @ shared @ spread)
    return Luck(
        mean=sqrt(2.0 / pi) * float(spread.sum()) / total,
        sd=sqrt(max(variance, 0.0)) / total,
        df=max(total**2 / float((answers**2).sum()) - 1.0, 1.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """Infer a distance, or a difference of two, that luck has a part in: whatever says least counts.

    >>> plain = StudentT(value=0.1, se=0.02, df=99)
    >>> found = Doubted(found=plain, doubts=(StudentT(value=0.06, se=0.02, df=99),))
    >>> [round(end, 2) for end in found.interval()]
    [0.02, 0.14]

    Not to be trusted when the luck is that of other answers.
    """

    found: Inference
    doubts: tuple[StudentT, ...]

    @property
    def value(self) -> float | None:
        """The point estimate."""
        return self.found.value

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"{self.found.method}, less what luck may have added"

    @property
    def se(self) -> float | None:
        """The standard error of what is doubted."""
        return self.found.se

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the interval that holds all; None where there is none without doubts."""
        ends = self.found.interval(confidence)
        if ends is None:
            return None
        wide = [doubt.interval(confidence) for doubt in self.doubts]
        return min(ends[0], *(low for low, _ in wide)), max(ends[1], *(high for _, high in wide))

    def p_at_least(self, bound: float) -> float | None:
        """Return the largest p-value in support of "at least bound"."""
        known = self.found.p_at_least(bound)
        return _largest(known, [one.p_at_least(bound) for one in self.doubts])

    def p_at_most(self, bound: float) -> float | None:
        """Return the largest p-value in support of "at most bound"."""
        known = self.found.p_at_most(bound)
        return _largest(known, [one.p_at_most(bound) for one in self.doubts])


def doubted(
    found: Inference,
    seen: float,
    *,
    of: object,
    bounds: tuple[float, float] = (-inf, inf),
) -> Inference:
    """Let luck have a say in a calibration error, or in a difference of two.

    ``seen`` is the number before any bias was taken off, ``of`` what gave the resamples.  A distance
    that is seen is at most the true one and how far the bins strayed, added: so the lower end lies at
    least as low as the number, less what luck may add at that level.  What is no ``Distance`` is
    returned as it is.

    Source: the triangle inequality; of a system that is perfectly calibrated the lower end is that of
    a test of calibration.

    >>> plain = StudentT(value=0.1, se=0.02, df=99)
    >>> doubted(plain, 0.12, of=None) is plain
    True

    Not to be trusted when answers are alike beyond their groups.
    """
    if not isinstance(of, Distance) or isinstance(found, Undefined) or found.value is None:
        return found
    if isinf(of.added.mean) or (of.taken is not None and isinf(of.taken.mean)):
        return ONE_GROUP
    is_apart = of.taken is not None
    doubts = [
        _doubt(seen, luck, sign, se=(found.se or 0.0) if is_apart else 0.0, bounds=bounds)
        for luck, sign in ((of.added, -1), (of.taken, 1))
        if luck is not None
    ]
    return Doubted(found=found, doubts=tuple(doubts))


def _largest(known: float | None, others: list[float]) -> float | None:
    return None if known is None else max(known, *others)


def _doubt(
    seen: float, luck: Luck, sign: int, *, se: float, bounds: tuple[float, float]
) -> StudentT:
    value = min(max(seen + sign * luck.mean, bounds[0]), bounds[1])
    low, high = float(bounds[0]), float(bounds[1])
    return StudentT(value=value, se=max(hypot(luck.sd, se), 1e-12), df=luck.df, low=low, high=high)
