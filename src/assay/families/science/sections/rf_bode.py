"""Bode plots: what is true of a filter, what each system says, where it declines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from assay.figures import INK, Datum, Drawing, draw

from ..domains.resonance import LIMIT
from . import charts
from .reading import Evidence
from .rf_sweeps import Sweep, given, height, phase

TOP = -20.0 * np.log10(LIMIT)
"""Decibels above which there is no value."""
FLOOR = -40.0
TRUTH = "truth"
MOST_ROWS = 32
"""Frequencies of a filter that are drawn."""
TICKS = (-1000, -100, -10, 0, 10, 100, 1000)
SINH = "format(round((exp(datum.value) - exp(-datum.value)) / 2), ',')"
"""What a place on the compressed axis says."""
EXTRAPOLATION, LOSSLESS = "extrapolation", "lossless"
KINDS = {
    "as broad as in training": frozenset[str](),
    "sharper than any in training": frozenset({EXTRAPOLATION}),
    "without damping": frozenset({LOSSLESS}),
}
"""Kinds of filters, by those of the two tags that theirs have."""


def bode(evidence: Evidence, sweeps: Sequence[Sweep], shown: Sequence[str]) -> Iterator[Drawing]:
    """Yield magnitude and phase of one filter of each kind, as one figure."""
    asked = evidence.asked
    picked = []
    for kind, marks in KINDS.items():
        some = [s for s in sweeps if _tags(evidence, s) & {EXTRAPOLATION, LOSSLESS} == marks]
        if some:
            # The one in the middle of its kind by height, so that it is neither the best nor the worst.
            some = sorted(
                some, key=lambda s: (np.nanmax(height(asked.y[s.rows]), initial=FLOOR), s.name)
            )
            picked.append((kind, _thinned(some[len(some) // 2])))
    panels = [kind for kind, _ in picked]
    rows: list[Datum] = []
    for kind, sweep in picked:
        rows += _truth(evidence, kind, sweep)
        for system in shown:
            rows += _said(evidence, kind, sweep, system)
    names = {TRUTH: INK, **{system: evidence.colours[system] for system in shown}}
    spec: charts.Spec = {
        "vconcat": [
            _row("db", "magnitude, dB", panels, names, top=True),
            _row("deg", "phase, degrees", panels, names),
        ],
        "spacing": 14,
    }
    limit = ", dashed the level above which there is no value" if evidence.asked.reasons else ""
    says = (
        f"Bode plots of {len(picked)} filters of {evidence.task} ({', '.join(s.name for _, s in picked)}), first seed: "
        f"grey the truth, a diamond its highest value, crosses where a system declined{limit}. Frequencies from the "
        "resonance that is seen, as asinh of thousandths of a decade. What is below -40 dB is drawn there; of more than "
        f"{MOST_ROWS} frequencies some are left out.{evidence.some(shown)}"
    )
    lines = charts.levels("panel", panels, TOP) if evidence.asked.reasons else []
    yield draw(
        spec,
        {"rows": rows + lines},
        file=evidence.file("bode"),
        says=says,
    )


def _thinned(sweep: Sweep) -> Sweep:
    """Return a sweep of at most so many frequencies, those nearest to the resonance among them."""
    near = np.argsort(np.abs(sweep.away), kind="stable")
    wide = near[MOST_ROWS // 2 :]
    step = -(-len(wide) // (MOST_ROWS // 2)) if len(wide) else 1
    kept = np.sort(np.concatenate([near[: MOST_ROWS // 2], wide[::step]]))
    return replace(sweep, rows=sweep.rows[kept], away=sweep.away[kept])


def _tags(evidence: Evidence, sweep: Sweep) -> frozenset[str]:
    return frozenset().union(*(evidence.asked.tags[i] for i in sweep.rows))


def _row(
    field: str, title: str, panels: Sequence[str], names: dict[str, str], *, top: bool = False
) -> charts.Spec:
    bounds = {"domain": [FLOOR, 60.0]} if top else {"domain": [-270, 90]}
    encoding = {
        "x": charts.number(
            "place", None if top else "1/1000 decade from the resonance seen",
            scale={"nice": False, "zero": False, "padding": 6},
            axis={"values": np.arcsinh(TICKS).round(5).tolist(), "labelExpr": SINH, "labelFontSize": 10, "labelOverlap": False},
        ),
        "y": charts.number(field, title, scale=bounds, axis={"tickCount": 5} if top else {"values": [-270, -180, -90, 0, 90]}),
        "color": charts.legend("system", names),
        "detail": {"field": "run"},
    }  # fmt: skip
    layers: list[charts.Spec] = [
        {"transform": [{"filter": f"datum.system == '{TRUTH}' && datum.kind == 'said' && isValid(datum.{field})"}],
         "mark": {"type": "line", "strokeWidth": 4, "opacity": 0.45, "clip": True},
         "encoding": {"order": {"field": "place", "type": "quantitative"}}},
        {"transform": [{"filter": f"datum.system != '{TRUTH}' && datum.kind == 'said' && isValid(datum.{field})"}],
         "mark": {"type": "line", "strokeWidth": 1.3, "clip": True},
         "encoding": {"order": {"field": "place", "type": "quantitative"}}},
    ]  # fmt: skip
    if top:
        layers += [
            {"transform": [{"filter": f"datum.kind == 'said' && datum.system != '{TRUTH}' && isValid(datum.db)"}],
             "mark": {"type": "point", "filled": True, "size": 13, "opacity": 0.9, "clip": True},
             "encoding": {"description": charts.TIP}},
            {"transform": [{"filter": "datum.kind == 'declined'"}],
             "mark": {"type": "point", "shape": "cross", "filled": True, "size": 30, "opacity": 0.9},
             "encoding": {"description": charts.TIP}},
            {"transform": [{"filter": "datum.kind == 'peak'"}],
             "mark": {"type": "point", "shape": "diamond", "size": 90, "strokeWidth": 1.6, "opacity": 1},
             "encoding": {"description": charts.TIP}},
            charts.rule(),
        ]  # fmt: skip
    inner = {"width": 225, "height": 200 if top else 120, "encoding": encoding, "layer": layers}
    made = charts.facet("panel", inner, columns=3, sort=panels)
    if not top:
        made["facet"]["header"] = {"labelExpr": "''"}  # they stand above the magnitudes
    return made


def _truth(evidence: Evidence, kind: str, sweep: Sweep) -> Iterator[Datum]:
    values = evidence.asked.y[sweep.rows]
    heights, degrees = height(values), phase(values)
    # Neighbours are joined; where a row between them has no value, the line breaks.
    parts = np.cumsum(np.isnan(heights))
    base: Datum = {"panel": kind, "system": TRUTH}
    for k in np.flatnonzero(~np.isnan(heights)):
        at = _at(sweep.away[k], heights[k], degrees[k])
        yield {**base, "run": f"{TRUTH} {parts[k]}", "kind": "said", **at}
    if not np.isnan(heights).all():
        top = int(np.nanargmax(heights))
        told = f"{sweep.name}: the highest value there is, {heights[top]:.1f} dB, {degrees[top]:.0f} degrees"
        yield {
            **base,
            "run": TRUTH,
            "kind": "peak",
            **_at(sweep.away[top], heights[top], None),
            "tip": told,
        }


def _said(evidence: Evidence, kind: str, sweep: Sweep, system: str) -> Iterator[Datum]:
    said = evidence.first(system)
    values = given(said, sweep.rows)
    # Neighbours are joined; where a row between them was declined, the line breaks.
    part = np.cumsum(~said.answered[sweep.rows])
    level = list(evidence.colours).index(system)
    for i, place, db, deg, run in zip(
        sweep.rows, sweep.away, height(values), phase(values), part, strict=True
    ):
        where = f"{place:+.3g} thousandths"
        base: Datum = {"panel": kind, "system": system, "run": f"{system} {run}"}
        if not np.isnan(db):
            told = f"{system}, {where}: {db:.1f} dB, {deg:.0f} degrees ({said.outcome[i]})"
            yield {**base, "kind": "said", **_at(place, db, deg), "tip": told}
        elif said.declined[i]:
            told = f"{system}, {where}: declined ({said.outcome[i]})"
            at = _at(place, FLOOR + 2.5 * (level % 6), None)
            yield {**base, "kind": "declined", **at, "tip": told}


def _at(place: float, db: float, deg: float | None) -> Datum:
    return {
        "place": round(float(np.arcsinh(place)), 3),
        "db": round(float(np.clip(db, FLOOR, 60.0)), 2),
        "deg": None if deg is None else round(float(deg), 1),
    }
