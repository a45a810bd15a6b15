"""How right systems are at equal coverage: thresholds from calibration records, numbers from test.

For each of some shares of the questions the threshold is the confidence that so many calibration
replies reach, under each seed; the test then says what share is really answered there, and how right
the answers are.  A curve over thresholds of the test itself would flatter: its best places are luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, DataError, Estimate, Outcome, Run
from assay.estimates import facts, share, spell
from assay.figures import INK, Drawing, draw
from assay.sections import colours

from .sections.charts import TIP, by_system
from .sections.charts import share as share_axis

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SCHEMA = {"schema_name": "assay-parity", "schema_version": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One system above the thresholds that answer a share of calibration."""

    share: float
    """Of calibration: what was asked for."""

    thresholds: tuple[float, ...]
    """One per seed."""

    coverage: Estimate
    """Of test."""

    accuracy: Estimate
    """Of the answers given; undefined where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A system at every share that it can reach."""

    system: str
    places: tuple[Place, ...]
    reaches: float
    """Share of calibration questions to which it has an answer and says how sure it is."""


@dataclass(frozen=True, slots=True)
class _Replies:
    """Replies of one seed on one split."""

    sure: NDArray[np.float64]
    """Confidence of the answer, or of what a decline would have answered; -inf where there is none."""

    right: NDArray[np.bool_]
    samples: tuple[str, ...]
    groups: tuple[str, ...]


def curves(run: Run, *, task: str) -> tuple[Curve, ...]:
    """Return the curve of every system that was asked calibration and says how sure it is.

    Raises ``DataError`` A202 where there is no such system.
    """
    found = tuple(_curves(run, task))
    if not found:
        raise DataError(
            "no system of this run was asked calibration questions, or none says how sure it is",
            where=str(run.path),
            hint="give systems `abstain` in the plan, and run again",
            code="A202",
        )
    return found


def _curves(run: Run, task: str) -> Iterator[Curve]:
    for system in (ref.name for ref in run.loaded.plan.systems if ref.of is None and ref.abstain):
        seeds = run.manifest.systems[system].seeds
        held = [_replies(run, task, system, seed, "calibration") for seed in seeds]
        seen = [_replies(run, task, system, seed, "test") for seed in seeds]
        reaches = min(float(np.isfinite(one.sure).mean()) for one in held)
        places = tuple(_place(share_, held, seen) for share_ in SHARES if share_ <= reaches + 1e-9)
        if places:
            yield Curve(system=system, places=places, reaches=reaches)


def _replies(run: Run, task: str, system: str, seed: int, split: str) -> _Replies:
    sure, right, samples, groups = [], [], [], []
    for sample, record in run.read(system, task=task, split=split, seed=seed):
        if record.verdict.outcome is Outcome.CRASHED:
            continue
        match record.said:
            case Answer(confidence=confidence) if confidence is not None:
                sure.append(confidence)
            case Bottom(proposal=Answer(confidence=confidence)) if confidence is not None:
                sure.append(confidence)
            case _:
                sure.append(-np.inf)
        right.append(record.verdict.outcome is Outcome.CORRECT)
        samples.append(sample.id)
        groups.append(sample.cluster)
    return _Replies(np.array(sure), np.array(right, dtype=np.bool_), tuple(samples), tuple(groups))


def _place(wanted: float, held: Sequence[_Replies], seen: Sequence[_Replies]) -> Place:
    thresholds = tuple(_threshold(one.sure, wanted) for one in held)
    given = np.concatenate([one.sure >= at for one, at in zip(seen, thresholds, strict=True)])
    right = np.concatenate([one.right for one in seen]) & given
    return Place(
        share=wanted,
        thresholds=thresholds,
        coverage=_pooled("coverage", given, np.ones_like(given), seen),
        accuracy=_pooled("selective_accuracy", right, given, seen),
    )


def _pooled(
    name: str, hits: NDArray[np.bool_], asked: NDArray[np.bool_], seen: Sequence[_Replies]
) -> Estimate:
    """Return a share over all seeds, which counts samples as every table does: 400 of two seeds, not 800."""
    groups = [group for one in seen for group in one.groups]
    samples = np.array([sample for one in seen for sample in one.samples])
    found = share(name, hits, asked=asked, groups=groups)
    return replace(found, n=len(np.unique(samples[asked])), n_seeds=len(seen))


def _threshold(sure: NDArray[np.float64], wanted: float) -> float:
    """Return the strictest confidence that so many replies reach."""
    falling = np.sort(sure)[::-1]
    return float(falling[max(0, round(wanted * len(falling)) - 1)])


def report(run: Run, found: Sequence[Curve], *, task: str) -> dict[str, Any]:
    """Return the curves as plain values, ``parity_report.json``."""
    return {
        **SCHEMA,
        "run": run.manifest.run,
        "task": task,
        "chosen_on": "calibration",
        "systems": {
            curve.system: {
                "reaches": curve.reaches,
                "aurc": facts(run.estimate("aurc", curve.system, task=task)),
                "places": [
                    {
                        "share": place.share,
                        "thresholds": list(place.thresholds),
                        "coverage": facts(place.coverage),
                        "selective_accuracy": facts(place.accuracy),
                    }
                    for place in curve.places
                ],
            }
            for curve in found
        },
    }


def figure(run: Run, found: Sequence[Curve]) -> Drawing:
    """Draw how right the answers are against the share that is answered, with intervals."""
    colour = colours(run)
    rows = [
        {
            "system": curve.system,
            "colour": colour[curve.system],
            "coverage": place.coverage.value,
            "accuracy": place.accuracy.value,
            "low": place.accuracy.low,
            "high": place.accuracy.high,
            "tip": f"{curve.system}: {spell(place.accuracy)} at {spell(place.coverage)}",
        }
        for curve in found
        for place in curve.places
        if place.accuracy.value is not None
    ]
    base = {
        "x": share_axis("coverage", "share of the questions that is answered"),
        "color": by_system(colour, [curve.system for curve in found]),
    }
    y = share_axis("accuracy", "of the answers, right", scale={"zero": False})
    spec = {
        "width": 620,
        "height": 320,
        "layer": [
            {
                "mark": {"type": "rule", "opacity": 0.35, "color": INK},
                "encoding": {**base, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {**base, "y": y}},
            {
                "mark": {"type": "point", "filled": True, "size": 30},
                "encoding": {**base, "y": y, "description": TIP},
            },
        ],
    }
    return draw(
        spec,
        {"rows": rows},
        file="figures/coverage_accuracy.svg",
        says="How right the answers of each system are, against the share of questions that it answers; "
        "thresholds from calibration records, numbers from test, intervals of 95 %.",
    )
