"""How a Vega-Lite specification becomes an SVG: bundled font, fixed ids, shapes and text only.

Covered: the same numbers give the same bytes (one bundled font, ids counted anew, tenths of a
pixel), an SVG holds shapes, text and what is said of a mark when one points at it, and nothing is
loaded.  Not covered: bytes under another version of the drawing library.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from itertools import count
from typing import Any, TypeAlias

from ..core.errors import PluginError
from .hostile import visible

Datum: TypeAlias = dict[str, Any]

PALETTE = (
    *("#3b7ddd", "#d9603b", "#1a9e77", "#a765c4", "#b8860b", "#2b9bb3", "#a0724a", "#d0528f"),
    *("#7d8f1f", "#6f6fd8"),
)
"""Apart for colour-blind eyes, and at least 3 : 1 on white and on near-black."""
QUIET = "#8a8f98"
"""Controls."""
INK = "#6f757e"
"""Words, axes and lines: it follows the page's ink, light or dark.  Readable on both by itself."""
FONT = "Liberation Sans, Arial, sans-serif"
"""The first one comes with the drawing library: text is measured alike on every machine."""
MOST_BYTES = 500_000
"""Of one drawing: a report holds dozens of them."""

_NAME, _TEXT, _TIP = 36, 60, 160
"""Letters of a name beside an axis, of other texts, and of what is said of a mark."""

