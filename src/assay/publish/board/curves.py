"""Risk against coverage of a system with a threshold, as points with intervals."""

from __future__ import annotations

import numpy as np

from ...analysis.case import Case
from ...stats import clusters, selective
from ...store.columns import CODE
from ..facts import short
from .card import Curve

POINTS = 40
ANSWERED = ("correct", "wrong", "invented")


def curves_of(case: Case) -> tuple[Curve, ...]:
    """Return the curve of every system whose plan asks for a threshold.

    At most 40 points, from the strictest threshold on; the interval of each is that of a share over groups, one by
    one.  Test records draw it and choose nothing.

    Source: El-Yaniv and Wiener 2010; ``clusters.share``.
    """
    found = (_curve(case, system) for system in case.thresholds if system in case.raw)
    return tuple(curve for curve in found if curve is not None)


def _curve(case: Case, system: str) -> Curve | None:
    table = case.raw[system]
    confidence, outcome = table.confidence.ravel(), table.outcome.ravel()
    sure = np.isin(outcome, [CODE[n] for n in ANSWERED]) & ~np.isnan(confidence)
    if not sure.any():
        return None
    asked = outcome != CODE["crashed"]
    score = np.where(sure, confidence, -np.inf)[asked]
    right = (outcome == CODE["correct"])[asked].astype(np.float64)
    groups = np.tile(table.codes, len(table.seeds))[asked]
    cuts = np.unique(score[np.isfinite(score)])[::-1]
    rows = np.unique(np.linspace(0, len(cuts) - 1, POINTS).astype(int))
    # A finite stand-in for "never": the library refuses infinity.
    never = float(cuts[-1]) - 1.0
    curve = selective.risk_coverage(np.where(np.isfinite(score), score, never), right)
    at = {float(t): i for i, t in enumerate(curve.threshold)}
    points = []
    for cut in cuts[rows]:
        i = at[float(cut)]
        accepted = (score >= cut).astype(np.float64)
        ends = clusters.share(accepted * (1 - right), accepted, groups=groups).interval(0.95)
        low, high = ends or (None, None)
        coverage, risk = short(float(curve.coverage[i])), short(float(curve.risk[i]))
        assert coverage is not None
        assert risk is not None
        points.append((coverage, risk, short(low), short(high)))
    return Curve(task=case.task, system=system, points=tuple(points))
