"""``assay lm score``: six categories of sealed runs in one number, for display."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from assay.pages import Page, wrong_option


def score(
    *run: Path,
    edge: Annotated[tuple[Path, ...], Parameter(negative="", consume_multiple=False)] = (),
    weights: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    system: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    renormalise: Annotated[bool, Parameter(negative="")] = False,
) -> Page:
    """Put reasoning, coding, math, language, edge and safety into one number: a display, not a claim.

    Categories count above chance; one that is not measured leaves a system without a number. Intervals and
    ranks come from the same resamples of the same samples for all systems.

    Parameters
    ----------
    run
        Sealed runs: of other systems on the same tasks, or of one system on other tasks.
    edge
        What assay lm edge --out wrote; may be given again.
    weights
        As reasoning=30,coding=20, or a YAML file; what is not named keeps its documented weight.
    system
        Score this system of the runs only; may be given again.
    renormalise
        Where a category is missing, divide the weights of the others by their sum, and say so.
    """
    if not run:
        raise wrong_option("RUN", "there is no run", "name the folder of a sealed run")
    from assay import Run

    from ..score.facts import facts
    from ..score.sheet import make_sheet
    from ..score.telling import lines
    from ..score.weights import read_weights

    given = read_weights(weights)
    folders = {path.resolve(): path for path in run}
    sheet = make_sheet(
        [Run.load(path) for path in folders.values()],
        edges=edge,
        weights=given,
        renormalise=renormalise,
        only=system,
    )
    return Page(lines=[*lines(sheet)], facts=facts(sheet))
