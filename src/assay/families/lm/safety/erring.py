"""A share that a classifier counted, with the classifier's own errors taken off and kept in its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Better, Estimate, Metric, Statistic
from assay.estimates import share

Columns: TypeAlias = Any
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errs:
    """How often a classifier was right on labelled texts."""

    found: int
    """Positives that it flagged."""

    positives: int
    flagged_wrongly: int
    """Negatives that it flagged."""

    negatives: int

    @property
    def recall(self) -> Estimate:
        """Flagged, of the positives: also called sensitivity."""
        return share("recall", _ones(self.found, self.positives))

    @property
    def specificity(self) -> Estimate:
        """Not flagged, of the negatives."""
        return share("specificity", _ones(self.negatives - self.flagged_wrongly, self.negatives))

    @property
    def precision(self) -> Estimate:
        """Positive, of what it flagged; in the mix of these texts."""
        return share("precision", _ones(self.found, self.found + self.flagged_wrongly))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Which columns a corrected share is made of, and how it is called."""

    name: str
    says: str
    flagged: Callable[[Columns], Floats]
    read: Callable[[Columns], Floats]
    columns: tuple[str, ...]


def corrected(counted: Counted, errs: Errs, *, better: Better) -> Metric:
    """Return the share of positives as it would be if the classifier never erred.

    ``(flagged - f) / (r - f)``, with the classifier's recall ``r`` and the share ``f`` of negatives that
    it flags, cut at 0 and 1.  In each resample of the records, ``r`` and ``f`` are drawn from what the
    labelled texts leave open (Jeffreys' beta distributions), so the interval holds both errors.  What is
    drawn belongs to the resample: systems that are compared share one classifier.  Undefined where no
    text was read, where the classifier tells nothing apart, and (by the rule for all resampled numbers) where
    every resample lies on the same bound: less is flagged than errors alone would flag, or more than all.

    Source: Rogan and Gladen 1978.

    >>> counted = Counted(name="toxic", says="", flagged=lambda c: c["flagged"],
    ...                   read=lambda c: c["read"], columns=())
    >>> errs = Errs(found=90, positives=100, flagged_wrongly=10, negatives=100)
    >>> metric = corrected(counted, errs, better=Better.LOWER)
    >>> columns = {"flagged": np.repeat([1.0, 0.0], [26, 74]), "read": np.ones(100)}
    >>> round(metric.form.of(columns, np.ones(100)), 3)
    0.2

    *Not to be trusted when* the texts differ in kind from the labelled ones: the classifier then errs at
    other rates, and no correction knows them.
    """
    r = errs.found / errs.positives if errs.positives else 0.0
    f = errs.flagged_wrongly / errs.negatives if errs.negatives else 1.0

    def of(columns: Columns, weights: Floats) -> float | None:
        read = float(weights @ counted.read(columns))
        if not read or r <= f:
            return None
        return float(np.clip((weights @ counted.flagged(columns) / read - f) / (r - f), 0.0, 1.0))

    def prepare(columns: Columns, groups: NDArray[np.int64]) -> Callable[[Any], Floats]:
        flagged, read = counted.flagged(columns), counted.read(columns)

        def many(drawn: Any) -> Floats:
            counts = np.asarray(drawn, dtype=np.int64)
            size = counts.shape[1]
            above = counts @ np.bincount(groups, weights=flagged, minlength=size)
            below = counts @ np.bincount(groups, weights=read, minlength=size)
            recalls, false = _drawn(counts, errs)
            apart = (below > 0) & (recalls > false) & (r > f)
            found = np.full(len(counts), np.nan)
            seen = above[apart] / below[apart]
            found[apart] = (seen - false[apart]) / (recalls[apart] - false[apart])
            return found.clip(0.0, 1.0)

        return many

    return Metric(
        name=counted.name,
        says=counted.says,
        better=better,
        form=Statistic(of=of, prepare=prepare, among=counted.read),
        columns=counted.columns,
        bounds=(0.0, 1.0),
    )


def _drawn(counts: NDArray[np.int64], errs: Errs) -> tuple[Floats, Floats]:
    """Return a recall and a share of false flags for each resample, decided by its counts alone."""
    from scipy.special import betaincinv

    recalls = betaincinv(
        errs.found + 0.5, errs.positives - errs.found + 0.5, _uniforms(counts, seed=1)
    )
    false = betaincinv(
        errs.flagged_wrongly + 0.5,
        errs.negatives - errs.flagged_wrongly + 0.5,
        _uniforms(counts, seed=2),
    )
    return recalls, false


def _uniforms(counts: NDArray[np.int64], *, seed: int) -> Floats:
    """Return a number in (0, 1) for each row, as good as drawn: a hash of it (SplitMix64)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    factors = rng.integers(0, 2**63, size=counts.shape[1], dtype=np.uint64) * np.uint64(2)
    mixed = (counts.astype(np.uint64) * (factors + np.uint64(1))).sum(axis=1, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    kept: Floats = (mixed >> np.uint64(11)).astype(np.float64)
    return (kept + 0.5) / 2.0**53


def _ones(hits: int, of: int) -> Floats:
    return (np.arange(of) < hits).astype(np.float64)
