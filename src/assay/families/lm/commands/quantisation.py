"""``assay lm quantisation``: what each precision of a model takes, and what it answers otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from assay.pages import Page


def quantisation(
    run: Path,
    /,
    *,
    reference: str | None = None,
    edge: Annotated[tuple[Path, ...], Parameter(negative="", consume_multiple=False)] = (),
) -> Page:
    """Compare the same model at several precisions: flips, scores, divergence, memory, speed.

    Parameters
    ----------
    run
        A run's folder, in which several systems are the same model.
    reference
        The system that the others are compared with; the plan's first model without it.
    edge
        What `assay lm edge --out` wrote of the same files; may be given again.
    """
    from assay import Run

    from ..quantisation.measured import read_edge
    from ..quantisation.rows import quantised
    from ..quantisation.telling import facts, lines

    measured = [one for path in edge for one in read_edge(path)]
    found = quantised(Run.load(run), reference=reference, edges=measured)
    return Page(lines=list(lines(found)), facts=facts(found))
