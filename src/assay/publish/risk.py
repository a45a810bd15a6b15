"""Risk against coverage: what it is worth to answer only when sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..analysis.case import Case
from ..analysis.rules import MaxRisk
from ..stats import clusters, selective
from ..store.columns import CODE
from . import figures
from .document import Block, Figure, Para
from .drawing import Datum
from .words import percent

CURVE, BAND = 160, 40
"""Points of a risk-coverage curve, and of its band."""


def curves(
    case: Case, rivals: Sequence[str], colours: Mapping[str, str], *, ship: str | None, file: str
) -> tuple[Block, ...]:
    """Return how wrong each system's answers are when it only answers what it is sure of."""
    data: dict[str, list[Datum]] = {"curves": [], "band": [], "shipped": [], "promises": []}
    for system in rivals:
        table = case.raw[system]
        confidence = table.confidence.ravel()
        outcome = table.outcome.ravel()
        answered = np.isin(outcome, [CODE[n] for n in ("correct", "wrong", "invented")])
        sure = answered & ~np.isnan(confidence)
        if not sure.any():
            continue
        asked = outcome != CODE["crashed"]
        score = np.where(sure, confidence, -1.0)[asked]
        right = (outcome == CODE["correct"])[asked].astype(np.float64)
        curve = selective.risk_coverage(score, right)
        kept = curve.threshold >= 0
        rows = np.flatnonzero(kept)
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, CURVE).astype(int))]
        colour = colours[system]
        data["curves"] += [
            {"system": system, "colour": colour, "coverage": round(float(curve.coverage[i]), 5),
             "risk": round(float(curve.risk[i]), 5)}
            for i in rows
        ]  # fmt: skip
        if system == ship:
            groups = np.tile(table.codes, len(table.seeds))[asked]
            cuts = curve.threshold[rows[:: max(1, len(rows) // BAND)]]
            data["band"] += _band(score, right, groups, cuts, colour)
        if system in case.thresholds:
            data["shipped"].append({"colour": colour, **_ends(case, system)})
            rule = next(iter(case.thresholds[system].values())).rule
            if isinstance(rule, MaxRisk):
                says = f"promised: at most {percent(rule.max_risk)}"
                row = {"max_risk": rule.max_risk, "says": says, "from": 0.0, "to": 1.0}
                if row not in data["promises"]:
                    data["promises"].append(row)
    if not data["curves"]:
        return (Para("No system gives a confidence: there is no risk-coverage curve.", "note"),)
    says = (
        f"Wrong answers against answered questions on {case.task}, as the threshold falls; dots: "
        "as shipped, with 95 % intervals; shaded: the 95 % interval at each threshold, one by one."
    )
    data["shipped"] = [
        r for r in data["shipped"] if r["xvalue"] is not None and r["yvalue"] is not None
    ]
    drawn = figures.risk_coverage(data, file=file, says=says)
    return (
        Figure(drawn),
        Para("Seeds pooled. The curve is drawn from test records and chooses nothing: thresholds "
             "are chosen on calibration records.", "note"),
    )  # fmt: skip


def _ends(case: Case, system: str) -> Datum:
    return figures.ends("x", case.estimate(system, "coverage")) | figures.ends(
        "y", case.estimate(system, "risk")
    )


def _band(
    score: np.ndarray, right: np.ndarray, groups: np.ndarray, cuts: Sequence[float], colour: str
) -> list[Datum]:
    rows = []
    for cut in cuts:
        accepted = (score >= cut).astype(np.float64)
        ends = clusters.share(accepted * (1 - right), accepted, groups=groups).interval(0.95)
        if ends is not None:
            rows.append(
                {"colour": colour, "coverage": round(float(accepted.mean()), 5),
                 "low": round(ends[0], 5), "high": round(ends[1], 5)}
            )  # fmt: skip
    return rows
