"""Replies that a limit of length ended before the answer was over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..store.columns import CODE
from .table import Table

MUCH = 0.01
"""From which share on a reader has to be told."""


class Cut(NamedTuple):
    """How many replies were cut, of those of which it is known."""

    cut: int
    known: int


def cut_of(table: Table) -> Cut:
    """Count the replies of a system that were cut; a reply that does not say is not counted."""
    column = table.extra.get("cut")
    if column is None:
        return Cut(0, 0)
    return Cut(int((column > 0).sum()), int((~np.isnan(column)).sum()))


def cut_note(table: Table) -> str:
    """Return that many answers were judged though they were cut, and what to do; empty where few were.

    Where there are scores but no right or wrong, as of texts that are only gone on with, a cut answer is
    judged by nobody, and nothing is said.
    """
    cut, known = cut_of(table)
    if cut <= MUCH * known or (table.outcome == CODE["scored"]).any():
        return ""
    return (
        f"{cut:,} of {known:,} replies of {table.system} ({100 * cut / known:.1f} %) were cut at max_tokens, or where "
        "the context was full, and count as they stand: raise max_tokens (or the task's own limit) and run again"
    )
