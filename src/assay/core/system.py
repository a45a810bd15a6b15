"""The thing under test, and how it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from .artifact import Artifact
from .reply import Reply, Usage
from .sample import Question, Sample


class System(Protocol):
    """Anything that can be asked.

    ``answer`` yields replies in any order, each naming its question.  A question without a reply
    is recorded as ``Failed("no_reply")``; a reply to a question that was not asked, or a second
    reply, is a plugin error.  Randomness comes from ``question.seed`` only; a system that cannot
    promise this has ``stateful = True``, and its unfinished cell restarts.  One that works on several
    questions at a time has ``in_flight``, how many: ``answer`` is then called again, from another
    thread, before an earlier call has ended.
    """

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a recipe asks of the machine."""

    cpus: int = 1
    gpu: bool = False
    memory_mb: int = 200
    exclusive: bool = False
    """True when nothing else may run beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A finished system, what finishing it cost, and the files that it loaded or made."""

    system: System
    usage: Usage = field(default_factory=Usage)
    artifacts: tuple[Artifact, ...] = ()
    notes: Mapping[str, float | int | str] = field(default_factory=dict)
    """Facts about the build for the report (chosen C, temperature, parameters)."""


@runtime_checkable
class Recipe(Protocol):
    """Makes a system from train and tune samples and a seed.  Never sees calibration or test."""

    @property
    def seeded(self) -> bool:
        """Whether the seed can change the system.  If not: one cell, whatever the seeds."""
        ...

    @property
    def needs(self) -> Needs:
        """What the machine must offer."""
        ...

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the finished system.  ``workdir`` is private to this cell."""
        ...


@runtime_checkable
class BuildsTogether(Protocol):
    """A recipe that shares work between seeds (one encoder, many heads)."""

    def build_all(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seeds: Sequence[int],
        workdir: Path,
    ) -> Mapping[int, Built]:
        """Return one finished system per seed, equal to what ``build`` makes for that seed."""
        ...


@runtime_checkable
class Loads(Protocol):
    """A recipe that names its files before anything runs."""

    def loads(self) -> tuple[Artifact, ...]:
        """Return the files it will load, found and digested.

        Raises ``PluginError`` A401 when an extra is not installed, A403 when a file is missing or
        is not the one that was named.
        """
        ...


@runtime_checkable
class Draws(Protocol):
    """A recipe whose systems may draw when they answer, not only when they are built."""

    @property
    def draws(self) -> bool:
        """Whether another attempt at a question (``Question.attempt``) may end otherwise."""
        ...
