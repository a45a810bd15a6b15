"""What the report draws: Vega-Lite specifications from ``templates/figures``, filled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..core.front import Front, Standing
from ..core.metric import Estimate
from .drawing import Datum, Drawing, draw, template
from .words import Scale, label, number, scale_of

STANDS = {
    Standing.ON: "on the front",
    Standing.UNRESOLVED: "unresolved",
    Standing.BEATEN: "beaten",
}


def summary(rows: Sequence[Datum], *, file: str, says: str) -> Drawing:
    """Draw dots and intervals: a panel per metric, a line per system.

    Rows, in order: ``system``, ``metric``, ``colour``, ``value``, ``low``, ``high``, ``tip``.
    """
    return draw(_panels("summary", rows), {"rows": rows}, file=file, says=says)


def per_seed(rows: Sequence[Datum], *, file: str, says: str) -> Drawing:
    """Draw every seed as a dot.

    Rows: ``system``, ``metric``, ``colour``, ``value``, and ``kind``: ``seed`` or ``all``.
    """
    return draw(_panels("per_seed", rows), {"rows": rows}, file=file, says=says)


def deltas(rows: Sequence[Datum], *, file: str, says: str) -> Drawing:
    """Draw paired changes.  Rows: ``name``, ``value``, ``low``, ``high``, ``kind``."""
    return draw(
        template("baseline_delta"), {"rows": rows, "zero": [{"at": 0}]}, file=file, says=says
    )


def front(made: Front, colour: Mapping[str, str], *, file: str, says: str) -> Drawing:
    """Draw a front: benefit against cost, with intervals, the hull, its band and standings.

    Without a hull, the first two objectives.  The chords of the hull are straight on a linear cost
    axis, and curves on a logarithmic one.
    """
    (up, _), (across, _) = made.objectives[:2]
    if made.benefit and made.cost:
        up, across = made.benefit, made.cost
    rows = [
        {
            "system": p.system,
            "standing": STANDS[p.standing],
            "colour": colour[p.system],
            "tip": _told(p.system, (up, p.at[up]), (across, p.at[across])),
            **ends("x", p.at[across]),
            **ends("y", p.at[up]),
        }
        for p in made.points
    ]
    spread = (max(r["yhigh"] for r in rows) - min(r["ylow"] for r in rows)) or 1.0
    _place_labels(rows, at="yvalue", per_unit=_height("front") / spread, lift=-13)
    line = [{"xvalue": r.cost, "yvalue": r.benefit, "kind": "hull"} for r in made.hull]
    band = [
        {"xvalue": r.cost, "ylow": r.low, "yhigh": r.high, "kind": "hull"}
        for r in made.hull
        if r.low is not None and r.high is not None
    ]
    spec = template("front")
    spec["encoding"]["x"] |= _cost_axis(rows, across)
    spec["encoding"]["y"]["title"] = label(up)
    return draw(spec, {"rows": rows, "hull": line, "band": band}, file=file, says=says)


def cascade(rows: list[Datum], *, file: str, says: str) -> Drawing:
    """Draw policies by cost and accuracy, beside the systems that they are made of.

    Rows: ``kind`` (``policy`` or ``system``), ``system`` (a label or nothing), ``colour``, ``hull``,
    ``size``, and ends of cost (``x``) and accuracy (``y``).
    """
    spread = (max(r["yhigh"] for r in rows) - min(r["ylow"] for r in rows)) or 1.0
    named = [row for row in rows if row["system"]]
    _place_labels(named, at="yvalue", per_unit=_height("cascade") / spread, lift=-12)
    spec = template("cascade")
    axis = _cost_axis(rows, "usd_per_1k")
    # Chords are straight on a linear axis only.
    spec["encoding"]["x"] |= {"title": axis["title"].removesuffix(" (logarithmic)")}
    spec["encoding"]["x"]["axis"] = {"format": "$~r", "tickCount": 7}
    spec["encoding"]["y"]["title"] = label("accuracy")
    return draw(spec, {"rows": rows}, file=file, says=says)


def risk_coverage(data: Mapping[str, Sequence[Datum]], *, file: str, says: str) -> Drawing:
    """Draw how the risk grows with the share that is answered.

    ``curves``: system, colour, coverage, risk.  ``band``: colour, coverage, low, high.
    ``shipped``: colour and ends of coverage (``x``) and risk (``y``).  ``promises``: max_risk, says.
    """
    last: dict[str, Datum] = {}
    for row in data["curves"]:
        if row["system"] not in last or row["coverage"] >= last[row["system"]]["coverage"]:
            last[row["system"]] = dict(row)
    # The first few answers of a curve are few: they may leave the picture above.
    highs = [r["risk"] for r in data["curves"] if r["coverage"] >= 0.05]
    highs += [r["yhigh"] for r in data["shipped"]] + [r["max_risk"] for r in data["promises"]]
    tags = list(last.values())
    top = min(1.0, 1.25 * max([*highs, *(r["risk"] for r in tags), 0.01]))
    _place_labels(tags, at="risk", per_unit=_height("risk_coverage") / top, lift=0)
    spec = template("risk_coverage")
    spec["encoding"]["y"]["scale"] = {"domain": [0, top]}
    return draw(spec, {**data, "ends": tags}, file=file, says=says)


def reliability(dots: Sequence[Datum], *, file: str, says: str) -> Drawing:
    """Draw what was right against how sure a system was.

    Rows: ``system``, ``colour``, ``confidence``, ``right``, ``low``, ``high``.
    """
    last: dict[str, Datum] = {}
    for row in dots:
        if row["system"] not in last or row["confidence"] >= last[row["system"]]["confidence"]:
            last[row["system"]] = dict(row)
    tags = list(last.values())
    _place_labels(tags, at="right", per_unit=_height("reliability"), lift=0)
    ideal = [{"confidence": at, "right": at} for at in (0, 1)]
    data = {"bins": dots, "ideal": ideal, "ends": tags}
    return draw(template("reliability"), data, file=file, says=says)


def ends(name: str, estimate: Estimate) -> Datum:
    """Return value, low and high of an estimate under names that begin with ``name``."""
    value, low, high = estimate.value, estimate.low, estimate.high
    return {
        f"{name}value": value,
        f"{name}low": value if low is None else low,
        f"{name}high": value if high is None else high,
    }


def _told(system: str, *values: tuple[str, Estimate]) -> str:
    """Return what is shown when one points at a system's mark."""
    return "; ".join([system, *(f"{label(name)} {number(value)}" for name, value in values)])


