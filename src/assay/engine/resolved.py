"""A task and a system of a plan, with everything at hand that it named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..analysis.attempts import attempt_metrics
from ..analysis.metrics import determinism, latency_mean, usd_per_1k, usd_per_correct
from ..analysis.sureness import SURENESS
from ..core.artifact import Artifact
from ..core.metric import Metric, Origin
from ..core.sample import SPLITS, Sample
from ..core.system import Draws, Recipe
from ..core.task import Task
from .choose import take
from .keys import Abstain, TaskRef
from .policy import system_digest
from .splits import check_splits

TIMED = (usd_per_1k, usd_per_correct, latency_mean, determinism)


@dataclass(frozen=True)
class ResolvedTask:
    """A task of the plan, with its samples at hand."""

    name: str
    ref: TaskRef
    task: Task
    seed: int

    @cached_property
    def splits(self) -> dict[str, list[Sample]]:
        """Every split, checked: unique ids, no group in two splits."""
        made = {split: list(self.task.samples(split)) for split in SPLITS}
        check_splits(self.name, made)
        if self.ref.limit is not None:
            made["test"] = take(made["test"], self.ref.limit, seed=self.seed)
        return made

    def asked(self, split: str, limit: int | None) -> list[Sample]:
        """Return the samples that a system with this limit is asked."""
        samples = self.splits[split]
        if limit is None or limit >= len(samples):
            return samples
        return take(samples, limit, seed=self.seed)

    def attempts(self, recipe: Recipe) -> int:
        """Return how often a system is asked each test question: once, if it does not draw."""
        return self.ref.attempts if isinstance(recipe, Draws) and recipe.draws else 1

    @property
    def own_metrics(self) -> tuple[Metric, ...]:
        """The task's metrics, and those of asking it several times."""
        return metrics_of(self.task, self.ref)

    @property
    def metrics(self) -> dict[str, Metric]:
        """Every metric that can be named on this task."""
        return {m.name: m for m in (*self.own_metrics, *TIMED)}

    @property
    def claimable(self) -> dict[str, Metric]:
        """Those, and what may be claimed of a confidence."""
        return SURENESS | self.metrics


def metrics_of(task: Task, ref: TaskRef) -> tuple[Metric, ...]:
    """Return the metrics of a task in a plan: its own, and those of asking it several times."""
    return (*task.metrics, *attempt_metrics(ref.attempts))


@dataclass(frozen=True, slots=True)
class ResolvedSystem:
    """A system of the plan, with its recipe and files at hand."""

    name: str
    use: str
    recipe: Recipe
    options: dict[str, object]
    seeds: tuple[int, ...]
    artifacts: tuple[Artifact, ...]
    control: bool
    origin: Origin
    limit: int | None = None
    abstain: Abstain | None = None
    hands_on: bool = False
    """Whether a cascade of the plan asks it."""

    of: str | None = None
    """The system whose replies it has, too; it is not asked itself."""

    lends: bool = False
    """Whether another system has its replies, too."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that it is asked: calibration only where a threshold is chosen on it."""
        if self.abstain or self.lends:
            return ("tune", "calibration", "test")
        return ("calibration", "test") if self.hands_on else ("test",)

    def limit_of(self, split: str) -> int | None:
        """Return the limit of a split: a threshold is chosen on every calibration question."""
        limited = ("test",) if self.abstain or self.lends else ("test", "calibration")
        return self.limit if split in limited else None

    @property
    def digest(self) -> str:
        """Names what runs: the recipe, its options, and the bytes that it loads."""
        return system_digest(self.use, self.options, self.artifacts)
