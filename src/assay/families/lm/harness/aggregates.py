"""``lm.harness`` in reports: what the harness itself makes of the same scores, beside our numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from assay import Run
from assay.sections import Para, Row, Section, Span, Table, shipped

from ..extras import harness

HEADER = ("task", "system", "score", "ours", "lm-eval's", "answered")
SAYS = (
    "What lm-evaluation-harness makes of the same scores: its mean of each task, and over the tasks of a group its mean by "
    "size.  It knows no failures: where not everything was answered, its numbers are of the rest, and ours of everything asked."
)


class Aggregate(NamedTuple):
    """One score of one system, aggregated twice."""

    task: str
    system: str
    score: str
    ours: float | None
    theirs: float | None
    """By the harness's functions, over what was answered; None where nothing was."""

    answered: int
    asked: int


def aggregates(run: Run) -> Section | None:
    """Return the harness's aggregates beside ours; None where the plan has no task of the harness."""
    found = list(aggregated(run))
    if not found:
        return None
    rows = tuple(
        Row(
            (
                Span(one.task, "name"),
                Span(one.system),
                Span(one.score),
                Span(_spelt(one.ours)),
                Span(_spelt(one.theirs)),
                Span(f"{one.answered} of {one.asked}"),
            )
        )
        for one in found
    )
    return Section(
        "lm-eval",
        "As lm-evaluation-harness counts",
        (Para(SAYS), Table(says="Scores aggregated twice.", header=HEADER, rows=rows)),
        {"aggregates": [one._asdict() for one in found]},
    )


def aggregated(run: Run) -> Iterator[Aggregate]:
    """Yield each score of each system under test, as the harness and as we aggregate it."""
    for ref in run.loaded.plan.tasks:
        if ref.use != "lm.harness":
            continue
        task = ref.name or ref.use
        case = run.results.cases[task]
        scores = [name for name, m in case.metrics.items() if f"check:{name}" in m.columns]
        for system in case.rivals:
            verdicts = [
                (record.sample.rpartition("/")[0], record.verdict.scores)
                for seed in case.tables[system].seeds
                for _, record in shipped(run, system, task=task, seed=seed)
                if not record.attempt
            ]
            for score in scores:
                values: dict[str, list[float]] = {}
                for leaf, found in verdicts:
                    if score in found:
                        values.setdefault(leaf, []).append(found[score])
                yield Aggregate(
                    task,
                    system,
                    score,
                    run.estimate(score, system, task=task, over=()).value,
                    _theirs(values),
                    sum(map(len, values.values())),
                    len(verdicts),
                )


def _theirs(values: dict[str, list[float]]) -> float | None:
    """Return the harness's mean of each task, and its mean of these by their size."""
    if not values:
        return None
    metrics: Any = harness("lm_eval.api.metrics")
    means = [metrics.mean(each) for each in values.values()]
    sizes = [len(each) for each in values.values()]
    return float(metrics.aggregate_subtask_metrics(means, sizes))


def _spelt(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
