"""Many claims at once: which p-values stand, and at what level each was tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.errors import DataError

from .arrays import WRONG, level


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One hypothesis of a family, tested.  ``p <= level`` exactly when it is rejected."""

    p: float
    adjusted: float
    """The smallest alpha of the family at which it is rejected."""

    level: float
    """The level that the procedure left to this hypothesis."""

    rejected: bool


def holm(pvalues: Mapping[str, float], *, alpha: float = 0.025) -> dict[str, Tested]:
    """Control the chance of any false rejection, stepping down from the smallest p-value.

    The first is tested at alpha / m, the next at alpha / (m - 1), and so on; from the first that
    is not rejected on, all are tested at the level where it stopped.  Equal p-values share the
    level of the first of them, so the order of names does not matter.

    Give a claim that has no p-value the p-value 1: were it left out, the others would be tested at a
    level that depends on what became of it.

    Raises DataError A202 for a p-value outside of [0, 1].
    Source: Holm 1979.

    >>> tested = holm({"a": 0.001, "b": 0.02, "c": 0.5})
    >>> [(name, t.rejected, round(t.level, 4)) for name, t in tested.items()]
    [('a', True, 0.0083), ('b', False, 0.0125), ('c', False, 0.0125)]

    Not to be trusted when the p-values are not one-sided in one direction each: give support and
    refutation a family of their own.
    """
    _check(pvalues, alpha)
    m = len(pvalues)
    ordered = sorted(pvalues.values())
    found: dict[float, Tested] = {}
    adjusted, stopped_at = 0.0, None
    for p in sorted(set(ordered)):
        remaining = m - ordered.index(p)
        adjusted = min(1.0, max(adjusted, remaining * p))
        here = alpha / remaining if stopped_at is None else stopped_at
        rejected = p <= here
        stopped_at = None if rejected else here
        found[p] = Tested(p=p, adjusted=adjusted, level=here, rejected=rejected)
    return {name: found[p] for name, p in pvalues.items()}


def bonferroni(pvalues: Mapping[str, float], *, alpha: float = 0.025) -> dict[str, Tested]:
    """Control the chance of any false rejection with one level, alpha / m, for all.

    Raises DataError A202 for a p-value outside of [0, 1].
    Source: Dunn 1961.

    >>> bonferroni({"a": 0.001, "b": 0.02})["b"].rejected
    False

    Not to be trusted as the better choice: ``holm`` rejects whatever this does, and more.
    """
    _check(pvalues, alpha)
    m = len(pvalues)
    return {
        name: Tested(p=p, adjusted=min(1.0, m * p), level=alpha / m, rejected=p <= alpha / m)
        for name, p in pvalues.items()
    }


def benjamini_hochberg(pvalues: Mapping[str, float], *, rate: float = 0.05) -> dict[str, Tested]:
    """Control the expected share of false rejections among all rejections.

    Each is tested at rate * r / m, r being the number rejected (1 where none is).

    Raises DataError A202 for a p-value outside of [0, 1].
    Source: Benjamini and Hochberg 1995.

    >>> tested = benjamini_hochberg({"a": 0.01, "b": 0.04, "c": 0.5})
    >>> round(tested["a"].adjusted, 3), tested["a"].rejected, tested["b"].rejected
    (0.03, True, False)

    Not to be trusted when the p-values are negatively dependent.
    """
    _check(pvalues, rate)
    m = len(pvalues)
    ordered = sorted(pvalues.values())
    adjusted: dict[float, float] = {}
    smallest = 1.0
    for rank in range(m, 0, -1):
        p = ordered[rank - 1]
        smallest = min(smallest, p * m / rank)
        adjusted.setdefault(p, smallest)
        adjusted[p] = min(adjusted[p], smallest)
    count = sum(adjusted[p] <= rate for p in ordered)
    here = rate * max(count, 1) / max(m, 1)
    return {
        name: Tested(p=p, adjusted=adjusted[p], level=here, rejected=p <= here)
        for name, p in pvalues.items()
    }


def _check(pvalues: Mapping[str, float], alpha: float) -> None:
    level("alpha", alpha)
    for name, p in pvalues.items():
        if not 0 <= p <= 1:
            raise DataError(f"The p-value of {name!r} is {p}", code=WRONG)
