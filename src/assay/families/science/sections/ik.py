"""``science.ik`` in reports: where in the workspace, and how near the singularity, systems fail or decline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from assay.figures import INK, PALETTE, Datum, Drawing, draw
from assay.sections import Block, Figure, Row, Span, Table

from ..domains.arm import nearness
from ..domains.classic import ik as classic
from ..domains.drawn import Floats
from ..domains.ik_metrics import LIMIT, MOST, strata_words
from . import charts
from .reading import Evidence
from .said import Said

CELLS = 9
"""Of the workspace, across and up: four links wide."""
MAPS = 3
BINS = 32
"""Of the timeline, equally many poses each."""
SOLVERS = ("science.jacobian_inverse", "science.damped_least_squares")
OUTCOMES = {
    "correct": PALETTE[0],
    "declined": "#8cc1f0",
    "withheld": "#8a8f98",
    "wrong": PALETTE[1],
    "invented": "#a03a7c",
    "failed": PALETTE[4],
}
"""In the colours that the page has for them."""


def ik(evidence: Evidence) -> list[Block]:
    """Return workspace maps, strata of the determinant, a timeline of fallbacks and the routes."""
    angles = angles_of(evidence)
    shown = evidence.pick(MAPS)
    routes = _routes(evidence)
    return [
        Figure(_workspace(evidence, angles, shown)),
        Figure(_strata(evidence)),
        Figure(_timeline(evidence, nearness(angles), evidence.pick(6))),
        *([routes] if routes else []),
    ]


def angles_of(evidence: Evidence) -> Floats:
    """Return the angles that are seen, shape [samples, 2]."""
    x = np.array(evidence.asked.x)
    if x.shape[1] == 4:
        return x[:, :2]
    found: Floats = np.arctan2(x[:, (1, 3)], x[:, (0, 2)])
    return found


def _workspace(evidence: Evidence, angles: Floats, shown: Sequence[str]) -> Drawing:
    both = angles.sum(axis=1)
    tip = np.column_stack(
        [np.cos(angles[:, 0]) + np.cos(both), np.sin(angles[:, 0]) + np.sin(both)]
    )
    place = np.clip(((tip + 2.0) / 4.0 * CELLS).astype(int), 0, CELLS - 1)
    measures = ("miss of the steps there are", "declined")
    rows: list[Datum] = []
    for system in shown:
        said = evidence.first(system)
        miss = charged(evidence, said)
        for across in range(CELLS):
            for up in range(CELLS):
                here = (place == (across, up)).all(axis=1) & said.asked
                if not here.any():
                    continue
                there = here & evidence.asked.there
                missed = float(miss[there].mean()) if there.any() else None
                gone = float(said.declined[here].mean())
                for name, value in zip(measures, (missed, gone), strict=True):
                    if value is None:
                        continue
                    rows.append(
                        {"system": system, "measure": name, "x": across, "y": up, "value": round(value, 3),
                         "tip": f"{system}: {value:.2g} {name}, {int((there if name == measures[0] else here).sum())} rows"}
                    )  # fmt: skip
    cell = {"type": "ordinal", "axis": None}
    inner: charts.Spec = {
        "width": 190,
        "height": 190,
        "mark": {"type": "rect", "color": PALETTE[1], "stroke": INK, "strokeOpacity": 0.15, "strokeWidth": 0.5},
        "encoding": {
            "x": {"field": "x", **cell},
            "y": {"field": "y", "sort": "descending", **cell},
            "fillOpacity": {"field": "value", "type": "quantitative", "scale": {"domain": [0, 1], "range": [0.02, 0.95], "clamp": True}, "legend": None},
            "description": charts.TIP,
        },
    }  # fmt: skip
    spec: charts.Spec = {
        "facet": {
            "row": {"field": "measure", "type": "nominal", "sort": list(measures), "header": {"labelAngle": -90, "labelAnchor": "middle", "labelFontSize": 11}},
            "column": {"field": "system", "type": "nominal", "sort": list(shown)},
        },
        "spacing": 16,
        "spec": inner,
    }  # fmt: skip
    says = (
        f"The workspace of the arm on {evidence.task}, {CELLS} by {CELLS} cells around its foot, each link one long: the mean miss "
        f"of the tip in moves, at most {MOST:g}, and {MOST:g} for a step that is there and not given; and the share of rows that is "
        f"declined. Full colour is 1. First seed.{evidence.some(shown)}"
    )
    return draw(spec, {"rows": rows}, file=evidence.file("workspace"), says=says)


def charged(evidence: Evidence, said: Said) -> Floats:
    """Return the miss of each step that is there, at most 1, and 1 where none is given; NaN elsewhere.

    The classic task scores joints: their error as a share of the right step.
    """
    if evidence.use.endswith("-classic"):
        off = np.sqrt(2.0 * said.score("squared")) / np.maximum(
            np.hypot(*evidence.asked.y.T), 1e-12
        )
    else:
        off = said.score("tip_error")
    found = np.where(said.answered & ~np.isnan(off), np.minimum(off, MOST), MOST)
    return np.where(evidence.asked.there, found, np.nan)


def _strata(evidence: Evidence) -> Drawing:
    words = _words(evidence)
    shown = evidence.pick()
    measures = ("right", "declined", "miss of the steps there are")
    rows: list[Datum] = []
    for system in shown:
        seeds = evidence.said[system]
        for tag, word in words.items():
            inside = evidence.asked.tagged(tag)
            at = [inside & said.asked for said in seeds]
            if not any(one.any() for one in at):
                continue
            right = np.concatenate(
                [
                    np.isin(s.outcome, ("correct", "declined"))[w]
                    for s, w in zip(seeds, at, strict=True)
                ]
            )
            gone = np.concatenate([s.declined[w] for s, w in zip(seeds, at, strict=True)])
            miss = np.concatenate([charged(evidence, s)[w] for s, w in zip(seeds, at, strict=True)])
            found = [
                float(right.mean()),
                float(gone.mean()),
                None if np.isnan(miss).all() else float(np.nanmean(miss)),
            ]
            for name, value in zip(measures, found, strict=True):
                if value is not None:
                    rows.append(
                        {"system": system, "measure": name, "stratum": word, "value": round(value, 4),
                         "tip": f"{system}, |det J| {word}: {value:.3g} {name}, {right.size} rows"}
                    )  # fmt: skip
    encoding = {
        "x": {"field": "stratum", "type": "ordinal", "sort": list(words.values()), "title": "|det J|",
              "axis": {"labelAngle": -35, "labelFontSize": 10}, "scale": {"type": "point", "padding": 0.4}},
        "y": charts.number("value", None, scale={"domain": [0, 1]}),
        "color": charts.by_system(evidence.colours, shown),
    }  # fmt: skip
    inner: charts.Spec = {
        "width": 225,
        "height": 170,
        "encoding": encoding,
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 1.6}},
            {"mark": {"type": "point", "filled": True, "size": 40, "opacity": 0.9}, "encoding": {"description": charts.TIP}},
        ],
    }  # fmt: skip
    spec = charts.facet("measure", inner, columns=3, sort=measures)
    says = (
        f"By how nearly singular the arm is, on {evidence.task}: rows that are right, rows that are declined, and the mean miss (as above). "
        f"Seeds pooled; strata of the true determinant. Intervals of accuracy by stratum stand in the table of systems.{evidence.some(shown)}"
    )
    return draw(spec, {"rows": rows}, file=evidence.file("determinant"), says=says)


def _words(evidence: Evidence) -> dict[str, str]:
    if evidence.use.endswith("-classic"):
        ends = ("0 to 1e-5", "1e-5 to 1e-4", "1e-4 to 0.001", "0.001 to 0.01", "above 0.01")
        return dict(zip(classic.STRATA, ends, strict=True))
    limit = float(evidence.options.get("limit", LIMIT))
    return {tag: said.removeprefix("|det J| ") for tag, said in strata_words(limit).items()}


def _timeline(evidence: Evidence, near: Floats, shown: Sequence[str]) -> Drawing:
    order = np.argsort(near, kind="stable")
    parts = np.array_split(order, BINS)
    rows: list[Datum] = []
    for system in shown:
        said = evidence.first(system)
        for k, part in enumerate(parts):
            here = part[said.asked[part]]
            if not here.size:
                continue
            ends = f"|det J| {near[part[0]]:.3g} to {near[part[-1]]:.3g}"
            below = 0.0
            for name in OUTCOMES:
                n = int((said.outcome[here] == name).sum())
                if n:
                    share = n / here.size
                    rows.append(
                        {"system": system, "at": k, "next": k + 1, "outcome": name, "low": round(below, 4), "high": round(below + share, 4),
                         "tip": f"{system}, {ends}: {n} of {here.size} {name}"}
                    )  # fmt: skip
                    below += share
    marks = [0, 8, 16, 24, 31]
    label = " : ".join(f"datum.value == {k} ? '{near[parts[k][0]]:.2g}'" for k in marks) + " : ''"
    inner: charts.Spec = {
        "width": 340,
        "height": 70,
        "mark": {"type": "rect"},
        "encoding": {
            "x": charts.number("at", None, scale={"domain": [0, BINS], "nice": False}, axis={"values": marks, "labelExpr": label, "grid": False}),
            "x2": {"field": "next"},
            "y": charts.share("low", None, axis={"tickCount": 2}),
            "y2": {"field": "high"},
            "color": charts.legend("outcome", OUTCOMES),
            "description": charts.TIP,
        },
    }  # fmt: skip
    spec = charts.facet("system", inner, columns=2, sort=shown)
    says = (
        f"Fallbacks on {evidence.task} as an arm would meet them on its way out of a singularity: all poses in the order of the |det J| "
        f"that is seen, in {BINS} steps of equally many, and what came of each step. First seed.{evidence.some(shown)}"
    )
    return draw(spec, {"rows": rows}, file=evidence.file("fallbacks"), says=says)


def _routes(evidence: Evidence) -> Table | None:
    uses = {s: evidence.run.manifest.systems[s].use for s in evidence.own}
    solver = next((s for use in SOLVERS for s, u in uses.items() if u == use), None)
    if solver is None or not any(evidence.first(s).declined.any() for s in evidence.said):
        return None
    behind = evidence.first(solver)
    rows = [
        Row(tuple(_route(evidence, system, behind))) for system in evidence.said if system != solver
    ]
    return Table(
        says=f"Routes, first seed: a system answers, and what it declines goes to {solver}, which may decline in turn. Right: a step that is "
        "right, or a decline where there is none.",
        header=("system", "answers itself", "hands on", "right alone", f"right with {solver}", f"{solver} alone"),
        rows=tuple(rows),
    )  # fmt: skip


def _route(evidence: Evidence, system: str, behind: Said) -> Iterator[Span]:
    said = evidence.first(system)
    both = said.asked & behind.asked
    right, solved = (np.isin(s.outcome, ("correct", "declined")) for s in (said, behind))
    joined = np.where(said.declined, solved, right)
    yield Span(system, "name")
    yield Span(f"{int(said.answered.sum()):,}", "number")
    yield Span(f"{int(said.declined.sum()):,}", "number")
    for one in (right, joined, solved):
        yield Span(f"{one[both].mean():.3f}", "number")
