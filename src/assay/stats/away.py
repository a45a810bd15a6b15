"""How far a number is from a value that is best, from what is known of the number itself."""

from __future__ import annotations

from dataclasses import dataclass

from .inference import Census, Inference, Undefined
from .quotient import smallest_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """``|of - centre|``, read off the interval of ``of``.

    The upper end is the farther end of that interval: "at most d away" is shown exactly when two one-sided tests show
    that ``of`` lies within d of the centre (TOST).  The lower end is how far the interval stays off the centre, 0
    where it holds it; each side has half of the tail, since ``of`` may be off on either.  Percentiles
    of resampled distances would not do: a resample is never nearer than 0, so that their lower end stays above it.

    Source: the image of a confidence interval; Schuirmann 1987 for the upper end.

    >>> from assay.stats.clusters import share
    >>> found = Away(of=share([1] * 60 + [0] * 40, [1] * 100, groups=range(100)), centre=0.5)
    >>> round(found.value, 3), tuple(round(end, 3) for end in found.interval())
    (0.1, (0.0, 0.191))

    Not to be trusted when ``of`` is not: it is as good as the interval that it is read off.
    """

    of: Inference
    centre: float

    @property
    def value(self) -> float | None:
        """The distance of the value."""
        return None if self.of.value is None else abs(self.of.value - self.centre)

    @property
    def method(self) -> str:
        """How the number itself was inferred."""
        return f"distance from {self.centre:g}, by the interval of the number: {self.of.method}"

    @property
    def se(self) -> None:
        """None: the interval is no multiple of it."""
        return

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the two-sided interval; None where the number has none."""
        tail = (1.0 - confidence) / 2.0
        wide, wider = self.of.interval(confidence), self.of.interval(1.0 - tail)
        if wide is None or wider is None:
            return None
        near = _folded(wider, self.centre)[0]
        return near, max(near, _folded(wide, self.centre)[1])

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of "at least ``bound`` away"."""
        return 0.0 if bound <= 0 else smallest_tail(self, lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of "at most ``bound`` away"."""
        return smallest_tail(self, lambda ends: ends[1] <= bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How much farther from a centre one number is than another, on the same samples.

    Read off three intervals, of the two numbers and of their difference ``apart``, each at a third of the error:
    it covers at least as often as it says (Bonferroni).  Where both numbers are shown to be on one side of the centre it is their
    difference, there or back; anywhere, two distances differ by no more than the numbers do.

    >>> from assay.stats.clusters import paired, share
    >>> one, two = ([1] * hits + [0] * (400 - hits) for hits in (300, 280))
    >>> all_, each = [1] * 400, range(400)
    >>> far, near = (Away(of=share(hits, all_, groups=each), centre=0.5) for hits in (one, two))
    >>> apart = paired((one, all_), (two, all_), groups=each, bounds=(0.0, 1.0))
    >>> found = Gap(above=far, below=near, apart=apart)
    >>> round(found.value, 3), tuple(round(end, 3) for end in found.interval())
    (0.05, (0.03, 0.083))

    Not to be trusted when it need not be conservative: a third of the error may go unused.
    """

    above: Away
    below: Away
    apart: Inference
    """Of the number of ``above`` less that of ``below``, paired."""

    @property
    def value(self) -> float | None:
        """The difference of the distances; None where either has none."""
        above, below = self.above.value, self.below.value
        return None if above is None or below is None else above - below

    @property
    def method(self) -> str:
        """How each part was inferred."""
        return (
            f"difference of two distances from {self.above.centre:g}, by three intervals (Bonferroni): "
            f"{self.above.of.method}; {self.below.of.method}; {self.apart.method}"
        )

    @property
    def se(self) -> None:
        """None: the interval is no multiple of it."""
        return

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the two-sided interval; None where one of the three has none."""
        each = 1.0 - (1.0 - confidence) / 3.0
        parts = (self.above.of, self.below.of, self.apart)
        one, two, apart = (part.interval(each) for part in parts)
        if one is None or two is None or apart is None:
            return None
        centre = self.above.centre
        if min(one[0], two[0]) >= centre:
            return apart
        if max(one[1], two[1]) <= centre:
            return -apart[1], -apart[0]
        most = max(abs(apart[0]), abs(apart[1]))
        (near, far), (nearest, farthest) = (_folded(ends, centre) for ends in (one, two))
        return max(near - farthest, -most), min(far - nearest, most)

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference >= bound."""
        return smallest_tail(self, lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference <= bound."""
        return smallest_tail(self, lambda ends: ends[1] <= bound)


def _folded(ends: tuple[float, float], centre: float) -> tuple[float, float]:
    """Return how near to the centre and how far from it a number may be."""
    low, high = ends[0] - centre, ends[1] - centre
    return max(0.0, low, -high), max(abs(low), abs(high))


def away(found: Inference, centre: float) -> Inference:
    """Return how far a number is from a centre, or why there is no such number.

    >>> away(Census(0.4), 0.5).interval(), away(Undefined("nothing asked"), 0.5).method
    ((0.1, 0.1), 'undefined: nothing asked')
    """
    match found:
        case Undefined():
            return found
        case Census(value=value):
            return Census(round(abs(value - centre), 15))
    return Away(of=found, centre=centre)


def gap(above: Inference, below: Inference, apart: Inference) -> Inference:
    """Return how much farther one number is away than another, from ``away`` of each and what sets them apart.

    >>> gap(Census(0.5), Census(0.25), Census(0.25)).value
    0.25
    >>> gap(Census(0.5), Undefined("nothing"), Undefined("nothing")).method
    'undefined: nothing'
    """
    match above, below:
        case Undefined(), _:
            return above
        case _, Undefined():
            return below
        case Census(value=one), Census(value=two):
            return Census(one - two)
        case Away(), Away():
            return (
                apart
                if isinstance(apart, Undefined)
                else Gap(above=above, below=below, apart=apart)
            )
    return Undefined("one of the two speaks of these records only")