_FILE = re.compile(r"figures/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.svg")
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e[-+]?\d+)?|-?\d+(?:\.\d+)?e[-+]?\d+")
_DOT = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0")
_PLACES = {"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "dx", "dy", "r"}
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

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the drawing, and below it what it says."""
        return (
            f"<figure>{self.inline}<figcaption>{escape(visible(self.says))}</figcaption></figure>"
        )


def colours(systems: Sequence[str]) -> dict[str, str]:
    """Return one colour per system under test, the same in every figure."""
    return {s: PALETTE[i % len(PALETTE)] for i, s in enumerate(systems)}


def draw(spec: Datum, data: Mapping[str, Sequence[Datum]], *, file: str, says: str) -> Drawing:
    """Draw a Vega-Lite specification as every figure of a report is drawn.

    ``data`` are rows of plain values by the name of a data set; the one that is called ``rows`` is that
    of the whole specification, others are named by ``{"data": {"name": ...}}``.  The colour ``"INK"``
    follows the page's.  What an encoding ``description`` says is shown when one points at its mark.
    ``file`` is a path below ``derived/``: ``figures/<something>.svg``; ``says`` is the caption.

    Raises ``PluginError`` A400 for another path, for a specification that cannot be drawn or asks for
    an address, and for a drawing of more than 500 kB: thin or bin the rows.

    >>> bars = {"mark": "bar", "encoding": {"x": {"field": "n", "type": "quantitative"},
    ...         "y": {"field": "who", "type": "nominal"}, "description": {"field": "tip"}}}
    >>> rows = [{"who": "a", "n": 3, "tip": "a: 3 < 4"}]
    >>> drawn = draw(bars, {"rows": rows}, file="figures/mine/bars.svg", says="One bar.")
    >>> "<title>a: 3 &lt; 4</title>" in drawn.svg, drawn == draw(
    ...     bars, {"rows": rows}, file="figures/mine/bars.svg", says="One bar.")
    (True, True)
    """
    import vl_convert

    if not _FILE.fullmatch(file):
        raise PluginError(
            f"a figure cannot be called {file!r}",
            hint="call it figures/NAME.svg, of letters, digits, dots, - and _",
        )
    rows = {"data": {"name": "rows"}} if "rows" in data else {}
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": None,
        "padding": {"left": 14, "right": 4, "top": 4, "bottom": 4},
        "config": {**template("config"), "font": FONT},
        "datasets": _safe(data),
        **rows,
        **_seen(json.loads(inked(json.dumps(spec)))),
    }
    try:
        # No address is allowed: a specification that asks for one is an error, not a download.
        text = vl_convert.vegalite_to_svg(json.dumps(whole), allowed_base_urls=[])
    except ValueError as error:
        raise PluginError(f"the figure {file} cannot be drawn: {error}") from None
    svg = _clean(text, re.sub(r"[^a-z0-9]+", "-", file.lower()), says)
    if len(svg) > MOST_BYTES:
        raise PluginError(
            f"the figure {file} has {len(svg):,} bytes, and may have {MOST_BYTES:,}",
            hint="thin its rows, or count them in bins",
        )
    return Drawing(file=file, says=says, svg=svg)


def template(name: str) -> Datum:
    """Return one of our own specifications."""
    file = resources.files("assay.publish") / "templates" / "figures" / f"{name}.json"
    spec: Datum = json.loads(inked(file.read_text("utf-8")))
    return spec


def inked(text: str) -> str:
    """Return a specification as text with the ink where it says so."""
    return text.replace('"INK"', f'"{INK}"')


def _safe(data: Mapping[str, Sequence[Datum]]) -> dict[str, list[Datum]]:
    """Return rows whose texts are visible and short; two names that differ stay two."""
    shown: dict[tuple[str, int], str] = {}
    taken: set[str] = set()

    def seen(key: str, value: Any) -> Any:
        if not isinstance(value, str):
            return _seen(value)
        if key == "tip":
            return visible(value, _TIP)
        most = _NAME if key in ("system", "name") else _TEXT
        if (value, most) not in shown:
            shown[value, most] = _short_and_apart(value, most, taken)
            taken.add(shown[value, most])
        return shown[value, most]

    return {
        name: [{k: seen(k, v) for k, v in row.items()} for row in rows]
        for name, rows in data.items()
    }


def _short_and_apart(text: str, most: int, taken: set[str]) -> str:
    """Return a text, or its beginning and its end: names of a family differ in their last characters."""
    if len(text) <= most:
        return visible(text)
    half = (most - 1) // 2
    short = f"{visible(text[:half])}…{visible(text[half - most + 1 :])}"
    again = (f"{short} ({n})" for n in count(2))
    return short if short not in taken else next(each for each in again if each not in taken)


def _seen(value: Any) -> Any:
    """Return plain values whose texts are visible: the drawing library ends the process at a control character."""
    match value:
        case str():
            return visible(value)
        case dict():
            return {name: _seen(each) for name, each in value.items()}
        case list() | tuple():
            return [_seen(each) for each in value]
        case _:
            return value


def _clean(text: str, prefix: str, says: str) -> str:
    root = ET.fromstring(text)  # noqa: S314  (the drawing library has just written it)
    for parent in list(root.iter()):
        for child in list(parent):
            tag = _bare(child.tag)
            # What has no colour of its own has none: the drawing's own is none.
            unseen = tag == "path" and not {"fill", "stroke"} & child.attrib.keys()
            if tag not in _KEPT_TAGS or (unseen and _bare(parent.tag) == "g"):
                parent.remove(child)
    names: dict[str, str] = {}
    for element in list(root.iter()):
        element.tag = _bare(element.tag)
        if element.get("font-family") == FONT:
            del element.attrib["font-family"]  # it stands at the root, once
        told = element.get("aria-label") if element.tag not in ("svg", "g") else None
        kept = {
            k: _LONG.sub(_short, v) if k in _PLACES else v
            for k, v in element.attrib.items()
            if k in _KEPT_ATTRIBUTES
        }
        if "id" in kept:
            kept["id"] = names.setdefault(kept["id"], f"{prefix}{len(names)}")
        element.attrib.clear()
        element.attrib.update(_lighter(kept))
        if element.tag == "path" and (dot := _DOT.fullmatch(kept.get("d", ""))):
            element.tag = "circle"
            element.set("r", dot[1])
            del element.attrib["d"]
        if told:
            ET.SubElement(element, "title").text = visible(told)
    for element in root.iter():
        if (clip := element.get("clip-path")) is not None:
            element.set("clip-path", f"url(#{names.get(clip[5:-1], '')})")
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("font-family", FONT)
    root.set("role", "img")
    root.set("aria-label", visible(says))
    return ET.tostring(root, encoding="unicode")


def _lighter(kept: Mapping[str, str]) -> dict[str, str]:
    """Return attributes without those that say what holds anyway: figures have hundreds of marks."""
    dull = {name for name in ("opacity", "fill-opacity", "stroke-opacity") if kept.get(name) == "1"}
    if "stroke" not in kept:
        dull.add("stroke-width")
    return {name: value for name, value in kept.items() if name not in dull}


def _short(found: re.Match[str]) -> str:
    """Return tenths of a pixel."""
    return f"{round(float(found[0]), 1) + 0.0:.1f}".removesuffix(".0")


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
