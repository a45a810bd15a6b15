"""What the board shows of a run's categories: each that was measured, and their weighted mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay import Estimate, PlanError, Run
from assay.boards import BoardColumn

from .members import DOCUMENTED, membership
from .scoring import Measured, Scored
from .sheet import make_sheet

BOUNDS = (0.0, 100.0)


def board(run: Run) -> Sequence[BoardColumn]:
    """Return a column for each category that the tasks of a run are of, and one or two of their mean.

    ``aggregate`` is the documented score, of all six categories; ``renormalised`` the same over those that were
    measured, where they are two or more.  A run without such tasks has no column, and one that may stop early
    none either: its categories cannot be resampled.
    """
    tasks = [(ref.use, ref.options) for ref in run.loaded.plan.tasks]
    there = {found.category for use, options in tasks if (found := membership(use, options))}
    if not there or run.loaded.plan.stop is not None:
        return ()
    try:
        whole, part = (
            make_sheet([run], edges=(), weights=DOCUMENTED, renormalise=renormalise).scored
            for renormalise in (False, True)
        )
    except PlanError as error:  # asked other samples of one task: then nothing is joined
        cells = {name: error.what for name, s in run.manifest.systems.items() if not s.control}
        return (_column("renormalised", "mean of categories", "their weighted mean", cells),)
    columns = [
        _column(
            name,
            name,
            f"the category {name}: 0 is what chance comes to, 100 all right",
            {one.system: _category(one, name) for one in whole},
        )
        for name in DOCUMENTED
        if name in there
    ]
    used = sorted({name for one in part for name in one.weights}, key=[*DOCUMENTED].index)
    said = "the documented weights of all six categories, " + ", ".join(
        f"{name} {weight:g}" for name, weight in DOCUMENTED.items()
    )
    if all(one.total is None for one in whole) and len(used) > 1:
        over = f"the mean of {', '.join(used)} alone, with their documented weights"
        columns.append(_column("renormalised", "mean of categories", over, _totals(part)))
    columns.append(_column("aggregate", "score", said, _totals(whole)))
    return columns


def _column(metric: str, label: str, says: str, cells: Mapping[str, Estimate | str]) -> BoardColumn:
    return BoardColumn(metric=metric, label=label, says=says, cells=cells, bounds=BOUNDS)


def _category(one: Scored, name: str) -> Estimate | str:
    found = one.categories[name]
    return found.found if isinstance(found, Measured) else f"not measured: {found.why}"


def _totals(scored: Sequence[Scored]) -> dict[str, Estimate | str]:
    return {
        one.system: f"not measured: {', '.join(one.missing)}" if one.total is None else one.total
        for one in scored
    }
