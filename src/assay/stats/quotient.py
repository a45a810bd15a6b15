"""One number over another, each inferred from data of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from .inference import Census, Envelope, Inference, Undefined

Holds: TypeAlias = Callable[[tuple[float, float]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """``above / below`` for two numbers that are not negative, from any two inferences.

    The interval at 95 % is the lower end of ``above`` over the upper end of ``below``, and the
    other way round, each at 97.5 %: by Bonferroni it covers at least as often as it says, whatever
    the two have to do with each other.  Where ``below`` may be zero there is no upper end: the
    number is then a lower bound only.

    Source: Bonferroni; the rectangle of two confidence intervals.

    >>> from assay.stats.inference import Exact, StudentT
    >>> dollars = StudentT(value=2.0, se=0.1, df=30, method="t")
    >>> low, high = Quotient(above=dollars, below=Exact(80, 100)).interval()
    >>> round(low, 2), round(high, 2)
    (2.0, 3.22)
    >>> Quotient(above=dollars, below=Exact(0, 10)).interval()[1]
    inf

    *Not to be trusted when* it need not be conservative: about a fifth wider than an exact one.
    """

    above: Inference
    below: Inference
    scale: float = 1.0
    """A constant that the quotient is multiplied by."""

    @property
    def value(self) -> float | None:
        """The quotient of the values; None where either has none, or ``below`` is zero."""
        above, below = self.above.value, self.below.value
        if above is None or below is None or below <= 0.0:
            return None
        return self.scale * above / below

    @property
    def method(self) -> str:
        """How each part was inferred."""
        return f"quotient of two intervals (Bonferroni): {self.above.method}; {self.below.method}"

    @property
    def se(self) -> None:
        """None: the interval is no multiple of it."""
        return

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the interval; its upper end is infinite where ``below`` may be zero."""
        each = 1.0 - (1.0 - confidence) / 2.0
        above, below = self.above.interval(each), self.below.interval(each)
        if above is None or below is None or below[1] <= 0.0:
            return None
        high = inf if below[0] <= 0.0 else self.scale * max(above[1], 0.0) / below[0]
        return self.scale * max(above[0], 0.0) / below[1], high

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of quotient >= bound."""
        return smallest_tail(self, lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of quotient <= bound."""
        return smallest_tail(self, lambda ends: ends[1] <= bound)


def smallest_tail(found: Inference, holds: Holds) -> float:
    """Return the smallest tail at which an interval still shows something: word and interval agree.

    >>> from assay.stats.inference import Exact
    >>> round(smallest_tail(Exact(0, 10), lambda ends: ends[1] <= 0.3085), 3)
    0.025
    """
    low, high = 0.0, 0.5
    for _ in range(50):
        middle = (low + high) / 2.0
        ends = found.interval(1.0 - 2.0 * middle) if 0.0 < middle < 0.5 else None
        if ends is not None and holds(ends):
            high = middle
        else:
            low = middle
    return 1.0 if high == 0.5 else high


def quotient(above: Inference, below: Inference, *, scale: float = 1.0) -> Inference:
    """Return ``scale * above / below``, or why there is no such number.

    >>> quotient(Undefined("not measured"), Undefined("nothing")).method
    'undefined: not measured'
    """
    for part in (above, below):
        if isinstance(part, Undefined):
            return part
    if below.value is not None and below.value <= 0.0:
        return Undefined("nothing to divide by: the divisor is zero")
    if isinstance(above, Census) and isinstance(below, Census):
        return Census(scale * above.value / below.value)
    return Quotient(above=above, below=below, scale=scale)


def is_census(inference: Inference) -> bool:
    """Whether any part of a number speaks of these records only, so that the whole does too.

    >>> from assay.stats.inference import Exact
    >>> is_census(quotient(Census(2.0), Exact(80, 100)))
    True
    """
    match inference:
        case Census():
            return True
        case Envelope(cases=cases):
            return any(map(is_census, cases))
        case Quotient(above=above, below=below):
            return is_census(above) or is_census(below)
    return False
