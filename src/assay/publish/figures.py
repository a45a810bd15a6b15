"""What the report draws: Vega-Lite specifications from ``templates/figures``, filled and as SVG.

Covered: the same numbers give the same bytes (one bundled font, ids counted anew), and an SVG holds
shapes and text only.  Not covered: bytes under another version of the drawing library.
"""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

from ..core.front import Front, Standing
from ..core.metric import Estimate
from .hostile import visible
from .words import Scale, label, scale_of

Row: TypeAlias = dict[str, Any]

PALETTE = (
    *("#3b7ddd", "#d9603b", "#1a9e77", "#a765c4", "#b8860b", "#2b9bb3", "#a0724a", "#d0528f"),
    *("#7d8f1f", "#6f6fd8"),
)
"""Apart for colour-blind eyes, and at least 3 : 1 on white and on near-black."""
QUIET = "#8a8f98"
"""Controls."""
INK = "#6f757e"
FONT = "Liberation Sans, Arial, sans-serif"
"""The first one comes with the drawing library: text is measured alike on every machine."""

STANDS = {
    Standing.ON: "on the front",
    Standing.UNRESOLVED: "unresolved",
    Standing.BEATEN: "beaten",
}
_KEPT_TAGS = {"svg", "g", "path", "line", "rect", "circle", "text", "tspan", "defs", "clipPath"}
_KEPT_ATTRIBUTES = {
    *("width", "height", "viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "r", "cx"),
    *("cy", "dx", "dy", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray"),
    *("stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity"),
    *("text-anchor", "font-family", "font-size", "font-weight", "clip-path", "id", "display"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure."""

    file: str
    """Its path below ``derived/``."""

    says: str
    """What it shows, for whoever cannot see it."""

    svg: str

    @property
    def inline(self) -> str:
        """The drawing for a page: its ink follows the page's, light or dark."""
        return self.svg.replace(INK, "currentColor")


def colours(systems: Sequence[str]) -> dict[str, str]:
    """Return one colour per system under test, the same in every figure."""
    return {s: PALETTE[i % len(PALETTE)] for i, s in enumerate(systems)}


def summary(rows: Sequence[Row], *, file: str, says: str) -> Drawing:
    """Draw dots and intervals: a panel per metric, a line per system.

    Rows, in order: ``system``, ``metric``, ``colour``, ``value``, ``low``, ``high``.
    """
    return _draw(_panels("summary", rows), {"rows": rows}, file=file, says=says)


def per_seed(rows: Sequence[Row], *, file: str, says: str) -> Drawing:
    """Draw every seed as a dot.

    Rows: ``system``, ``metric``, ``colour``, ``value``, and ``kind``: ``seed`` or ``all``.
    """
    return _draw(_panels("per_seed", rows), {"rows": rows}, file=file, says=says)


def deltas(rows: Sequence[Row], *, file: str, says: str) -> Drawing:
    """Draw paired changes.  Rows: ``name``, ``value``, ``low``, ``high``, ``kind``."""
    return _draw(_spec("baseline_delta"), {"rows": rows, "zero": [{"at": 0}]}, file=file, says=says)


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
    spec = _spec("front")
    spec["encoding"]["x"] |= _cost_axis(rows, across)
    spec["encoding"]["y"]["title"] = label(up)
    return _draw(spec, {"rows": rows, "hull": line, "band": band}, file=file, says=says)


def cascade(rows: list[Row], *, file: str, says: str) -> Drawing:
    """Draw policies by cost and accuracy, beside the systems that they are made of.

    Rows: ``kind`` (``policy`` or ``system``), ``system`` (a label or nothing), ``colour``, ``hull``,
    ``size``, and ends of cost (``x``) and accuracy (``y``).
    """
    spread = (max(r["yhigh"] for r in rows) - min(r["ylow"] for r in rows)) or 1.0
    named = [row for row in rows if row["system"]]
    _place_labels(named, at="yvalue", per_unit=_height("cascade") / spread, lift=-12)
    spec = _spec("cascade")
    axis = _cost_axis(rows, "usd_per_1k")
    # Chords are straight on a linear axis only.
    spec["encoding"]["x"] |= {"title": axis["title"].removesuffix(" (logarithmic)")}
    spec["encoding"]["x"]["axis"] = {"format": "$~r", "tickCount": 7}
    spec["encoding"]["y"]["title"] = label("accuracy")
    return _draw(spec, {"rows": rows}, file=file, says=says)


def risk_coverage(data: Mapping[str, Sequence[Row]], *, file: str, says: str) -> Drawing:
    """Draw how the risk grows with the share that is answered.

    ``curves``: system, colour, coverage, risk.  ``band``: colour, coverage, low, high.
    ``shipped``: colour and ends of coverage (``x``) and risk (``y``).  ``promises``: max_risk, says.
    """
    last: dict[str, Row] = {}
    for row in data["curves"]:
        if row["system"] not in last or row["coverage"] >= last[row["system"]]["coverage"]:
            last[row["system"]] = dict(row)
    # The first few answers of a curve are few: they may leave the picture above.
    highs = [r["risk"] for r in data["curves"] if r["coverage"] >= 0.05]
    highs += [r["yhigh"] for r in data["shipped"]] + [r["max_risk"] for r in data["promises"]]
    tags = list(last.values())
    top = min(1.0, 1.25 * max([*highs, *(r["risk"] for r in tags), 0.01]))
    _place_labels(tags, at="risk", per_unit=_height("risk_coverage") / top, lift=0)
    spec = _spec("risk_coverage")
    spec["encoding"]["y"]["scale"] = {"domain": [0, top]}
    return _draw(spec, {**data, "ends": tags}, file=file, says=says)


def reliability(dots: Sequence[Row], *, file: str, says: str) -> Drawing:
    """Draw what was right against how sure a system was.

    Rows: ``system``, ``colour``, ``confidence``, ``right``, ``low``, ``high``.
    """
    last: dict[str, Row] = {}
    for row in dots:
        if row["system"] not in last or row["confidence"] >= last[row["system"]]["confidence"]:
            last[row["system"]] = dict(row)
    tags = list(last.values())
    _place_labels(tags, at="right", per_unit=_height("reliability"), lift=0)
    ideal = [{"confidence": at, "right": at} for at in (0, 1)]
    data = {"bins": dots, "ideal": ideal, "ends": tags}
    return _draw(_spec("reliability"), data, file=file, says=says)


def ends(name: str, estimate: Estimate) -> Row:
    """Return value, low and high of an estimate under names that begin with ``name``."""
    value, low, high = estimate.value, estimate.low, estimate.high
    return {
        f"{name}value": value,
        f"{name}low": value if low is None else low,
        f"{name}high": value if high is None else high,
    }


def _height(name: str) -> float:
    """Return the height of a figure in pixels."""
    return float(_spec(name)["height"])


def _spec(name: str) -> Row:
    file = resources.files("assay.publish") / "templates" / "figures" / f"{name}.json"
    spec: Row = json.loads(file.read_text("utf-8").replace('"INK"', f'"{INK}"'))
    return spec


def _panels(name: str, rows: Sequence[Row]) -> Row:
    spec = _spec(name)
    spec["facet"]["sort"] = list(dict.fromkeys(row["metric"] for row in rows))
    return spec


def _draw(spec: Row, data: Mapping[str, Sequence[Row]], *, file: str, says: str) -> Drawing:
    import vl_convert

    rows = {"data": {"name": "rows"}} if "rows" in data else {}
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": None,
        "padding": {"left": 14, "right": 4, "top": 4, "bottom": 4},
        "config": {**_spec("config"), "font": FONT},
        "datasets": {name: [_safe(row) for row in given] for name, given in data.items()},
        **rows,
        **spec,
    }
    # No address is allowed: a specification that asks for one is an error, not a download.
    text = vl_convert.vegalite_to_svg(json.dumps(whole), allowed_base_urls=[])
    return Drawing(file=file, says=says, svg=_clean(text, re.sub(r"[^a-z]+", "-", file), says))


def _safe(row: Row) -> Row:
    return {k: visible(v, 60) if isinstance(v, str) else v for k, v in row.items()}


def _cost_axis(rows: Sequence[Row], metric: str) -> Row:
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


def _place_labels(rows: list[Row], *, at: str, per_unit: float, lift: float) -> None:
    """Set ``dy`` of each label, in pixels, so that no two labels stand at one height."""
    taken: list[float] = []
    for row in sorted(rows, key=lambda r: (-r[at], r["system"])):
        here = -row[at] * per_unit
        want = here - lift
        while any(abs(want - other) < 14 for other in taken):
            want += 1
        taken.append(want)
        row["dy"] = round(want - here)


def _clean(text: str, prefix: str, says: str) -> str:
    root = ET.fromstring(text)  # noqa: S314  (the drawing library has just written it)
    for parent in list(root.iter()):
        for child in list(parent):
            if _bare(child.tag) not in _KEPT_TAGS:
                parent.remove(child)
    names: dict[str, str] = {}
    for element in root.iter():
        element.tag = _bare(element.tag)
        kept = {k: v for k, v in element.attrib.items() if k in _KEPT_ATTRIBUTES}
        if "id" in kept:
            kept["id"] = names.setdefault(kept["id"], f"{prefix}{len(names)}")
        element.attrib.clear()
        element.attrib.update(kept)
    for element in root.iter():
        if (clip := element.get("clip-path")) is not None:
            element.set("clip-path", f"url(#{names.get(clip[5:-1], '')})")
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("role", "img")
    root.set("aria-label", visible(says))
    return ET.tostring(root, encoding="unicode")


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
