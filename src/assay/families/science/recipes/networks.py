"""Ordinary networks: two heads, a softmax over intervals, an ensemble, conformal sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assay import DataError, PlanError, Sample

from ..learning.binned import Binned
from ..learning.head import Head, Read
from ..learning.rows import VALUE, Rows, rows_of
from ..learning.together import Lesson
from ..learning.two_heads import TwoHeads, decided
from .learner import GateRule, Learner, Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoHeaded(Learner):
    """The recipe ``science.two_heads``: a class (a value, or a reason) and a value.

    >>> TwoHeaded(epochs=3).seeded
    True
    """

    weight: float = 1.0
    """What the value's error counts beside the cross-entropy."""

    spread: bool = False
    """Whether a value comes with a standard deviation (Gaussian likelihood in the place of the error)."""

    made_by: ClassVar[str] = "science.two_heads"

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no network can have."""
        Learner.__post_init__(self)
        if self.weight <= 0:
            raise PlanError(
                f"{self.made_by}.weight is {self.weight}", hint="give more than 0", code="A102"
            )

    def head(self, rows: Rows) -> Head:
        """Return both heads."""
        return TwoHeads(
            width=rows.y.shape[1],
            reasons=len(rows.reasons),
            weight=self.weight,
            spread=self.spread,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(Learner):
    """The recipe ``science.softmax``: the whole distribution of the value, and declining, as classes."""

    bins: int = 40
    made_by: ClassVar[str] = "science.softmax"

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no network can have."""
        Learner.__post_init__(self)
        if not 2 <= self.bins <= 1000:
            raise PlanError(
                f"{self.made_by}.bins is {self.bins}", hint="give 2 to 1000", code="A102"
            )

    def head(self, rows: Rows) -> Head:
        """Return the classes and the intervals."""
        return Binned(width=rows.y.shape[1], reasons=len(rows.reasons), bins=self.bins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble(Learner):
    """The recipe ``science.ensemble``: several networks that began elsewhere, averaged.

    Class probabilities and values are means; the spread of a value has the networks' own and that
    between them (Lakshminarayanan et al., 2017).
    """

    members: int = 5
    made_by: ClassVar[str] = "science.ensemble"

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no network can have."""
        Learner.__post_init__(self)
        if not 2 <= self.members <= 100:
            raise PlanError(
                f"{self.made_by}.members is {self.members}", hint="give 2 to 100", code="A102"
            )

    @property
    def networks(self) -> int:
        """How many networks make one system."""
        return self.members

    def head(self, rows: Rows) -> Head:
        """Return the heads of each."""
        return TwoHeads(width=rows.y.shape[1], reasons=len(rows.reasons), spread=True)

    def reader(self, lesson: Lesson, weights: Sequence[Mapping[str, NDArray[np.float64]]]) -> Reads:
        """Return how rows are read: by all networks, then averaged."""

        def read(x: NDArray[np.float64]) -> Read:
            reads = [lesson.head.read(lesson.shape.say(x, mine), mine) for mine in weights]
            values = np.stack([one.value for one in reads])
            odds = np.stack([_known(one.odds) for one in reads]).mean(axis=0)
            within = np.stack([_known(one.sd) ** 2 for one in reads]).mean(axis=0)
            made = decided(odds, values.mean(axis=0), sd=np.sqrt(within + values.var(axis=0)))
            return replace(made, fault=np.any([one.fault for one in reads], axis=0))

        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformal(TwoHeaded):
    """The recipe ``science.conformal``: it answers where *a value* is the only class left.

    Half of the groups of tune rows choose the epoch, the others say how strange a row of a class may
    be (class-conditional split conformal classification; Vovk et al., 2005; Sadinle et al., 2019).  A
    class is left where more than ``alpha`` of its rows are as strange; with several left, or none,
    it declines, for the likeliest reason.  So of new rows without a value at most ``alpha`` are
    answered, for each reason, whatever the network is worth.

    *Not to be trusted when* tune rows are dependent (the promise is for rows that could change places),
    or the rows asked are others than those of tune.
    """

    alpha: float = 0.05
    gate: GateRule = "own"
    made_by: ClassVar[str] = "science.conformal"

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no network can have."""
        TwoHeaded.__post_init__(self)
        if not 0 < self.alpha < 1:
            raise PlanError(
                f"{self.made_by}.alpha is {self.alpha}", hint="give a share in (0, 1)", code="A102"
            )

    def lesson(self, train: Sequence[Sample], tune: Sequence[Sample]) -> Lesson:
        """Return what is learnt from: every second group of tune rows is held back.

        Raises ``DataError`` A200 where there is one group only.
        """
        place = {group: i for i, group in enumerate(dict.fromkeys(s.cluster for s in tune))}
        if len(place) < 2:
            raise DataError(
                "conformal sets need two groups of tune samples",
                hint="one chooses the epoch, the other says what is strange",
            )
        lesson = Learner.lesson(self, train, [s for s in tune if place[s.cluster] % 2 == 0])
        held = [s for s in tune if place[s.cluster] % 2]
        return replace(lesson, held=rows_of(held, lesson.train.reasons))

    def reader(self, lesson: Lesson, weights: Sequence[Mapping[str, NDArray[np.float64]]]) -> Reads:
        """Return how rows are read: classes that are not too strange are left."""
        [mine] = weights
        head, shape = lesson.head, lesson.shape
        held = lesson.held
        assert held is not None
        odds = _known(head.read(shape.say(lesson.scale.inward(held.x), mine), mine).odds)
        scores = _strangeness(odds)
        strange = [np.sort(scores[held.kind == kind, kind]) for kind in range(odds.shape[1])]

        def read(x: NDArray[np.float64]) -> Read:
            said = head.read(shape.say(x, mine), mine)
            scored = _strangeness(_known(said.odds))
            likely = np.stack(
                [_as_strange(known, scored[:, k]) for k, known in enumerate(strange)], 1
            )
            left = likely > self.alpha
            alone = left[:, VALUE] & (left.sum(axis=1) == 1)
            rivals = likely[:, 1:].max(axis=1, initial=0.0)
            sure = likely[:, VALUE] / (likely[:, VALUE] + rivals)
            return replace(said, declines=~alone, confidence=np.nan_to_num(sure))

        return read


def _strangeness(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how strange each row is as one of each class, shape [rows, classes]."""
    # Rounded: a batch of another size may change the last bits, and equal ones must stay equal.
    return np.asarray(np.round(1.0 - odds, 9), dtype=np.float64)


def _as_strange(known: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of rows that are at least as strange, one more counted in: a p-value."""
    above = len(known) - np.searchsorted(known, score, side="left")
    return np.asarray((above + 1.0) / (len(known) + 1.0), dtype=np.float64)


def _known(found: NDArray[np.float64] | None) -> NDArray[np.float64]:
    assert found is not None
    return found
