"""Figures of plugins, drawn as reports draw theirs: one palette, one font, light and dark.

``draw`` takes a Vega-Lite specification and rows; ``assay.sections.Figure`` puts what it returns into
a section.  ``Drawing.svg`` is the picture, for a file of one's own.
"""

from __future__ import annotations

from .publish.drawing import INK, PALETTE, QUIET, Datum, Drawing, colours, draw
from .publish.plots import plot_categorical_reliability, plot_confusion_matrix

__all__ = [
    "INK",
    "PALETTE",
    "QUIET",
    "Datum",
    "Drawing",
    "colours",
    "draw",
    "plot_categorical_reliability",
    "plot_confusion_matrix",
]