def _height(name: str) -> float:
    """Return the height of a figure in pixels."""
    return float(template(name)["height"])


def _panels(name: str, rows: Sequence[Datum]) -> Datum:
    spec = template(name)
    spec["facet"]["sort"] = list(dict.fromkeys(row["metric"] for row in rows))
    return spec


def _cost_axis(rows: Sequence[Datum], metric: str) -> Datum:
    """Return a logarithmic axis with round ticks where every value is positive."""
    values = [row[k] for row in rows for k in ("xlow", "xvalue", "xhigh")]
    scale = scale_of(metric)
    title = label(metric) + (", seconds" if scale is Scale.SECONDS else "")
    if min(values) <= 0:
        return {"title": title}
    low, high = min(values) / 1.6, max(values) * 2.5
    steps = (1, 2, 5) if high / low < 300 else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [t for d in decades for s in steps if low <= (t := float(f"{s}e{d}")) <= high]
    money = "$~r" if scale is Scale.USD else "~r"
    return {
        "title": f"{title} (logarithmic)",
        "scale": {"type": "log", "domain": [low, high]},
        "axis": {"values": ticks[:: -(-len(ticks) // 9)], "format": money},
    }


def _place_labels(rows: list[Datum], *, at: str, per_unit: float, lift: float) -> None:
    """Set ``dy`` of each label, in pixels, so that no two labels stand at one height."""
    taken: list[float] = []
    for row in sorted(rows, key=lambda r: (-r[at], r["system"])):
        here = -row[at] * per_unit
        want = here - lift
        while any(abs(want - other) < 14 for other in taken):
            want += 1
        taken.append(want)
        row["dy"] = round(want - here)
