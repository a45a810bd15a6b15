"""What a threshold on the confidence would do: errors against it, risk against coverage, where rows lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from assay.figures import INK, Datum, Drawing, draw
from assay.sections import Block, Figure, Fold, Para

from ..domains.drawn import Floats
from . import charts
from .reading import Evidence
from .said import VALUE, Said

GRID = 41
"""Thresholds of a sweep, beside as many quantiles of the confidence."""
BINS = 20
MEASURES = (
    "invented, where there is no value",
    "withheld, where there is one",
    "right, of all rows",
)
PROJECTIVE = "science.projective"


def sweeps(evidence: Evidence) -> list[Block]:
    """Return threshold sweeps, risk against coverage and histograms of the confidence."""
    shown = [s for s in evidence.pick() if _held(evidence, s)[0].size]
    if not shown:
        return [Para("No system says how sure it is: there is no threshold to move.", "note")]
    left = evidence.some(shown)
    checked = (
        ""
        if evidence.use != "science.table"
        else " What was declined has not been checked here, and counts as wrong where it would have been let through."
    )
    says = (
        f"What a threshold on the confidence would have done on {evidence.task}: below it a system "
        "declines, from it on it gives the value that it gave or had ready. Rings: where it declines "
        f"by itself. Test records; they choose nothing.{checked}{left}"
    )
    risk = (
        f"Wrong or invented among what would be answered, against the share that would be, as the threshold "
        f"falls on {evidence.task}. Rings as above.{left}"
    )
    return [
        Figure(_sweep(evidence, shown, says)),
        Figure(_risk(evidence, shown, risk)),
        Fold(
            "Where rows lie on the confidence, by what is there",
            (Figure(_histograms(evidence, shown)),),
        ),
    ]


def _held(evidence: Evidence, system: str) -> tuple[Floats, Floats, Floats]:
    """Return confidence, right and there of every row that a threshold decides about, seeds pooled."""
    seeds = [(said, said.proposes) for said in evidence.said[system]]
    sure = np.concatenate([said.sure[at] for said, at in seeds])
    right = np.concatenate([said.right[at] for said, at in seeds])
    there = np.concatenate([evidence.asked.there[at] for _, at in seeds])
    return sure, right.astype(np.float64), there.astype(np.float64)


def _shares(
    cuts: Iterable[float | Floats], held: tuple[Floats, Floats, Floats]
) -> Iterator[tuple[float, ...]]:
    """Yield for each threshold, of all rows or of each: invented, withheld, right, answered, wrong of the answered."""
    sure, right, there = held
    for cut in cuts:
        kept = sure >= cut
        none = max(float((1 - there).sum()), 1.0)
        given = max(float(there.sum()), 1.0)
        good = float((right * there * kept).sum())
        yield (
            float(((1 - there) * kept).sum()) / none,
            float((there * ~kept).sum()) / given,
            (good + float(((1 - there) * ~kept).sum())) / len(sure),
            float(kept.mean()),
            1.0 - good / kept.sum() if kept.any() else 0.0,
        )


def _cuts(sure: Floats) -> Floats:
    many = np.quantile(sure, np.linspace(0, 1, GRID))
    return np.unique(np.concatenate([np.linspace(0, 1, GRID), many]).round(5))


def gates(evidence: Evidence, system: str) -> list[tuple[Said, float]]:
    """Return the seeds of a system that decline below some confidence, with it."""
    found = [(said, said.gate) for said in evidence.said[system]]
    return [(said, gate) for said, gate in found if gate is not None]


def _own(evidence: Evidence, system: str) -> tuple[str, float, tuple[float, ...]] | None:
    """Return below what a system declines, in words, the mean of that over its seeds, and what comes of it.

    What comes of it is counted with the threshold of each seed.
    """
    found = [gate for _, gate in gates(evidence, system)]
    if not found:
        return None
    at = float(np.mean(found))
    cuts = [
        np.full(int(said.proposes.sum()), at if said.gate is None else said.gate)
        for said in evidence.said[system]
    ]
    [shares] = _shares([np.concatenate(cuts)], _held(evidence, system))
    several = f" (mean of {len(found)} seeds)" if len(found) > 1 else ""
    return f"{system} declines below {at:.3g}{several}", at, shares


def _sweep(evidence: Evidence, shown: list[str], says: str) -> Drawing:
    lines: list[Datum] = []
    rings: list[Datum] = []
    for system in shown:
        held = _held(evidence, system)
        cuts = _cuts(held[0])
        dots = set(np.linspace(0, len(cuts) - 1, 9).astype(int).tolist())
        for i, (cut, found) in enumerate(zip(cuts.tolist(), _shares(cuts, held), strict=True)):
            lines += [
                {"system": system, "measure": name, "cut": cut, "share": round(value, 4),
                 "dot": int(i in dots), "tip": f"{system}, threshold {cut:.3g}: {100 * value:.1f} % {name}"}
                for name, value in zip(MEASURES, found, strict=False)
            ]  # fmt: skip
        if own := _own(evidence, system):
            where, at, shares = own
            rings += [
                {"system": system, "measure": name, "cut": round(at, 4), "share": round(value, 4),
                 "tip": f"{where}: {100 * value:.1f} % {name}"}
                for name, value in zip(MEASURES, shares, strict=False)
            ]  # fmt: skip
    colour = charts.by_system(evidence.colours, shown)
    encoding = {
        "x": charts.share("cut", "threshold on the confidence"),
        "y": charts.share("share", None),
        "color": colour,
    }
    line: charts.Spec = {
        "mark": {"type": "line", "strokeWidth": 1.8, "interpolate": "step-after"},
        "encoding": {"order": {"field": "cut", "type": "quantitative"}},
    }
    point: charts.Spec = {
        "transform": [{"filter": "datum.dot == 1"}],
        "mark": {"type": "point", "filled": True, "size": 26, "opacity": 0.9},
        "encoding": {"description": charts.TIP},
    }
    ring: charts.Spec = {
        "transform": [{"filter": "datum.ring == 1"}],
        "mark": {"type": "point", "size": 110, "strokeWidth": 2.4, "opacity": 1},
        "encoding": {"description": charts.TIP},
    }
    rows = [{**row, "ring": 0} for row in lines] + [{**row, "ring": 1, "dot": 0} for row in rings]
    line["transform"] = [{"filter": "datum.ring == 0"}]
    inner = {"width": 230, "height": 200, "encoding": encoding, "layer": [line, point, ring]}
    spec = charts.facet("measure", inner, columns=3, sort=MEASURES)
    return draw(spec, {"rows": rows}, file=evidence.file("threshold_sweep"), says=says)


def _risk(evidence: Evidence, shown: list[str], says: str) -> Drawing:
    lines: list[Datum] = []
    rings: list[Datum] = []
    for system in shown:
        held = _held(evidence, system)
        cuts = _cuts(held[0])
        for i, (cut, found) in enumerate(zip(cuts.tolist(), _shares(cuts, held), strict=True)):
            if found[3] > 0:
                lines.append(_dot(system, found, f"threshold {cut:.3g}", dot=int(i % 8 == 0)))
        own = _own(evidence, system)
        if own and own[2][3] > 0:
            rings.append(_dot(system, own[2], "where it declines by itself", dot=0))
    top = min(1.0, 1.15 * max([r["risk"] for r in lines if r["coverage"] >= 0.05] + [0.02]))
    spec: charts.Spec = {
        "width": 700,
        "height": 240,
        "encoding": {
            "x": charts.share("coverage", "answered, of everything asked"),
            "y": charts.share("risk", "wrong or invented, of what is answered", scale={"domain": [0, top]}),
            "color": charts.by_system(evidence.colours, shown),
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 1.8, "clip": True},
             "encoding": {"order": {"field": "coverage", "type": "quantitative"}}},
            {"transform": [{"filter": "datum.dot == 1"}],
             "mark": {"type": "point", "filled": True, "size": 26, "opacity": 0.9, "clip": True},
             "encoding": {"description": charts.TIP}},
            {"data": {"name": "rings"},
             "mark": {"type": "point", "size": 110, "strokeWidth": 2.4, "opacity": 1},
             "encoding": {"description": charts.TIP}},
        ],
    }  # fmt: skip
    return draw(
        spec, {"rows": lines, "rings": rings}, file=evidence.file("error_coverage"), says=says
    )


def _dot(system: str, found: tuple[float, ...], where: str, *, dot: int) -> Datum:
    coverage, risk = found[3], found[4]
    return {
        "system": system,
        "coverage": round(coverage, 4),
        "risk": round(risk, 4),
        "dot": dot,
        "tip": f"{system}, {where}: answers {100 * coverage:.1f} %, wrong {100 * risk:.1f} % of that",
    }


def _histograms(evidence: Evidence, shown: list[str]) -> Drawing:
    asked = evidence.asked
    names = [VALUE, *asked.reasons]
    rows: list[Datum] = []
    cuts: list[Datum] = []
    titles: dict[str, str] = {}
    for system in shown:
        q = evidence.run.manifest.systems[system].use == PROJECTIVE
        titles[system] = f"{system}: |Q|" if q else system
        seeds = evidence.said[system]
        total = sum(int(said.proposes.sum()) for said in seeds)
        for name in names:
            sure = np.concatenate([s.sure[s.proposes & (asked.truth == name)] for s in seeds])
            for place, n in enumerate(np.histogram(sure, bins=BINS, range=(0, 1))[0].tolist()):
                if n:
                    low, high = place / BINS, (place + 1) / BINS
                    rows.append(
                        {"panel": titles[system], "truth": name, "low": low, "high": high, "share": round(n / total, 5),
                         "tip": f"{system}: {n:,} of {total:,} rows at {low:.2f} to {high:.2f}, {name} there"}
                    )  # fmt: skip
        if own := _own(evidence, system):
            where, at, _ = own
            cuts.append(
                {"panel": titles[system], "cut": round(at, 4), "truth": VALUE, "tip": where}
            )
    both = [{**row, "kind": "bar"} for row in rows] + [{**row, "kind": "cut"} for row in cuts]
    inner: charts.Spec = {
        "width": 205,
        "height": 84,
        "layer": [
            {"transform": [{"filter": "datum.kind == 'bar'"}],
             "mark": {"type": "bar", "binSpacing": 0},
             "encoding": {
                 "x": charts.share("low", None, bin={"binned": True}),
                 "x2": {"field": "high"},
                 "y": {"field": "share", "type": "quantitative", "title": None, "stack": "zero",
                       "axis": {"format": "~%", "tickCount": 3}},
                 "color": charts.by_truth(names),
                 "description": charts.TIP}},
            {"transform": [{"filter": "datum.kind == 'cut'"}],
             "mark": {"type": "rule", "color": INK, "strokeWidth": 1.6, "strokeDash": [4, 3]},
             "encoding": {"x": {"field": "cut", "type": "quantitative"}, "description": charts.TIP}},
        ],
    }  # fmt: skip
    spec = charts.facet("panel", inner, columns=3, sort=list(titles.values()))
    spec["resolve"] = {"scale": {"y": "independent"}, **spec.get("resolve", {})}
    says = (
        f"Confidence of the value that each system gave or had ready on {evidence.task}, by what is there; "
        f"{BINS} bins, seeds pooled. Dashed: below it, it declines. For rational heads it is |Q|, the size of the "
        f"denominator.{evidence.some(shown)}"
    )
    return draw(spec, {"rows": both}, file=evidence.file("confidence"), says=says)
