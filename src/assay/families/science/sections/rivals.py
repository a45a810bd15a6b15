"""How systems stand against each other: fronts of two metrics, and every pair with Holm."""

from __future__ import annotations

from dataclasses import dataclass

from assay import Better, Estimate
from assay.estimates import spell
from assay.figures import QUIET, Datum, Drawing, draw
from assay.sections import Block, Figure, Fold, Para, Row, Scale, Span, Table, cell, pairwise

from . import charts
from .reading import Evidence

MOST_PAIRS = 60
CONTROLS = "controls"
DIRECTION = "direction_accuracy"
"""Controls name no reason, and would only stretch its axis."""
OPEN, CLOSED = "beaten on both", "not beaten on both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Two metrics that pull apart."""

    name: str
    across: str
    up: str


def planes(evidence: Evidence) -> list[Plane]:
    """Return the planes whose metrics the task has."""
    known = evidence.metrics
    charged = next((n for n in known if n.startswith("charged_") and "_det_" not in n), "")
    made = (
        Plane(name="safety and coverage", across="coverage", up="invention_rate"),
        Plane(name="safety and accuracy", across="accuracy", up="invention_rate"),
        Plane(name="direction and regression", across=charged, up=DIRECTION),
    )
    return [plane for plane in made if plane.across in known and plane.up in known]


def fronts(evidence: Evidence) -> list[Block]:
    """Return the planes as one figure, and who is not beaten as a table."""
    shown = evidence.pick(12, own=False)
    found: dict[str, list[Datum]] = {}
    for plane in planes(evidence):
        rows = [row for s in shown if (row := _row(evidence, plane, s))]
        controls = [
            {**row, "system": CONTROLS, "stands": OPEN, "ceiling": 0}
            for s, facts in evidence.run.manifest.systems.items()
            if facts.control and plane.up != DIRECTION and (row := _row(evidence, plane, s))
        ]
        if rows:
            found[plane.name] = [*controls, *_marked(evidence, plane, rows)]
    if not found:
        return []
    return [
        Figure(_planes(evidence, shown, found)),
        Para(
            "Filled: no other system is as good on both point estimates, and better on one. Open: one is, "
            "or it is a control. That is a picture of "
            "these questions; what is shown of others stands among the fronts and the pairs.",
            "note",
        ),
    ]


def _row(evidence: Evidence, plane: Plane, system: str) -> Datum | None:
    across, up = (
        evidence.run.estimate(name, system, task=evidence.task) for name in (plane.across, plane.up)
    )
    if across.value is None or up.value is None:
        return None
    return {
        "system": system,
        **_ends("x", across),
        **_ends("y", up),
        "tip": f"{system}: {plane.across} {spell(across)}; {plane.up} {spell(up)}",
    }


def _ends(axis: str, estimate: Estimate) -> Datum:
    value = estimate.value
    assert value is not None
    low = value if estimate.low is None else estimate.low
    high = value if estimate.high is None else estimate.high
    return {axis: round(value, 5), f"{axis}low": round(low, 5), f"{axis}high": round(high, 5)}


def _marked(evidence: Evidence, plane: Plane, rows: list[Datum]) -> list[Datum]:
    """Mark whom another system beats on both; the ceiling is no rival, and beats nobody."""
    signs = [
        1.0 if evidence.metrics[name].better is Better.HIGHER else -1.0
        for name in (plane.across, plane.up)
    ]

    def goods(row: Datum) -> tuple[float, float]:
        return signs[0] * row["x"], signs[1] * row["y"]

    rivals = [row for row in rows if row["system"] not in evidence.ceilings]
    for row in rows:
        mine = goods(row)
        beaten = any(
            all(a >= b for a, b in zip(goods(other), mine, strict=True)) and goods(other) != mine
            for other in rivals
        )
        is_ceiling = row["system"] in evidence.ceilings
        row["stands"] = CLOSED if is_ceiling or not beaten else OPEN
        row["ceiling"] = int(is_ceiling and plane.across == "accuracy")
    return rows


