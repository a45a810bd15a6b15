"""``intent.domain``: which of a domain's actions does a request ask for, if any?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file
from pathlib import Path

from assay import DataError, PlanError, SameAnswer, Sample, Task

from ..grammar.domain import load_domain
from ..grammar.parts import Domain
from ..table import Columns, read_table
from . import csv as csv_task

PROMPTS = "prompts.csv"
COLUMNS = Columns("prompt", "label", "group", "none")


def domain_task(*, domain: Path | str = "home", seed: int = 0) -> Task:
    """Return a task from a domain's labelled prompts, ``prompts.csv`` in its folder.

    ``domain`` is the name of a shipped domain, or a folder with a ``domain.yaml``.  The file has
    the columns ``prompt``, ``label`` (an action of the domain, or ``none``) and ``group``: prompts
    that say one thing in one way, which are never parted.  Splits, groups and the check for leaks
    are those of ``intent.csv``.

    Raises ``PlanError`` A103 for an unknown domain or one without prompts; ``DataError`` A200 with
    the line for a wrong file.  ``samples`` raises ``DataError`` A200 for a label that is no action,
    for an action without prompts and for what ``intent.csv`` refuses; A201 for a leak.

    >>> task = domain_task(domain="home")
    >>> sorted({s.target.value for s in task.samples("test") if hasattr(s.target, "value")})[:2]
    ['close_blinds', 'lock_door']

    *Not to be trusted when* one hand wrote all prompts: they sound alike, and the test is easier
    than what people will say.
    """
    from assay import OUTCOME_METRICS

    from .outside_metrics import OUTSIDE_METRICS

    read = load_domain(domain)
    if not read.file(PROMPTS).is_file():
        raise PlanError(
            f"the domain {read.name!r} has no labelled prompts",
            where=str(read.file(PROMPTS)),
            hint="write a CSV file with the columns prompt, label and group",
            code="A103",
        )

    @cache
    def splits() -> Mapping[str, tuple[Sample, ...]]:
        return make(read, seed=seed)

    return Task(
        name="intent.domain",
        version="1",
        says=f"Which action of {read.name} does a request ask for, if any?",
        samples=lambda split: splits()[split],
        verifier=SameAnswer(),
        metrics=(*OUTCOME_METRICS, *OUTSIDE_METRICS),
        license="Apache-2.0" if isinstance(domain, str) and domain == read.name else "",
    )


def make(domain: Domain, *, seed: int) -> Mapping[str, tuple[Sample, ...]]:
    """Read, check and split a domain's prompts."""
    with as_file(domain.file(PROMPTS)) as path:
        table = read_table(path, COLUMNS)
        for row in table.rows:
            if row.label and row.label not in domain.actions:
                raise DataError(
                    f"{row.label!r} is no action of the domain {domain.name!r}",
                    where=f"{path}:{row.line}",
                    hint=f"write one of {', '.join(domain.actions)}, or none",
                )
        labels = {row.label for row in table.rows}
        if unsaid := [action for action in domain.actions if action not in labels]:
            raise DataError(
                f"no prompt asks for {unsaid[0]!r}",
                where=str(path),
                hint="write prompts of at least four groups for it, or take the action out",
            )
        return csv_task.make(table, seed=seed).splits
