"""``science.table``: what is the value of a row of a table of yours, if it can be told?"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from assay import Task

from .parts import Shares
from .table_metrics import table_metrics
from .table_options import Missing, Quantiles, Wanted, check
from .table_samples import Made, make
from .targets import Censored, Limits
from .within import Within


def table(  # noqa: PLR0913  (the options of a plan, each with a default)
    *,
    path: Path,
    target: str | None = None,
    interval: tuple[str, str] | None = None,
    features: tuple[str, ...] = (),
    categorical: tuple[str, ...] = (),
    group: str | None = None,
    split: str | None = None,
    test_rows: Path | None = None,
    fold: int = 0,
    shares: Shares = (0.5, 0.1, 0.2, 0.2),
    limits: Limits = (None, None),
    quantiles: Quantiles = (None, None),
    censored: Censored = "none",
    tolerance: float = 0.5,
    unit: Literal["sd", "target"] = "sd",
    missing: Missing = "error",
    leaks: Literal["error", "allow"] = "error",
    seed: int = 0,
    redistributable: bool = True,
) -> Task:
    """Return a task from a CSV file with a header, or a JSON Lines file (``.jsonl``), maybe ``.gz``.

    ``target`` names the column of values, or ``interval`` two with the ends of an interval that
    holds it.  A value at or beyond one of ``limits`` cannot be told: the right answer is
    ``Bottom("below")`` or ``Bottom("above")``; so it is where the file says so itself (``<5``,
    ``>1000``, an open end) and ``censored`` declares it.  ``quantiles`` of the training values as
    limits censor a table on purpose; the task's caveats say so.  Features are all other columns, or
    those named; text is one column of zeros and ones for each category.  Rows with equal features,
    or an equal ``group``, are not independent.  Groups are drawn into the parts by ``shares`` and
    ``seed``, unless the column ``split``, or fold ``fold`` of the file ``test_rows``, says where rows
    stand.

    Raises ``PlanError`` A104 for options that contradict each other.  ``samples`` raises
    ``DataError`` A200 with the line for every row that cannot be used; A201 for a group in two parts
    unless ``leaks`` allows it.

    >>> table(path=Path("wells.csv"), target="dose", limits=(5.0, None)).metrics[0].name
    'macro_f1'

    *Not to be trusted when* rows that are no copies of each other are still not independent (one
    patient, one batch, one series in time) and no ``group`` says so.
    """
    wanted = Wanted(
        path=path,
        target=target,
        interval=interval,
        features=features,
        categorical=categorical,
        group=group,
        split=split,
        test_rows=test_rows,
        fold=fold,
        shares=shares,
        limits=limits,
        quantiles=quantiles,
        censored=censored,
        tolerance=tolerance,
        missing=missing,
        leaks=leaks,
        seed=seed,
    )
    check(wanted)

    @cache
    def made() -> Made:
        return make(wanted)

    return Task(
        name="science.table",
        version="1",
        says=f"What is the {target or 'value'} of a row of {path.name}, if it can be told?",
        samples=lambda part: made().splits[part],
        verifier=Within(tolerance=tolerance, unit=unit, deviation=lambda: made().deviation),
        metrics=table_metrics(wanted.reasons),
        redistributable=redistributable,
        caveats=lambda: made().caveats,
    )
