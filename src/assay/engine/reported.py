"""Tasks and systems that another tool asked: they have records here, and cannot be asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from ..analysis.metrics import OUTCOME_METRICS
from ..core.artifact import Artifact
from ..core.errors import PlanError, PluginError
from ..core.metric import Array, Better, Columns, Contrast, Metric, Ratio
from ..core.sample import Sample
from ..core.system import Built, Needs
from ..core.task import Task
from ..core.verdict import SameAnswer
from .overrides import nearest

TASK, SYSTEM = "reported.samples", "reported.system"
"""What the plan of an imported run uses."""


def _mean(column: str, scale: float = 1.0) -> Ratio:
    def above(columns: Columns) -> Array:
        return columns[column] * scale

    def below(columns: Columns) -> Array:
        return columns[column] * 0.0 + 1.0  # NaN where not reported: such records do not count

    return Ratio(numerator=above, denominator=below)


def _spent(name: str, column: str, says: str, *, scale: float = 1.0, unit: str = "") -> Metric:
    return Metric(
        name=name,
        says=says,
        better=Better.LOWER,
        form=_mean(column, scale),
        columns=(column,),
        unit=unit,
        bounds=(0.0, float("inf")),
        contrast=Contrast.RATIO,
    )


SPENT: Mapping[str, Metric] = {
    metric.columns[0]: metric
    for metric in (
        _spent(
            "reported_usd_per_1k",
            "billed_usd",
            "dollars for a thousand questions, as reported",
            scale=1000.0,
            unit="$",
        ),
        _spent(
            "reported_latency_mean",
            "latency_s",
            "mean seconds from question to reply, as reported",
            unit="s",
        ),
        _spent("reported_tokens_in", "tokens_in", "mean tokens read per question, as reported"),
        _spent("reported_tokens_out", "tokens_out", "mean tokens written per reply, as reported"),
    )
}
"""Column of usage to the metric of it.  From somebody's log, not from a serial pass of ours."""

KNOWN: Mapping[str, Metric] = {m.name: m for m in (*OUTCOME_METRICS, *SPENT.values())}


def score(name: str, better: Literal["higher", "lower"]) -> Metric:
    """Return the mean of a score that the other tool gave, over the replies that have one."""
    column = f"check:{name}"
    return Metric(
        name=name,
        says=f"mean {name}, of the replies that were scored, as reported",
        better=Better(better),
        form=_mean(column),
        columns=(column,),
    )


def samples(
    *, version: str, metrics: list[str], scores: dict[str, Literal["higher", "lower"]]
) -> Task:
    """Return a task whose samples and replies stand in an imported run.

    ``metrics`` are names of outcome metrics, of what was reported as spent, and of ``scores``; the
    first is the headline.  Raises ``PlanError`` A103 for a name that is none of them.

    >>> samples(version="1", metrics=["accuracy"], scores={}).metrics[0].name
    'accuracy'
    """
    made = {**KNOWN, **{name: score(name, better) for name, better in scores.items()}}
    for name in metrics:
        if name not in made:
            raise PlanError(
                f"{TASK} has no metric {name!r}", hint=nearest(name, list(made)), code="A103"
            )
    return Task(
        name=TASK,
        version=version,
        says="Questions that another tool asked.",
        samples=_not_here,
        verifier=SameAnswer(),
        metrics=tuple(made[name] for name in metrics),
    )


def _not_here(_split: str) -> Sequence[Sample]:
    raise PlanError(
        "the samples of an imported run stand in its own folder, and nobody can be asked them",
        hint="report, compare, front and gate read the run; to ask again, write a plan",
        code="A104",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSystem:
    """A system that another tool asked: its replies are known, it cannot be asked."""

    name: str = ""
    """What the log calls it, where that is no name for a file."""

    tool: str = ""
    """Who asked it."""

    seeded: bool = True
    needs: Needs = Needs()

    def loads(self) -> tuple[Artifact, ...]:
        """Refuse."""
        self._refuse()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise PluginError(
            f"a reported system cannot be asked{f': {self.tool} asked it' if self.tool else ''}",
            hint="report, compare, front and gate read its run; to ask it, give it a recipe",
            code="A402",
        )
