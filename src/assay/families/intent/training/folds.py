"""Cross-fitting: every prompt's logits come from a head that did not see its group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay import DataError

from ..draws import Draws
from ..heads.calibrating import fit_calibration, fit_temperature
from ..heads.calibration import Floats
from ..heads.fitting import Form, fit_layers
from ..labels import Labels
from ..lessons import Lessons

FOLDS = 5
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Inverse strengths C, of which a search that starts at 10 climbs down the log loss."""

_FIRST = STRENGTHS.index(10.0)


class Crossed(NamedTuple):
    """What cross-fitting found."""

    strength: float
    loss: float
    """Negative log-likelihood per prompt, after temperature scaling."""

    fold: NDArray[np.int64]
    """[n]: which part each prompt was left out with."""

    logits: Floats
    """[n, classes], each row of the head that did not see the prompt's group."""

    tried: dict[float, float]
    """Loss by strength."""

    def probabilities(self, classes: NDArray[np.int64], form: Form) -> Floats:
        """Return calibrated probabilities; no prompt's calibration saw its group either."""
        found = np.empty_like(self.logits)
        for part in np.unique(self.fold).tolist():
            out = self.fold == part
            fitted = fit_calibration(form.calibration, self.logits[~out], classes[~out])
            found[out] = fitted.probabilities(self.logits[out])
        return found


def cross_fit(
    labels: Labels,
    rows: Any,
    lessons: Lessons,
    *,
    form: Form,
    strengths: Sequence[float] = STRENGTHS,
) -> Crossed:
    """Leave out each fifth of the groups in turn; choose the strength with the lowest log loss.

    ``rows`` are features [n, d], dense or CSR.  The losses along a grid have one valley: the search
    begins at C = 10 and stops where both neighbours are worse.  Raises ``DataError`` A200 for a
    label in one group: nobody can learn it and find out whether it was learnt.

    *Not to be trusted when* groups do not keep together what belongs together.
    """
    fold = fold_of(lessons, labels, seed=form.seed)
    grid = sorted(strengths)
    known: dict[int, tuple[float, Floats]] = {}

    def loss_at(place: int) -> float:
        if place not in known:
            logits = _left_out(labels, rows, lessons, fold, grid[place], form)
            known[place] = fit_temperature(logits, lessons.classes)[1], logits
        return known[place][0]

    best = grid.index(10.0) if 10.0 in grid else len(grid) // 2
    while True:
        near = [p for p in (best - 1, best, best + 1) if 0 <= p < len(grid)]
        lowest = min(near, key=lambda place: (loss_at(place), place))
        if lowest == best:
            break
        best = lowest
    tried = {grid[place]: loss for place, (loss, _) in sorted(known.items())}
    return Crossed(grid[best], known[best][0], fold, known[best][1], tried)


def fold_of(lessons: Lessons, labels: Labels, *, seed: int) -> NDArray[np.int64]:
    """Deal whole groups to five folds, class by class; a group goes with its most frequent class.

    Raises ``DataError`` A200 for a class in fewer than two groups.

    >>> lessons = Lessons(
    ...     texts=("a", "b", "c", "d"), classes=np.array([0, 0, 1, 1]), groups=("g", "h", "i", "j")
    ... )
    >>> sorted(fold_of(lessons, Labels(names=("x", "y")), seed=0).tolist())
    [0, 1, 2, 3]
    """
    held: dict[str, Counter[int]] = {}
    for group, number in zip(lessons.groups, lessons.classes.tolist(), strict=True):
        held.setdefault(group, Counter())[number] += 1
    _require_two_groups(held, labels)
    strata: dict[int, list[str]] = {}
    for group in sorted(held):
        classes = held[group]
        strata.setdefault(min(classes, key=lambda k: (-classes[k], k)), []).append(group)
    dealt: dict[str, int] = {}
    for number, groups in sorted(strata.items()):
        for group in Draws(seed, number).shuffled(groups):
            dealt[group] = len(dealt) % FOLDS
    return np.array([dealt[group] for group in lessons.groups], dtype=np.int64)


def _left_out(
    labels: Labels,
    rows: Any,
    lessons: Lessons,
    fold: NDArray[np.int64],
    strength: float,
    form: Form,
) -> Floats:
    logits: Floats = np.empty((len(lessons), len(labels)))
    for part in np.unique(fold).tolist():
        out = fold == part
        head = fit_layers(labels, rows[~out], lessons.classes[~out], strength=strength, form=form)
        logits[out] = head.logits(rows[out])
    return logits


def _require_two_groups(held: dict[str, Counter[int]], labels: Labels) -> None:
    counts = Counter(number for classes in held.values() for number in classes)
    for number, name in enumerate((*labels.names, *labels.reasons)):
        if counts[number] < 2:
            raise DataError(
                f"the label {name!r} has {counts[number]} independent group to learn from; "
                "cross-validation needs 2",
                hint="add prompts that are worded differently, or leave the label out",
            )
