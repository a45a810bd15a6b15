"""Rivals that learn next to nothing, or by other means: a constant, boosted trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay import Built, DataError, Needs, PlanError, Sample

from ..extras import extra, require
from ..learning.head import NONE, Read, best_gate
from ..learning.rows import Rows, Scale, Values, rows_of
from ..learning.tries import factors
from ..learning.two_heads import decided
from .answering import Reader
from .learner import gated, steady


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantValue:
    """The recipe ``science.constant``: the same for every row.

    ``median`` or ``zero`` of the value; ``decline``: the commonest reason, whatever is asked;
    ``likeliest``: the median, or the commonest reason where
    more training rows have that one.

    >>> ConstantValue(say="zero").seeded
    False
    """

    say: Literal["median", "zero", "decline", "likeliest"] = "median"
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Look at the training targets once."""
        rows = rows_of(train)
        width = rows.y.shape[1]
        value = np.zeros(width)
        if self.say != "zero" and rows.there.any():
            value = np.median(rows.y[rows.there], axis=0)
        counts = np.bincount(rows.kind, minlength=1 + len(rows.reasons)) / max(1, len(rows.kind))
        declines = self.say == "decline" or (self.say == "likeliest" and counts.argmax() > 0)
        reason = 1 + int(counts[1:].argmax()) if len(counts) > 1 else NONE
        scale = Scale(
            x_mean=np.zeros(1), x_sd=np.ones(1), y_mean=np.zeros(width), y_sd=np.ones(width)
        )

        def read(x: NDArray[np.float64]) -> Read:
            n = len(x)
            return Read(
                value=np.tile(value, (n, 1)),
                confidence=np.full(n, counts[0]),
                declines=np.full(n, declines),
                reason=np.full(n, reason, dtype=np.int64),
                fault=np.zeros(n, dtype=np.bool_),
            )

        return Built(system=Reader(read=read, scale=scale, reasons=rows.reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The recipe ``science.trees``: boosted trees for the class, and for each output of the value.

    Histogram gradient boosting of scikit-learn.  With ``tries`` more than one, depth and rate are
    tuned on the tune rows, by the same score as networks.  No seed: nothing in them is drawn.
    """

    iterations: int = 200
    rate: float = 0.1
    leaves: int = 31
    tries: int = 1
    gate: Literal["tuned", "never"] = "tuned"
    """When it declines: below the confidence that is best on tune rows, or never."""

    values: Values = "plain"
    """How values are taught: as they are, or as ``arsinh`` of them, for relative errors."""

    seeded: bool = False
    needs: Needs = Needs(memory_mb=600)

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no tree can have."""
        wrong = self.iterations < 1 or not 0 < self.rate <= 1 or self.leaves < 2 or self.tries < 1
        if wrong:
            raise PlanError(
                "science.trees: an option is out of range",
                hint="iterations and tries are 1 or more, leaves 2 or more, rate in (0, 1]",
                code="A102",
            )

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Grow the trees of every try, and keep those that are best on the tune rows.

        Raises ``DataError`` A200 where no training sample has a value, or there is no tune sample.
        """
        require("sklearn")
        rows = rows_of(train)
        if not rows.there.any():
            raise DataError("no training sample has a value", hint="look at the task's options")
        if not tune:
            raise DataError("there is no tune sample", hint="the threshold is chosen on some")
        scale = Scale.of(rows, self.values)
        held = rows_of(tune, rows.reasons)
        x, wanted = scale.inward(held.x), scale.wanted(held.y)
        found = []
        for rate, leaves in self._tries():
            grown = _Grown.of(rows, scale, self.iterations, rate, leaves)
            read = steady(grown.read)
            found.append((best_gate(read(x), held, wanted), rate, leaves, read))
        gate, rate, leaves, read = min(found, key=lambda one: one[0].score)
        read = gated(read, gate.threshold if self.gate == "tuned" else 0.0)
        return Built(
            system=Reader(read=read, scale=scale, reasons=rows.reasons),
            notes={
                "tune_score": round(gate.score, 6),
                "gate": round(gate.threshold, 6),
                "rate": rate,
                "leaves": leaves,
                "tries": self.tries,
            },
        )

    def _tries(self) -> list[tuple[float, int]]:
        tried = [
            (min(self.rate * rate, 1.0), max(round(self.leaves * leaves), 2))
            for rate, leaves in zip(factors(self.tries), factors(self.tries, base=3), strict=True)
        ]
        return [(self.rate, self.leaves), *tried]


@dataclass(frozen=True, slots=True)
class _Grown:
    classifier: Any
    regressors: tuple[Any, ...]
    classes: int
    known: NDArray[np.int64]
    """Classes that training has."""

    @classmethod
    def of(cls, rows: Rows, scale: Scale, iterations: int, rate: float, leaves: int) -> _Grown:
        ensemble = extra("sklearn.ensemble")
        given = {
            "max_iter": iterations,
            "learning_rate": rate,
            "max_leaf_nodes": leaves,
            "early_stopping": False,
            # It matters to tables of more than 200,000 rows only, whose quantiles are of a part.
            "random_state": 0,
        }
        x, there = scale.inward(rows.x), rows.there
        y = scale.wanted(rows.y)
        known = np.unique(rows.kind)
        classifier = None
        if len(known) > 1:
            classifier = ensemble.HistGradientBoostingClassifier(**given).fit(x, rows.kind)
        regressors = tuple(
            ensemble.HistGradientBoostingRegressor(**given).fit(x[there], y[there, k])
            for k in range(y.shape[1])
        )
        return cls(classifier, regressors, 1 + len(rows.reasons), known)

    def read(self, x: NDArray[np.float64]) -> Read:
        odds = np.zeros((len(x), self.classes))
        odds[:, self.known] = 1.0 if self.classifier is None else self.classifier.predict_proba(x)
        value = np.stack([each.predict(x) for each in self.regressors], axis=1)
        return decided(odds, value)
