"""Reliability: whether a confidence of 0.8 is right eight times in ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..analysis.case import SAMPLES, Case
from ..analysis.cuts import ANSWERED
from ..analysis.infer import infer, summarise
from ..analysis.sureness import SURENESS, nll
from ..analysis.temperature import at_temperature
from ..stats import calibration, clusters
from ..stats.inference import Undefined
from ..store.columns import CODE, Floats
from . import figures
from .document import Block, Figure, Fold, Para, Row, Span, Table, cell, heading
from .drawing import Datum

BINS = 10
"""Of the diagram; of one size each, so that every dot rests on as many answers."""
NOT_ASKED = Undefined("it was asked no calibration questions")
SHOWN = ("brier", "nll", "ece", "aurc")


def reliability(
    case: Case, rivals: Sequence[str], colours: Mapping[str, str], *, file: str
) -> tuple[Block, ...]:
    """Return the reliability diagram and a table of what confidences are worth."""
    rows, dots = [], []
    for system in rivals:
        sure, right, groups = _answers(case, system)
        if not sure.size:
            continue
        dots += _dots(system, colours[system], sure, right, groups)
        rows.append(_row(case, system, sure, right))
    if not rows:
        return ()
    says = (
        f"Confidence against what was right on {case.task}, {BINS} bins of equal size for each "
        "system, with 95 % intervals; on the dashed line a confidence means what it says."
    )
    table = Table(
        says="What confidences are worth, before thresholds, with two-sided 95 % intervals. "
        "Calibration error: luck is taken off; beside it what a perfectly calibrated system of as "
        "many independent answers would show by luck alone. Temperature: fitted on calibration records, and judged on test; "
        "above 1 the system is too sure.",
        header=("system", *(heading(SURENESS[n], n) for n in SHOWN), "temperature", "nll at it"),
        rows=tuple(rows),
    )
    blocks = (
        Figure(figures.reliability(dots, file=file, says=says)),
        table,
        Para("Seeds pooled; answers without a confidence are left out.", "note"),
    )
    return (Fold("What confidences are worth", blocks),)


def _answers(case: Case, system: str) -> tuple[Floats, Floats, np.ndarray]:
    table = case.raw[system]
    outcome, sure = table.outcome.ravel(), table.confidence.ravel()
    held = np.isin(outcome, ANSWERED) & ~np.isnan(sure)
    groups = np.tile(table.codes, len(table.seeds))
    right = (outcome == CODE["correct"]).astype(np.float64)
    return sure[held], right[held], groups[held]


def _dots(system: str, colour: str, sure: Floats, right: Floats, groups: np.ndarray) -> list[Datum]:
    edges = calibration.equal_mass(sure, BINS)
    place = np.searchsorted(edges, sure, side="right")
    dots = []
    for bin_ in np.unique(place):
        at = place == bin_
        found = clusters.share(right[at], np.ones(int(at.sum())), groups=groups[at])
        ends = found.interval(0.95)
        value = float(right[at].mean())
        low, high = ends if ends is not None else (value, value)
        dots.append(
            {"system": system, "colour": colour, "confidence": round(float(sure[at].mean()), 5),
             "right": round(value, 5), "low": round(low, 5), "high": round(high, 5)}
        )  # fmt: skip
    return dots


def _row(case: Case, system: str, sure: Floats, right: Floats) -> Row:
    cells = []
    for name in SHOWN:
        shown = cell(case.estimate(system, name))
        if name == "ece":
            luck = calibration.reliability(sure, right, edges=calibration.equal_width()).luck
            shown = Span(shown.text, shown.kind, note=f"{shown.note}; by luck {luck:.2g}")
        cells.append(shown)
    heat = case.temperatures.get(system, NOT_ASKED)
    if isinstance(heat, Undefined):
        return Row((Span(system, "name"), *cells, Span("none", "missing", note=heat.why), ""))
    after = at_temperature(case.raw[system], heat)
    found = summarise(
        nll.name,
        infer(nll, after, over=SAMPLES, rng=case.rng),
        n=len(after.samples),
        n_groups=after.n_groups,
        n_seeds=len(after.seeds),
        over=SAMPLES,
    )
    return Row((Span(system, "name"), *cells, Span(f"{heat:.3g}", "number"), cell(found)))
