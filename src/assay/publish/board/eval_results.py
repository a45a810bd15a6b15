"""Numbers of a model as Hugging Face's ``.eval_results`` has them: one value for one task of one benchmark.

Covered: keys as documented at huggingface.co/docs/hub/eval-results; a number is named with its interval, its
samples and its run.  Not covered: whether a run asked what that benchmark asks: who names the benchmark says
so.  No ``verifyToken`` is written: only Hugging Face makes one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ...core.errors import PlanError
from .rows import Row
from .spelling import is_measured, spell_cell

_WRITTEN = re.compile(
    r"(?P<task>[^@=\s]+)(@(?P<metric>[^=\s]+))?="
    r"(?P<dataset>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)#(?P<part>[\w.-]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Which task of the board is which task of a benchmark on the Hub."""

    task: str
    metric: str | None
    """None: the first of the task's columns."""

    dataset: str
    part: str
    """The task's id in the data set's ``eval.yaml``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Files to put into the model's repository, and what was left out."""

    files: Mapping[str, str]
    """Path below the repository to YAML."""

    left_out: tuple[str, ...]
    """Tasks of the board that no benchmark was named for."""


def parse_benchmark(text: str) -> Benchmark:
    """Return what ``TASK[@METRIC]=ORG/DATASET#TASK_ID`` says.  Raises ``PlanError`` A106 for any other text.

    >>> parse_benchmark("gsm8k=openai/gsm8k#gsm8k").dataset
    'openai/gsm8k'
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise PlanError(
            f"{text!r} names no benchmark",
            where="--benchmark",
            hint="write TASK=ORG/DATASET#TASK_ID, as gsm8k=openai/gsm8k#gsm8k",
            code="A106",
        )
    return Benchmark(
        task=found["task"], metric=found["metric"], dataset=found["dataset"], part=found["part"]
    )


def eval_results(
    rows: Sequence[Row],
    benchmarks: Sequence[Benchmark],
    *,
    dates: Mapping[str, str],
    url: str | None = None,
) -> Results:
    """Return the ``.eval_results`` of a model.

    ``dates`` has the day of each run, ``url`` is where readers find the board.  Raises ``PlanError`` A103 for a
    task that is not on the board, A106 where two rows of the model have a number for one benchmark.
    """
    entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for benchmark in benchmarks:
        found = list(_measured(rows, benchmark))
        if not found:
            known = sorted({str(c["task"]) for row in rows for c in row.columns if c.get("task")})
            metric = f"@{benchmark.metric}" if benchmark.metric else ""
            raise PlanError(
                f"nothing was measured of {benchmark.task}{metric}",
                where="--benchmark",
                hint=f"the board has {', '.join(known)}",
                code="A103",
            )
        if len(found) > 1:
            raise PlanError(
                f"{len(found)} rows have a number for {benchmark.task}",
                where="--benchmark",
                hint=f"name one with --row: {', '.join(row.id for row, _ in found)}",
                code="A106",
            )
        [(row, column)] = found
        entries[benchmark.dataset].append(
            _entry(row, column, benchmark, date=dates.get(row.run), url=url)
        )
    named = {benchmark.task for benchmark in benchmarks}
    tasks = {str(c["task"]) for row in rows for c in row.columns if c.get("task")}
    return Results(
        files={
            f".eval_results/{dataset.replace('/', '--')}.yaml": yaml.safe_dump(
                made, sort_keys=False, allow_unicode=True
            )
            for dataset, made in sorted(entries.items())
        },
        left_out=tuple(sorted(tasks - named)),
    )


def _measured(rows: Sequence[Row], benchmark: Benchmark) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    """Yield the rows that have a number for a benchmark, with its column."""
    for row in rows:
        columns = [c for c in row.columns if c.get("task") == benchmark.task]
        wanted = [c for c in columns if benchmark.metric in (None, c.get("metric"))]
        if wanted and is_measured(row.cells.get(wanted[0]["id"])):
            yield row, wanted[0]


def _entry(
    row: Row, column: Mapping[str, Any], benchmark: Benchmark, *, date: str | None, url: str | None
) -> dict[str, Any]:
    cell = row.cells[column["id"]]
    metric = f"{column['metric']}, {column['unit']}" if column.get("unit") else column["metric"]
    made: dict[str, Any] = {
        "dataset": {"id": benchmark.dataset, "task_id": benchmark.part},
        "value": cell["value"],
    }
    if date:
        made["date"] = date[:10]
    if url:
        made["source"] = {"url": url, "name": "assay board"}
    made["notes"] = (
        f"{metric}: {spell_cell(cell, column)}, n={cell['n']}; {row.system}; "
        f"measured by assay, run sha256:{row.run}"
    )
    return made
