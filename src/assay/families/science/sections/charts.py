"""Pieces of specifications that figures of values which may not be there have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay.figures import INK, PALETTE, Datum

Spec = dict[str, Any]
PLAIN: Spec = {"field": "colour", "type": "nominal", "scale": None}
"""A colour that rows carry."""
TIP: Spec = {"field": "tip"}


def number(field: str, title: str | None, **more: Any) -> Spec:
    """Return an axis of numbers."""
    axis = {"tickCount": 5, **more.pop("axis", {})}
    if "values" in axis:  # or some of them would be left out
        del axis["tickCount"]
    return {"field": field, "type": "quantitative", "title": title, "axis": axis, **more}


def share(field: str, title: str | None, **more: Any) -> Spec:
    """Return an axis of shares, from 0 to 1 unless a scale says otherwise.

    Ticks have as many places as they need: with none at all, two of them may say "99%".
    """
    scale = more.pop("scale", {"domain": [0, 1]})
    return number(field, title, scale=scale, axis={"format": "~%", **more.pop("axis", {})}, **more)


def by_system(colours: Mapping[str, str], shown: Sequence[str]) -> Spec:
    """Return the colours of systems, with a legend above the figure."""
    return legend("system", {system: colours[system] for system in shown})


def by_truth(names: Sequence[str]) -> Spec:
    """Return colours of what is there: a value, or a reason."""
    return legend("truth", {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)})


def legend(field: str, colours: Mapping[str, str]) -> Spec:
    """Return fixed colours of some names, with a legend above the figure."""
    return {
        "field": field,
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {
            "orient": "top",
            "columns": 8,
            "symbolType": "square",
            "symbolStrokeWidth": 0,
            "symbolOpacity": 1,
            "labelLimit": 130,
        },
    }


def facet(field: str, inner: Spec, *, columns: int, sort: Sequence[str] | None = None) -> Spec:
    """Return small panels, one for each name of a field."""
    uneven = sort is not None and len(sort) % columns != 0
    return {
        # The last row would have axes without a panel above them.
        **({"resolve": {"axis": {"x": "independent"}}} if uneven else {}),
        "facet": {"field": field, "type": "nominal", "sort": None if sort is None else list(sort)},
        "columns": columns,
        "spacing": {"row": 24, "column": 22},
        "spec": inner,
    }


def rule(*, dashed: bool = True) -> Spec:
    """Return a line across every panel, at ``level`` of the rows that have one: see ``levels``."""
    dash = {"strokeDash": [4, 3]} if dashed else {}
    return {
        "transform": [{"filter": "isValid(datum.level)"}],
        "mark": {"type": "rule", "color": INK, "opacity": 0.8, **dash},
        "encoding": {"y": {"field": "level", "type": "quantitative"}, "x": None, "color": None},
    }


def levels(field: str, names: Sequence[str], at: float) -> list[Datum]:
    """Return a row for each panel with the level of its line."""
    return [{field: name, "level": at} for name in names]
