"""Risk: what it is worth to answer only when sure, what was promised of it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..analysis.case import SAMPLES, Case
from ..analysis.infer import infer, summarise
from ..analysis.table import Table as Records
from ..analysis.thresholds import Chosen
from ..core.metric import Estimate
from ..stats import clusters, selective
from ..store.columns import CODE
from . import figures
from .browser import link
from .document import Block, Figure, Para, Row, Span, Table, cell
from .words import percent

CURVE, BAND = 160, 40
"""Points of a risk-coverage curve, and of its band."""


def curves(
    case: Case, rivals: Sequence[str], colours: Mapping[str, str], *, ship: str | None, file: str
) -> tuple[Block, ...]:
    """Return how wrong each system's answers are when it only answers what it is sure of."""
    data: dict[str, list[figures.Row]] = {"curves": [], "band": [], "shipped": [], "promises": []}
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
            most = next(iter(case.thresholds[system].values())).max_risk
            says = f"promised: at most {percent(most)}"
            row = {"max_risk": most, "says": says, "from": 0.0, "to": 1.0}
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


def _ends(case: Case, system: str) -> figures.Row:
    return figures.ends("x", case.estimate(system, "coverage")) | figures.ends(
        "y", case.estimate(system, "risk")
    )


def _band(
    score: np.ndarray, right: np.ndarray, groups: np.ndarray, cuts: Sequence[float], colour: str
) -> list[figures.Row]:
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


def thresholds(case: Case, task: int) -> tuple[Block, ...]:
    """Return what was chosen on calibration, what it promises, and what the test then showed."""
    blocks: list[Block] = []
    for system, by_seed in case.thresholds.items():
        every = list(by_seed.values())
        kept = next((c for c in every if c.value is not None), every[0])
        blocks.append(
            Table(
                says=f"{system}: {kept.method}. Promise: {kept.promise}.",
                header=("seed", "threshold", "on calibration", "wrong on test", "answered on test"),
                rows=tuple(_seed(case, task, system, row, c) for row, c in enumerate(every)),
            )
        )
    if not blocks:
        return ()
    note = "Thresholds are chosen on calibration records only; test records are never looked at."
    return (Para(note), *blocks)


def _seed(case: Case, task: int, system: str, row: int, chosen: Chosen) -> Row:
    table = one_seed(case.tables[system], row)
    bound = "" if chosen.at_most is None else f", at most {percent(chosen.at_most)}"
    found = f"{chosen.errors} wrong of {chosen.accepted_groups} groups{bound}"
    wrong, answered = (_of_seed(case, table, name) for name in ("risk", "coverage"))
    over = wrong.value is not None and wrong.value > chosen.max_risk
    only = {"seed": "first"} if row == 0 else {}
    return Row(
        (
            Span(f"seed {chosen.seed}", "name"),
            Span("none" if chosen.value is None else f"{chosen.value:.4g}", "number"),
            Span(chosen.why or found, "muted"),
            cell(
                wrong,
                href=link(task, system, outcome="wrong,invented", **only),
                flag=f"above {percent(chosen.max_risk)}" if over else "",
            ),
            cell(answered, href=link(task, system, outcome="withheld,declined", **only)),
        )
    )


def one_seed(table: Records, row: int) -> Records:
    """Return the records of one seed."""
    return replace(
        table,
        seeds=table.seeds[row : row + 1],
        outcome=table.outcome[row : row + 1],
        confidence=table.confidence[row : row + 1],
        extra={name: column[row : row + 1] for name, column in table.extra.items()},
    )


def _of_seed(case: Case, table: Records, metric: str) -> Estimate:
    if metric not in case.metrics:
        return Estimate(metric=metric, value=None, low=None, high=None, method="not of this task")
    return summarise(
        metric,
        infer(case.metrics[metric], table, over=SAMPLES, rng=case.rng),
        n=len(table.samples),
        n_groups=table.n_groups,
        n_seeds=1,
        over=SAMPLES,
    )
