"""Logits of prompts from heads that did not see their groups: all of them in turn, or a part once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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


class Crossed(NamedTuple):
    """What was found on prompts that no head learnt from while it was asked about them."""

    labels: Labels
    strength: float
    loss: float
    """Negative log-likelihood per prompt, after temperature scaling."""

    at: NDArray[np.int64]
    """[m]: the places of these prompts among the lessons."""

    fold: NDArray[np.int64]
    """[m]: which part each prompt was left out with."""

    logits: Floats
    """[m, classes], each row of a head that did not see the prompt's group."""

    tried: dict[float, float]
    """Loss by strength."""

    def probabilities(self, classes: NDArray[np.int64], form: Form) -> Floats:
        """Return calibrated probabilities; no prompt's calibration saw its group either."""
        found = np.empty_like(self.logits)
        for out in self.parts():
            fitted = fit_calibration(form.calibration, self.logits[~out], classes[~out])
            found[out] = fitted.probabilities(self.logits[out])
        return found

    def parts(self) -> Iterable[NDArray[np.bool_]]:
        """Yield, for each part, which of the prompts were left out with it."""
        return (self.fold == part for part in np.unique(self.fold).tolist())


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

    *Not to be trusted when* groups do not keep together what belongs together, or when ``rows``
    come from an encoder that was taught on the same prompts: that is what ``hold_out`` is for.
    """
    fold = fold_of(lessons, labels, seed=form.seed)

    def left_out(strength: float) -> Floats:
        logits: Floats = np.empty((len(lessons), len(labels)))
        for part in np.unique(fold).tolist():
            out = fold == part
            classes = lessons.classes[~out]
            head = fit_layers(labels, rows[~out], classes, strength=strength, form=form)
            logits[out] = head.logits(rows[out])
        return logits

    best = _search(left_out, lessons.classes, strengths)
    at = np.arange(len(lessons))
    return Crossed(labels, best.strength, best.loss, at, fold, best.logits, best.tried)


def hold_out(
    labels: Labels,
    rows: Any,
    lessons: Lessons,
    held: NDArray[np.bool_],
    *,
    how: tuple[Form, Sequence[float]],
) -> Crossed:
    """Ask the prompts that were held back of a head that learnt from the others; choose the strength.

    ``held`` is what ``held_back`` said; the encoder that made ``rows`` learnt from none of these
    prompts either.  ``how`` is the form of the head and the strengths to try.

    *Not to be trusted when* fewer than some tens of groups were held back.
    """
    form, strengths = how
    classes = lessons.classes[held]

    def left_out(strength: float) -> Floats:
        head = fit_layers(labels, rows[~held], lessons.classes[~held], strength=strength, form=form)
        return head.logits(rows[held])

    best = _search(left_out, classes, strengths)
    at = np.flatnonzero(held)
    dealt: dict[str, int] = {}
    groups = [lessons.groups[place] for place in at.tolist()]
    for group in Draws(form.seed, len(labels)).shuffled(sorted(set(groups))):
        dealt[group] = len(dealt) % FOLDS
    fold = np.array([dealt[group] for group in groups], dtype=np.int64)
    return Crossed(labels, best.strength, best.loss, at, fold, best.logits, best.tried)


def held_back(lessons: Lessons, labels: Labels, *, seed: int) -> NDArray[np.bool_]:
    """Say which prompts are held back from an encoder that is taught: a fifth of the groups.

    Drawn as the first fold of ``fold_of``; groups without which a label could not be learnt are
    given back.  Raises ``DataError`` A200 where fewer than two groups are left to hold back.

    >>> lessons = Lessons(
    ...     texts=("a", "b", "c", "d"), classes=np.array([0, 0, 1, 1]), groups=("g", "h", "i", "j")
    ... )
    >>> held_back(lessons, Labels(names=("x", "y")), seed=0)
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A200 4 groups are too few to hold some back from the encoder
      try: give more prompts that are worded differently, or train without --finetune
    """
    held: NDArray[np.bool_] = fold_of(lessons, labels, seed=seed) == 0
    for number in range(len(labels)):
        lost = lessons.classes == number
        if lost.any() and held[lost].all():
            back = {group for group, out in zip(lessons.groups, lost, strict=True) if out}
            held &= np.array([group not in back for group in lessons.groups])
    if len({group for group, out in zip(lessons.groups, held, strict=True) if out}) < 2:
        raise DataError(
            f"{len(set(lessons.groups))} groups are too few to hold some back from the encoder",
            hint="give more prompts that are worded differently, or train without --finetune",
        )
    return held


class _Best(NamedTuple):
    strength: float
    loss: float
    logits: Floats
    tried: dict[float, float]


def _search(
    left_out: Callable[[float], Floats], classes: NDArray[np.int64], strengths: Sequence[float]
) -> _Best:
    """Climb down the log loss along a grid of strengths."""
    grid = sorted(strengths)
    known: dict[int, tuple[float, Floats]] = {}

    def loss_at(place: int) -> float:
        if place not in known:
            logits = left_out(grid[place])
            known[place] = fit_temperature(logits, classes)[1], logits
        return known[place][0]

    best = grid.index(10.0) if 10.0 in grid else len(grid) // 2
    while True:
        near = [p for p in (best - 1, best, best + 1) if 0 <= p < len(grid)]
        lowest = min(near, key=lambda place: (loss_at(place), place))
        if lowest == best:
            break
        best = lowest
    tried = {grid[place]: loss for place, (loss, _) in sorted(known.items())}
    return _Best(grid[best], *known[best], tried)


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


def _require_two_groups(held: dict[str, Counter[int]], labels: Labels) -> None:
    counts = Counter(number for classes in held.values() for number in classes)
    for number, name in enumerate((*labels.names, *labels.reasons)):
        if counts[number] < 2:
            raise DataError(
                f"the label {name!r} has {counts[number]} independent group to learn from; "
                "cross-validation needs 2",
                hint="add prompts that are worded differently, or leave the label out",
            )
