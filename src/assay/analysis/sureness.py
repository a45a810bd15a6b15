"""The metrics of a confidence: how well it tells right answers from wrong ones.

They speak of answers that have a confidence, as the system gave them: thresholds are not applied,
because a threshold changes what is said and not how sure the system was.
"""

from __future__ import annotations

import numpy as np

from ..core.metric import Array, Better, Columns, Metric, Ratio, Statistic
from ..stats import calibration, selective, surest
from ..stats.resamples import Prepared
from .metrics import ANSWERED, total

COLUMNS = (*ANSWERED, "asked", "confidence")


def _has(columns: Columns) -> Array:
    return total(*ANSWERED)(columns) * ~np.isnan(columns["confidence"])


def _brier(columns: Columns) -> Array:
    return np.where(_has(columns) > 0, (columns["confidence"] - columns["correct"]) ** 2, 0.0)


def _nll(columns: Columns) -> Array:
    sure = np.clip(columns["confidence"], calibration.EDGE, 1 - calibration.EDGE)
    return np.where(
        _has(columns) > 0, -np.log(np.where(columns["correct"] > 0, sure, 1 - sure)), 0.0
    )


def _pairs(columns: Columns, weights: Array) -> tuple[Array, Array, Array]:
    held = (_has(columns) > 0) & (weights > 0)
    return columns["confidence"][held], columns["correct"][held], weights[held]


def _answers(columns: Columns, groups: Array) -> tuple[Array, Array, Array]:
    held = _has(columns) > 0
    return columns["confidence"][held], columns["correct"][held], groups[held]


def _ece(columns: Columns, weights: Array) -> float | None:
    sure, right, weight = _pairs(columns, weights)
    edges = calibration.equal_width()
    return calibration.reliability(sure, right, edges=edges, weights=weight).error


def _many_ece(columns: Columns, groups: Array) -> Prepared:
    sure, right, group = _answers(columns, groups)
    edges = calibration.equal_width()
    return surest.calibration_error(sure, right, groups=group, edges=edges)


def _ece_mass(columns: Columns, weights: Array) -> float | None:
    sure, right, weight = _pairs(columns, weights)
    # Edges from all answers, not from a resample of them.
    edges = calibration.equal_mass(columns["confidence"][_has(columns) > 0])
    return calibration.reliability(sure, right, edges=edges, weights=weight).error


def _many_ece_mass(columns: Columns, groups: Array) -> Prepared:
    sure, right, group = _answers(columns, groups)
    edges = calibration.equal_mass(sure)
    return surest.calibration_error(sure, right, groups=group, edges=edges)


def _aurc(columns: Columns, weights: Array) -> float | None:
    sure, right, weight = _pairs(columns, weights)
    return selective.aurc(sure, right, weights=weight)


def _many_aurc(columns: Columns, groups: Array) -> Prepared:
    sure, right, group = _answers(columns, groups)
    return surest.aurc(sure, right, groups=group)


def _e_aurc(columns: Columns, weights: Array) -> float | None:
    sure, right, weight = _pairs(columns, weights)
    area = selective.aurc(sure, right, weights=weight)
    best = selective.aurc(right, right, weights=weight)
    return None if area is None or best is None else area - best


def _many_e_aurc(columns: Columns, groups: Array) -> Prepared:
    sure, right, group = _answers(columns, groups)
    area = surest.aurc(sure, right, groups=group)
    return surest.less(area, surest.best_aurc(right, groups=group))


def _auroc(columns: Columns, weights: Array) -> float | None:
    sure, right, weight = _pairs(columns, weights)
    return selective.auroc(sure, right, weights=weight)


def _many_auroc(columns: Columns, groups: Array) -> Prepared:
    sure, right, group = _answers(columns, groups)
    return surest.auroc(sure, right, groups=group)


def _accuracy_at(share: float) -> Statistic:
    def of(columns: Columns, weights: Array) -> float | None:
        asked = float((columns["asked"] * weights).sum())
        return selective.accuracy_at(*_pairs(columns, weights), accepted=share * asked)

    def many(columns: Columns, groups: Array) -> Prepared:
        sure, right, group = _answers(columns, groups)
        asked = np.bincount(groups, weights=columns["asked"])
        return surest.accuracy_at(sure, right, groups=group, asked=asked, share=share)

    return Statistic(of=of, prepare=many)


def _metric(name: str, says: str, form: Ratio | Statistic) -> Metric:
    more = name.startswith(("selective", "auroc"))
    better = Better.HIGHER if more else Better.LOWER
    # What lies within 0 and 1 is taken for a share of counts, which a mean of distances is not.
    bounds = (0.0, 1.0) if more else (0.0, float("inf"))
    return Metric(name=name, says=says, better=better, form=form, columns=COLUMNS, bounds=bounds)


brier = _metric(
    "brier",
    "squared distance of the confidence from what came true, of the answers given",
    Ratio(numerator=_brier, denominator=_has),
)
nll = _metric(
    "nll",
    "log loss of the confidence that the answer is right, of the answers given",
    Ratio(numerator=_nll, denominator=_has),
)
ece = _metric(
    "ece",
    "distance of confidence from the share that is right, 15 bins of one width, luck taken off",
    Statistic(of=_ece, prepare=_many_ece, debias=True, among=_has),
)
ece_mass = _metric(
    "ece_mass",
    "distance of confidence from the share that is right, 15 bins of equal size, luck taken off",
    Statistic(of=_ece_mass, prepare=_many_ece_mass, debias=True, among=_has),
)
aurc = _metric(
    "aurc",
    "mean risk over every share of the answers that are kept, surest first",
    Statistic(of=_aurc, prepare=_many_aurc, among=_has),
)
e_aurc = _metric(
    "e_aurc",
    "mean risk above that of a confidence that knows which answers are right",
    Statistic(of=_e_aurc, prepare=_many_e_aurc, among=_has),
)

auroc = _metric(
    "auroc",
    "how often a right answer has more confidence than a wrong one",
    Statistic(of=_auroc, prepare=_many_auroc, among=_has),
)

SURENESS = {
    m.name: m
    for m in (
        brier,
        nll,
        ece,
        ece_mass,
        aurc,
        e_aurc,
        auroc,
        *(
            _metric(
                f"selective_accuracy_at_{share}",
                f"right answers among the surest {share} % of everything asked",
                _accuracy_at(share / 100),
            )
            for share in (50, 80, 90)
        ),
    )
}
"""By name; every task with right answers has them, for systems that give a confidence."""
