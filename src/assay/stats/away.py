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
        near = max(0.0, wider[0] - self.centre, self.centre - wider[1])
        return near, max(near, abs(wide[0] - self.centre), abs(wide[1] - self.centre))

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of "at least ``bound`` away"."""
        return 0.0 if bound <= 0 else smallest_tail(self, lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of "at most ``bound`` away"."""
        return smallest_tail(self, lambda ends: ends[1] <= bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """``above - below`` for any two inferences, each at half of the error.

    It covers at least as often as it says, whatever the two have to do with each other (Bonferroni).

    >>> from assay.stats.clusters import share
    >>> def of(hits): return share([1] * hits + [0] * (400 - hits), [1] * 400, groups=range(400))
    >>> far, near = (Away(of=of(hits), centre=0.5) for hits in (300, 200))
    >>> found = Gap(above=far, below=near)
    >>> round(found.value, 3), tuple(round(end, 3) for end in found.interval())
    (0.25, (0.137, 0.295))

    Not to be trusted when it need not be conservative: what two systems share on the same samples is not taken off.
    """

    above: Inference
    below: Inference

    @property
    def value(self) -> float | None:
        """The difference of the values; None where either has none."""
        above, below = self.above.value, self.below.value
        return None if above is None or below is None else above - below

    @property
    def method(self) -> str:
        """How each part was inferred."""
        return f"difference of two intervals (Bonferroni): {self.above.method}; {self.below.method}"

    @property
    def se(self) -> None:
        """None: the interval is no multiple of it."""
        return

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the two-sided interval; None where either has none."""
        each = 1.0 - (1.0 - confidence) / 2.0
        above, below = self.above.interval(each), self.below.interval(each)
        if above is None or below is None:
            return None
        return above[0] - below[1], above[1] - below[0]

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference >= bound."""
        return smallest_tail(self, lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference <= bound."""
        return smallest_tail(self, lambda ends: ends[1] <= bound)


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


def gap(above: Inference, below: Inference) -> Inference:
    """Return the difference of two numbers, or why there is none.

    >>> gap(Census(0.5), Census(0.25)).value, gap(Census(0.5), Undefined("nothing")).method
    (0.25, 'undefined: nothing')
    """
    match above, below:
        case Undefined(), _:
            return above
        case _, Undefined():
            return below
        case Census(value=one), Census(value=two):
            return Census(one - two)
        case (Census(), _) | (_, Census()):
            return Undefined("one of the two speaks of these records only")
    return Gap(above=above, below=below)
