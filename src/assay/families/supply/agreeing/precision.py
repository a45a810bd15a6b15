"""How far a tensor may be from the one it was made of, by the type that it is stored as.

The bounds are those of the codecs: half a unit in the last place for floating point, half a step of the
grid for whole numbers with a scale.  They are worst cases, so that an honest conversion never passes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """The worst that a type does to a number."""

    relative: float = 0.0
    """Of the number itself (floating point)."""

    of_peak: float = 0.0
    """Of the largest number of the tensor (whole numbers with a scale)."""

    absolute: float = 0.0
    """Of any number (the smallest steps of floating point)."""

    cosine: float = 1.0
    """The least cosine of the tensor with its source: below it the type is too coarse for this tensor."""

    def largest(self, peak: float) -> float:
        """Return the largest difference of a number, in a tensor whose largest number is ``peak``.

        >>> Precision(of_peak=0.5).largest(4.0)
        2.0
        """
        return (self.relative + self.of_peak) * peak + self.absolute

    def share(self, peak: float, norm: float, numbers: int) -> float:
        """Return the largest relative error (Frobenius) of a tensor of so many numbers.

        >>> Precision(relative=0.25).share(peak=3.0, norm=5.0, numbers=2)
        0.25
        """
        if not norm:
            return 0.0 if not self.absolute else float("inf")
        return self.relative + (self.of_peak * peak + self.absolute) * sqrt(numbers) / norm


_ROUND = 2.0**-11
"""What a scale that is kept in half precision adds, of the largest number."""

EXACT = Precision()
_BY_TYPE = {
    "F16": Precision(relative=2.0**-11, absolute=2.0**-25, cosine=0.999999),
    "BF16": Precision(relative=2.0**-8, absolute=2.0**-133, cosine=0.99998),
    "APR_Q8": Precision(of_peak=0.5 / 127 + 1e-6, cosine=0.99),
    "APR_Q4": Precision(of_peak=0.5 / 7 + _ROUND, cosine=0.95),
    "Q8_0": Precision(of_peak=0.5 / 127 + _ROUND, cosine=0.999),
    "Q5_0": Precision(of_peak=1 / 16 + _ROUND, cosine=0.98),
    "Q5_1": Precision(of_peak=1 / 31 + 2 * _ROUND, cosine=0.98),
    "Q4_0": Precision(of_peak=1 / 8 + _ROUND, cosine=0.95),
    "Q4_1": Precision(of_peak=1 / 15 + 2 * _ROUND, cosine=0.95),
    # llama.cpp chooses the scales of these by least squares, so that a large number may be cut off:
    # the bounds are twice the half step of the grid and the step of the scales together.
    "Q6_K": Precision(of_peak=1 / 16, cosine=0.995),
    "Q5_K": Precision(of_peak=1 / 8, cosine=0.98),
    "Q4_K": Precision(of_peak=1 / 4, cosine=0.95),
    "Q3_K": Precision(of_peak=1 / 2, cosine=0.93),
    "Q2_K": Precision(of_peak=1.0, cosine=0.88),
}


def precision_of(dtype: str) -> Precision:
    """Return what a type may do to a tensor; ``EXACT`` for a type without a bound of its own (F32, integers).

    >>> round(precision_of("Q8_0").largest(127.0), 2), precision_of("F32") is EXACT
    (0.56, True)
    """
    return _BY_TYPE.get(dtype, EXACT)
