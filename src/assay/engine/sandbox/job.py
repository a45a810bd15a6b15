"""A program to run where it can do no harm: what it may use, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ...core.errors import PlanError

LEAST_MEMORY_MB = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use before it is stopped.

    Raises ``PlanError`` A102 for a limit that nothing could run under.

    >>> Limits(wall_s=2).processes
    64
    """

    wall_s: float = 20.0
    cpu_s: float = 20.0
    """Of each process: user and system time."""

    memory_mb: int = 2048
    """Of address space for each process, and of resident memory for all together."""

    processes: int = 64
    """Processes and threads alive at once."""

    output_kb: int = 1024
    """Of standard output and error together.  What is over it is not kept, and ends the program."""

    disk_mb: int = 256
    """Of each file, and of the folder for temporary files as a whole."""

    def __post_init__(self) -> None:
        """Refuse what nothing could run under."""
        least = {
            "wall_s": 0, "cpu_s": 0, "memory_mb": LEAST_MEMORY_MB - 1, "processes": 0,
            "output_kb": 0, "disk_mb": 0,
        }  # fmt: skip
        for name, floor in least.items():
            value = getattr(self, name)
            if not floor < value < 1e9:
                raise PlanError(
                    f"the limit {name} is {value}",
                    hint=f"give a number above {floor}",
                    code="A102",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program, what it sees, and what it may use.

    Inside, the folders of ``reads`` are read-only at the paths they are given; ``writes`` is the only
    folder of the machine that can be written, at ``/out``.  It starts in ``/tmp``, which is empty and
    forgotten.  Of the environment it sees ``env`` and nothing else.
    """

    argv: Sequence[str]
    reads: Mapping[Path, str] = field(default_factory=dict)
    writes: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    limits: Limits = field(default_factory=Limits)


class How(StrEnum):
    """How a program ended."""

    EXITED = "exited"
    SIGNALLED = "killed by a signal"
    WALL = "ran too long"
    CPU = "used too much CPU"
    MEMORY = "used too much memory"
    PROCESSES = "started too many processes"
    OUTPUT = "wrote too much"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a program."""

    how: How
    status: int
    """Exit status; 128 plus the signal that ended it, or that it was stopped with."""

    stdout: bytes
    stderr: bytes
    """As far as the limit let them be kept."""

    wall_s: float

    @property
    def well(self) -> bool:
        """Whether it ended by itself with exit status 0."""
        return self.how is How.EXITED and self.status == 0


class Sandbox(Protocol):
    """Whoever holds a program."""

    @property
    def name(self) -> str:
        """What holds it, as the manifest says."""
        ...

    def run(self, job: Job) -> Ended:
        """Run a job to its end.

        Raises ``AssayError`` A500 when it could not be started: that says nothing about the program.
        """
        ...