def _planes(evidence: Evidence, shown: list[str], found: dict[str, list[Datum]]) -> Drawing:
    colour = charts.by_system({**evidence.colours, CONTROLS: QUIET}, [*shown, CONTROLS])
    width = 560 if len(found) == 1 else 720 // len(found) - 44
    panels = []
    for i, plane in enumerate(p for p in planes(evidence) if p.name in found):
        encoding = {
            "x": _axis(evidence, "x", plane.across),
            "y": _axis(evidence, "y", plane.up),
            "color": colour,
        }
        layers: list[charts.Spec] = [
            {"transform": [{"filter": "datum.ceiling == 1"}],
             "mark": {"type": "rule", "strokeDash": [4, 3], "opacity": 0.8},
             "encoding": {"y": None}},
            {"mark": {"type": "rule", "opacity": 0.45},
             "encoding": {"x": {"field": "xlow"}, "x2": {"field": "xhigh"}}},
            {"mark": {"type": "rule", "opacity": 0.45},
             "encoding": {"y": {"field": "ylow"}, "y2": {"field": "yhigh"}}},
            {"mark": {"type": "point", "size": 80, "strokeWidth": 2, "opacity": 1, "filled": False},
             "encoding": {"description": charts.TIP}},
            {"transform": [{"filter": f"datum.stands == '{CLOSED}'"}],
             "mark": {"type": "point", "size": 80, "opacity": 1, "filled": True},
             "encoding": {"description": charts.TIP}},
        ]  # fmt: skip
        panels.append(
            {"data": {"name": f"plane{i}"}, "title": {"text": plane.name, "fontSize": 12}, "width": width,
             "height": 210, "encoding": encoding, "layer": layers}
        )  # fmt: skip
    data = {f"plane{i}": rows for i, rows in enumerate(found.values())}
    ceiling = (
        " Dashed: the accuracy of a system that knows how samples are drawn; nobody has more, but by luck."
        if any(row["ceiling"] for rows in found.values() for row in rows)
        else ""
    )
    says = (
        f"Two metrics that pull apart, on {evidence.task}, with 95 % intervals.{ceiling} Grey: controls."
        f"{evidence.some(shown, list(evidence.said))}"
    )
    return draw({"hconcat": panels, "spacing": 34}, data, file=evidence.file("fronts"), says=says)


def _axis(evidence: Evidence, axis: str, name: str) -> charts.Spec:
    metric = evidence.metrics[name]
    best = "right" if axis == "x" else "up"
    worst = "left" if axis == "x" else "down"
    good = best if metric.better is Better.HIGHER else worst
    unit = f", {metric.unit}" if metric.unit else ""
    title = f"{name}{unit} (better: {good})"
    is_share = metric.bounds == (0.0, 1.0)
    form: charts.Spec = {"format": "~%"} if is_share else {}
    scale: charts.Spec = {"zero": False, "nice": True}
    if name == "invention_rate":  # the safe ones are close together
        title, scale = f"{title}, root scale", {"type": "sqrt", "domain": [0, 1]}
        form["values"] = [0, 0.01, 0.05, 0.2, 0.5, 1]
    return charts.number(axis, title, scale=scale, axis={"tickCount": 4, **form})


def pairs(evidence: Evidence) -> list[Block]:
    """Return every pair of systems on the headline and on the charged error, Holm over the pairs."""
    if evidence.run.loaded.plan.stop is not None or len(evidence.own) < 2:
        return []
    charged = [n for n in evidence.metrics if n.startswith("charged_") and "_det_" not in n]
    blocks: list[Block] = []
    for name in (evidence.headline, *charged):
        found = pairwise(
            evidence.run,
            name,
            task=evidence.task,
            over=("samples", "seeds"),
            systems=evidence.own,
        )
        measured = [one for one in found if one.estimate.value is not None]
        rows = [
            Row(
                (
                    (Span(one.system, "name"), " against ", Span(one.against, "name")),
                    cell(one.estimate, scale=Scale.CHANGE),
                    Span("-" if one.p is None else _p(one.p), "number"),
                    Span(_p(one.adjusted), "number"),
                    Span("differ" if one.shown else "not shown", "on" if one.shown else "muted"),
                )
            )
            for one in sorted(measured, key=lambda one: one.adjusted)[:MOST_PAIRS]
        ]
        left, none = len(measured) - len(rows), len(found) - len(measured)
        table = Table(
            says=f"The difference of {name} on the same samples, over samples and seeds (a pair without seeds: over "
            f"samples), with 95 % intervals, each for itself; p-values are two-sided, and after Holm over all "
            f"{len(found)} pairs; operating points are compared among the claims."
            + (f" Left out for lack of room, with less evidence: {left}." if left else "")
            + (f" Without a number: {none}." if none else ""),
            header=("pair", "difference", "p", "p after Holm", "at 0.05"),
            rows=tuple(rows),
        )
        if rows:
            blocks.append(Fold(f"Every pair of systems on {name}", (table,)))
    return blocks


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"
