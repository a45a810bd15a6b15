"""``science.dose`` in reports: how right systems are, and what they decline, along the true IC50."""

from __future__ import annotations

import numpy as np

from assay.estimates import share
from assay.figures import INK, Datum, draw
from assay.sections import Block, Figure, Para

from ..domains.classic import dose as classic
from ..domains.dose import Curves
from ..domains.dose import draw as draw_curves
from ..domains.drawn import Drawn, Floats, generator, rounded
from . import charts
from .reading import Evidence

STEP = 0.5
"""Decades of a bin."""
MEASURES = ("right: a value, or a decline where there is none", "gives a value")


def dose(evidence: Evidence) -> list[Block]:
    """Return accuracy and coverage by the distance of the true IC50 from the limits."""
    true = true_ic50(evidence)
    shown = evidence.pick()
    lowest, highest = Curves().low, Curves().high
    edges = np.arange(np.floor(np.nanmin(true)), np.ceil(np.nanmax(true)) + STEP, STEP)
    rows: list[Datum] = []
    for system in shown:
        for low in edges[:-1]:
            inside = (true >= low) & (true < low + STEP)
            seeds = evidence.said[system]
            right = np.concatenate(
                [np.isin(s.outcome, ("correct", "declined"))[inside & s.asked] for s in seeds]
            )
            given = np.concatenate([s.answered[inside & s.asked] for s in seeds])
            if not right.size:
                continue
            groups = np.concatenate(
                [evidence.asked.groups[inside & s.asked] for s in seeds]
            ).tolist()
            for name, hits in zip(MEASURES, (right, given), strict=True):
                found = share(name, hits, groups=groups)
                rows.append(
                    {"system": system, "measure": name, "at": round(float(low) + STEP / 2, 3),
                     "share": round(float(hits.mean()), 4),
                     "tip": f"{system}, {_away(float(low) + STEP / 2, lowest, highest)}: "
                     f"{_words(found.low, found.high, float(hits.mean()))} of {len(set(groups))} curves"}
                )  # fmt: skip
    limits = [
        {"measure": name, "at": at, "limit": 1} for name in MEASURES for at in (lowest, highest)
    ]
    inner: charts.Spec = {
        "width": 345,
        "height": 220,
        "layer": [
            {"transform": [{"filter": "datum.limit == 1"}],
             "mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
             "encoding": {"x": {"field": "at", "type": "quantitative"}}},
            {"transform": [{"filter": "datum.limit == 0"}],
             "mark": {"type": "line", "strokeWidth": 1.6},
             "encoding": {**_axes(evidence, shown)}},
            {"transform": [{"filter": "datum.limit == 0"}],
             "mark": {"type": "point", "filled": True, "size": 24, "opacity": 0.9},
             "encoding": {**_axes(evidence, shown), "description": charts.TIP}},
        ],
    }  # fmt: skip
    spec = charts.facet("measure", inner, columns=2, sort=MEASURES)
    says = (
        f"Along the true log10 IC50 on {evidence.task}, in bins of {STEP:g} decades, seeds pooled; dashed: the limits of what "
        "the assay can tell. Compounds without an effect have no IC50 and are left out. Pointing at a dot shows its 95 % "
        f"interval.{evidence.some(shown)}"
    )
    data = [{**row, "limit": 0} for row in rows] + limits
    drawn = draw(spec, {"rows": data}, file=evidence.file("along_ic50"), says=says)
    note = (
        "IC50s outside of the limits are in no sample: they are drawn again from the task's seed, and taken only because "
        "the curves that come with them are those of the samples."
        if not np.isnan(true).all() and (~evidence.asked.there & ~np.isnan(true)).any()
        else "IC50s outside of the limits are in no sample, and this version draws other curves: only values that are there "
        "are shown."
    )
    return [Figure(drawn), Para(note, "note")]


def _axes(evidence: Evidence, shown: list[str]) -> charts.Spec:
    return {
        "x": charts.number("at", "true log10 IC50", scale={"zero": False, "nice": False}),
        "y": charts.share("share", None),
        "color": charts.by_system(evidence.colours, shown),
    }


def _away(at: float, low: float, high: float) -> str:
    if low <= at <= high:
        return f"{min(at - low, high - at):.2f} decades inside"
    return f"{low - at if at < low else at - high:.2f} decades {'below' if at < low else 'above'}"


def _words(low: float | None, high: float | None, value: float) -> str:
    if low is None or high is None:
        return f"{100 * value:.0f} %"
    return f"{100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def true_ic50(evidence: Evidence) -> Floats:
    """Return log10 of the true IC50 of every sample, NaN where nobody can tell it any more.

    That of a sample without a value is not in the run.  The test split is drawn again; its numbers
    are taken only if its curves are exactly those that were asked.
    """
    asked = evidence.asked
    found = np.where(asked.there, asked.y[:, 0], np.nan)
    drawn = _again(evidence)
    place = [int(name.rpartition("/")[2]) for name in asked.ids]
    if max(place) >= len(drawn.x):
        return found
    seen = rounded(drawn.x[place])
    if seen.shape != (len(asked.x), len(asked.x[0])) or not np.array_equal(seen, np.array(asked.x)):
        return found
    flat = asked.tagged("null")
    return np.where(flat, np.nan, drawn.y[place, 0])


def _again(evidence: Evidence) -> Drawn:
    given = evidence.options
    if evidence.use.endswith("-classic"):
        n, seed = int(given.get("test", 2_000)), int(given.get("seed", 1))
        return classic.draw(classic.ClassicCurves(), n, generator(seed, "test"))
    n, seed = int(given.get("test", 2_000)), int(given.get("seed", 7))
    curves = Curves(noise=float(given.get("noise", 0.2)), null=float(given.get("null", 0.1)))
    return draw_curves(curves, n, generator(seed, "test"))
