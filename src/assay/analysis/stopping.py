"""Numbers of a run that may stop early: confidence sequences over groups in the order asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np

from ..core.metric import Metric, Over, Ratio
from ..core.verdict import Outcome
from ..stats import sequential
from ..stats.inference import Inference, Undefined
from ..store.columns import CODE, Floats
from .crashes import WITH_ANSWER, WITHOUT, can_be_imputed, in_every_case
from .table import Table

FIRST = 20
"""Groups before the first look: fewer could decide little, and every look builds systems again."""

NO_SEQUENCE = Undefined("no sequence for this metric in a run that may stop early")
UNPAIRED = Undefined("no sequence for this comparison in a run that may stop early")
ONE_LOOK = "not for a run that may stop early: its intervals hold for one look only"
"""Said where something is left out of what is derived."""

_UNIT = (0.0, 1.0)


def looks(n_groups: int) -> tuple[int, ...]:
    """Return after how many groups a run is looked at: they double, and the last look is at all.

    >>> looks(356)
    (20, 40, 80, 160, 320, 356)
    """
    found, k = [], FIRST
    while k < n_groups:
        found.append(k)
        k *= 2
    return (*found, n_groups)


def in_order(groups: Iterable[str], *, seed: int) -> list[str]:
    """Return groups in the order in which they are asked: by a hash of the seed and the name.

    Names are hashed with a word that ``take`` does not use: which groups a limit keeps says nothing
    of their order.
    """
    return sorted(set(groups), key=lambda name: sha256(f"{seed}/stop/{name}".encode()).digest())


def is_followed(metric: Metric) -> bool:
    """Whether a metric is a share that counts a sample at most once, by its outcome alone.

    What one group can add is then known before anything is asked.

    >>> from assay.analysis.metrics import accuracy, latency_mean
    >>> is_followed(accuracy), is_followed(latency_mean)
    (True, False)
    """
    form = metric.form
    if not isinstance(form, Ratio) or metric.bounds != _UNIT or not can_be_imputed(metric):
        return False
    may = [(o, 0.0) for o in (*WITH_ANSWER, Outcome.CRASHED)]
    may += [(o, 1.0) for o in (*WITHOUT, Outcome.CRASHED)]
    columns = {o.value: np.array([float(o is one) for one, _ in may]) for o in Outcome}
    columns["asked"] = 1.0 - columns["crashed"]
    columns["no_answer"] = np.array([none for _, none in may])
    above, below = form.numerator(columns), form.denominator(columns)
    return bool(((above >= 0) & (above <= below) & (below <= 1)).all())


def is_paired(metric: Metric) -> bool:
    """Whether two systems are measured on the same questions, whatever they answer."""
    return is_followed(metric) and "asked" in metric.columns


@dataclass(frozen=True, slots=True)
class Sequences:
    """How the numbers of one task are followed from look to look."""

    most: int
    """Samples in the largest group of the whole test split: known before anything is asked."""

    rng: int
    """Orders the groups."""

    @classmethod
    def of(cls, groups: Iterable[str], *, rng: int) -> Sequences:
        """Return how a task is followed; ``groups`` has one entry per sample of its test split."""
        return cls(max(Counter(groups).values()), rng)

    def infer(self, metric: Metric, table: Table, *, over: frozenset[Over]) -> Inference:
        """Follow a share of one system, seeds pooled; undefined for everything else."""
        if over != {Over.SAMPLES} or not is_followed(metric):
            return NO_SEQUENCE
        asked = partial(self._share, metric)
        return in_every_case(asked(table), metric, asked, table)

    def difference(self, metric: Metric, a: Table, b: Table, *, over: frozenset[Over]) -> Inference:
        """Follow ``a - b`` on common samples, seeds pooled; undefined where nothing is paired."""
        if over != {Over.SAMPLES} or not is_paired(metric):
            return UNPAIRED
        asked = partial(self._difference, metric)
        return in_every_case(asked(a, b), metric, asked, a, b)

    def _share(self, metric: Metric, table: Table) -> Inference:
        above, below = self._by_group(metric, table)
        if not below.sum():
            return Undefined(f"nothing to divide by: {metric.says or metric.name}")
        return sequential.share(above, below, most=self.most)

    def _difference(self, metric: Metric, a: Table, b: Table) -> Inference:
        there = _observed(a) & _observed(b)
        kept = [s for s in a.samples if s in there]
        one, asked = self._by_group(metric, a.only(kept))
        two, _ = self._by_group(metric, b.only(kept))
        return sequential.difference(one, two, asked, most=self.most)

    def _by_group(self, metric: Metric, table: Table) -> tuple[Floats, Floats]:
        """Return both terms by group, in the order asked, as means over seeds."""
        order = in_order(table.groups, seed=self.rng)
        place = {name: i for i, name in enumerate(order)}
        codes = np.array([place[name] for name in table.groups], dtype=np.intp)
        above, below = (
            # Whole counts first: a mean of what is at most ``below`` then is, to the last bit.
            np.bincount(codes, weights=term.sum(axis=0), minlength=len(order)) / len(table.seeds)
            for term in table.terms(metric)
        )
        return above, below


def _observed(table: Table) -> set[str]:
    gone = (table.outcome == CODE["crashed"]).any(axis=0)
    return {s for s, lost in zip(table.samples, gone.tolist(), strict=True) if not lost}
