"""What the columns of a task's inputs and values are called, and their units, where the task is ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..domains.dose import Curves
from ..domains.rf import FEATURES

Column = tuple[str, str | None]
"""A name, and a unit; None: the data does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names and units of what goes in and comes out."""

    inputs: tuple[Column, ...]
    values: tuple[Column, ...]


SHARE = "1"
KNOWN: Mapping[str, Columns] = {
    "science.dose": Columns(
        inputs=tuple((f"response at 10^{c:.4g} mol/l", SHARE) for c in Curves().grid),
        values=(("log10 of the IC50", "log10(mol/l)"),),
    ),
    "science.rf": Columns(
        inputs=tuple((name, SHARE) for name in FEATURES),
        values=(("real part of the response", SHARE), ("imaginary part of the response", SHARE)),
    ),
    "science.ik": Columns(
        inputs=(
            ("cosine of the first measured angle", SHARE),
            ("sine of the first measured angle", SHARE),
            ("cosine of the second measured angle", SHARE),
            ("sine of the second measured angle", SHARE),
            ("move along x", "link lengths"),
            ("move along y", "link lengths"),
        ),
        values=(("step of the first joint", "rad"), ("step of the second joint", "rad")),
    ),
}


def columns_of(use: str, *, inputs: int, values: int) -> Columns:
    """Return the columns of a task; numbered ones where nobody named them.

    >>> columns_of("science.table", inputs=2, values=1).inputs
    (('x0', None), ('x1', None))
    """
    known = KNOWN.get(use)
    if known is not None and (len(known.inputs), len(known.values)) == (inputs, values):
        return known
    return Columns(
        inputs=tuple((f"x{i}", None) for i in range(inputs)),
        values=tuple((f"y{i}", None) for i in range(values)),
    )
