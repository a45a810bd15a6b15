"""The card of a sealed run, as it is stored: everything that the board needs of the run, without the run."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, JsonValue, model_validator

from ...store.manifest import Stored
from .hardware import Hardware

SCHEMA: Literal[1] = 1
HEX64 = r"^[0-9a-f]{64}$"
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]
"""How many of something: as many as a float can count one by one."""

Group: TypeAlias = Literal["quality", "safety", "cost", "speed", "size", "score"]


class Number(Stored):
    """An estimate; without a value ``method`` says why."""

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    sides: int
    n: Count
    n_groups: Count
    n_seeds: Count
    over: tuple[str, ...]
    method: str
    origin: str


class ColumnFacts(Stored):
    """What a metric of one task is."""

    metric: str
    label: str
    says: str
    unit: str
    better: Literal["higher", "lower", "none"]
    bounds: tuple[float | None, float | None]
    ratio: bool
    """Systems are compared by ratios: dollars, seconds."""

    group: Group


class TaskCard(Stored):
    """One task."""

    use: str
    version: str
    says: str
    headline: str
    test: str
    """Digest of the whole test split."""

    settings: str
    """Digest of the plan's options for the task, where a scorer may be among them, and of its attempts."""

    caveats: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...]


class Asked(Stored):
    """Some samples of a task, in the order of their ids."""

    task: str
    n: Count
    n_groups: Count
    groups: str
    """The group of each sample as a number; empty where each is its own."""


class Values(Stored):
    """The headline of one system, sample by sample in the order of ids: numerators over denominators."""

    seeds: Count
    """Over which the terms are summed."""

    numerators: str
    denominators: str
    """One number where all are the same."""

    bounds: tuple[float | None, float | None]


class Measured(Stored):
    """One system on one task."""

    asked: str
    """Digest of the ids of the samples: a key of the card's ``asked``."""

    replies: Count
    crashes: Count
    numbers: dict[str, Number]
    values: Values | None = None


class FileCard(Stored):
    """A file that a system loads."""

    digest: str
    kind: str
    size: Count
    license: str | None = None
    source: str | None = None
    made: bool = False
    """Made here of other files, as unpacked weights are: it has no size of its own."""


class SystemCard(Stored):
    """One system of the run, and which model of the board it is."""

    use: str
    options: dict[str, JsonValue]
    origin: str
    control: bool
    digest: str
    seeds: Count
    files: tuple[FileCard, ...]
    model: str | None = None
    quantisation: str | None = None
    mapped: Literal["", "digest", "plan", "hand"] = ""
    """How it is known which model it is."""


class Part(Stored):
    """Systems of the run that were asked the same samples, with the controls on those samples."""

    origin: str
    asked: dict[str, str]
    """Task to a key of the card's ``asked``."""

    systems: dict[str, dict[str, Measured]]
    """System to task to what was measured."""


class ClaimCard(Stored):
    """A claim of the plan, weighed."""

    id: str
    says: str
    status: str
    text: str
    task: str
    system: str
    against: str | None
    metric: str
    relation: str
    bound: float
    exploratory: bool


class Beats(Stored):
    """What is shown on a front: in each pair the first is better than the second on every objective."""

    task: str
    objectives: tuple[str, ...]
    pairs: tuple[tuple[str, str, float], ...]
    """With the largest one-sided p-value of the objectives."""


class Curve(Stored):
    """Risk against coverage of one system."""

    task: str
    system: str
    points: tuple[tuple[float, float, float | None, float | None], ...]
    """Coverage, risk, and the ends of its interval."""


class ScoreCard(Stored):
    """A column of a plugin."""

    source: str
    """The entry point."""

    column: ColumnFacts
    cells: dict[str, Number | str]


class ArchiveCard(Stored):
    """The archived run."""

    digest: str
    bytes: Count


class Card(Stored):
    """Everything that the board needs of a sealed run."""

    schema_version: Literal[1] = SCHEMA
    kind: Literal["assay-card"] = "assay-card"
    seal: str = Field(pattern=HEX64)
    run: str
    plan: str
    says: str
    plan_digest: str
    suite: dict[str, str] | None = None
    """Name, says and digest of the suite that the plan was made of, where it was."""

    date: str
    assay: str
    machine: str
    hardware: Hardware
    packages: dict[str, str]
    commit: str | None
    prices: str
    stopped: bool
    """Whether it may have stopped early: nothing of it is paired."""

    records: Count
    tasks: dict[str, TaskCard]
    systems: dict[str, SystemCard]
    asked: dict[str, Asked]
    parts: tuple[Part, ...]
    claims: tuple[ClaimCard, ...]
    beats: tuple[Beats, ...]
    curves: tuple[Curve, ...]
    scores: tuple[ScoreCard, ...]
    archive: ArchiveCard | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        """Hold every name to what it is a name of: a card may come from anybody."""
        tasks, systems = self.tasks.keys(), self.systems.keys()
        for name, task in self.tasks.items():
            if task.headline not in {column.metric for column in task.columns}:
                raise ValueError(f"the task {name!r} has no column {task.headline!r}, its headline")
        if not tasks:
            raise ValueError("there is no task")
        for part in self.parts:
            if part.asked.keys() != tasks or not set(part.asked.values()) <= self.asked.keys():
                raise ValueError("a part was not asked what the tasks of the card ask")
            for name, measured in part.systems.items():
                if name not in systems or measured.keys() != tasks:
                    raise ValueError(f"the part of {name!r} is of another system or of other tasks")
        told = [
            *((c.system, c.task) for c in self.curves),
            *((c.system, c.task) for c in self.claims),
        ]
        for system, task_ in told:
            if system not in systems or task_ not in tasks:
                raise ValueError(f"a curve or a claim is of {system!r} on {task_!r}")
        return self
