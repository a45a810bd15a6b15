"""From what two systems said to the same samples, to Tango's score of the difference of two shares."""

from __future__ import annotations

import numpy as np

from .arrays import Floats, finite
from .discordance import PairedScore
from .jackknife import Spread, Terms, Totals

_ROUNDING = 1e-9
_ALIKE = "all answers to each alike"
_UNSEEN = 3.0
"""Samples that differ whole, and are counted in where the answers to a sample differ."""


def of_records(a: Terms, b: Terms, moved: Spread, *, groups: float = 0.0) -> PairedScore:
    """Infer from records of one answer each, in so many groups; 0: one sample per group.

    Source: Tango 1998; with groups at n / max(design effect, 1), and Student's t.

    >>> sure = Spread(variance=0.1, df=4)
    >>> of_records(([1, 1, 0, 1], [1] * 4), ([0, 1, 0, 0], [1] * 4), sure).method
    'Tango score, 4 samples'

    Not to be trusted when fewer than about five groups differ at all.
    """
    n = float(np.sum(a[1]))
    gap = finite("a", a[0]) - finite("b", b[0])
    gained, lost = float(gap.clip(min=0).sum() / n), float((-gap).clip(min=0).sum() / n)
    simple = (gained + lost - (gained - lost) ** 2) / n
    if not groups:
        return PairedScore(gained=gained, lost=lost, n_eff=n, method=f"Tango score, {n:g} samples")
    if simple <= 0:
        # All differ one way: nothing shows how alike the samples of a group are, so groups count.
        said = f"Tango score, all samples differ one way, {groups:.3g} groups count"
        return PairedScore(gained=gained, lost=lost, n_eff=groups, df=groups - 1, method=said)
    effect = max(moved.variance / simple, 1.0)
    return PairedScore(
        skew=moved.skew,
        gained=gained,
        lost=lost,
        n_eff=n / effect,
        df=moved.df,
        method=f"Tango score, {n:g} samples in groups, design effect {effect:.2g}, "
        f"t with {moved.df:.3g} df",
    )


def of_answers(gaps: Floats) -> PairedScore:
    """Infer from samples that were asked several times, each a group of its own.

    ``gaps`` has shape [samples]: the share of the first system's answers that is right less that of the
    second's, each within [-1, 1] and not all zero.  Where all answers to a sample are alike, this is
    Tango's interval of one answer to each.  Where they differ, gaps vary less than right and wrong do,
    and the samples count for more by as much, seen with three more that differ whole: few gaps do not
    show those that are rare and large.

    Source: Tango 1998; the three are tuned by simulation, see docs/statistics.md.

    >>> of_answers(np.array([1.0, 0.0, -1.0, 1.0])).method
    'Tango score, 4 samples, all answers to each alike'
    >>> of_answers(np.array([0.5, 0.0, -0.5, 0.0])).method
    'Tango score, 4 samples, answers to each worth 1.14'

    Not to be trusted when there are fewer than about 10 samples.
    """
    n = len(gaps)
    gained, lost = float(gaps.clip(min=0).mean()), float((-gaps).clip(min=0).mean())
    known = _UNSEEN - n * (gained - lost) ** 2
    worth = (n * (gained + lost) + known) / (float((gaps**2).sum()) + known)
    said = f"answers to each worth {worth:.3g}" if worth > 1 + _ROUNDING else _ALIKE
    return PairedScore(
        gained=gained, lost=lost, n_eff=n * worth, method=f"Tango score, {n} samples, {said}"
    )


def is_one_sample_each(terms: Terms, sums: Totals) -> bool:
    """Whether each group is one record, and all were asked equally often, as under several seeds."""
    alone = np.count_nonzero(terms[1]) == len(sums.denominator)
    return bool(alone and (sums.denominator == sums.denominator[0]).all())
