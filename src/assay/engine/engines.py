"""Engines: what asks the work of a run.  One is this machine's processes; others are named by address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pydantic import JsonValue

from ..core.errors import PlanError
from ..store.machine import usable_cpus
from ..store.rundir import RunDir
from .beside import together
from .cells import fill
from .keeping import Journals, Work
from .loops import run_to_end
from .overrides import nearest
from .resolve import Resolved
from .rounds import Round
from .unchecked import check_left

LOCAL = "local"

Todo: TypeAlias = Sequence[tuple[Work, bool]]
"""Work, and whether nothing else may run beside it."""


class Engine(Protocol):
    """Asks the work of a run, and leaves what it decided in the journals."""

    def ready(
        self, run: RunDir, resolved: Resolved
    ) -> AbstractContextManager[Mapping[str, JsonValue]]:
        """Hold what it takes while the block runs; give what a run's history says of it.

        Raises ``RunError`` A505 where that is not to be had.
        """
        ...

    def ask(self, run: RunDir, resolved: Resolved, this: Round | None, todo: Todo) -> None:
        """Finish every cell of the work that is left, of one round or of the whole run."""
        ...


@dataclass(frozen=True, slots=True)
class Processes:
    """The engine ``local``: processes of this machine, so many side by side."""

    workers: int

    @contextmanager
    def ready(self, run: RunDir, resolved: Resolved) -> Iterator[Mapping[str, JsonValue]]:
        """Hold nothing, and have nothing to say."""
        yield {}

    def ask(self, run: RunDir, resolved: Resolved, this: Round | None, todo: Todo) -> None:
        """Ask works side by side, then one by one those that must be alone."""
        run_to_end(self._ask(run, todo))

    async def _ask(self, run: RunDir, todo: Todo) -> None:
        slots = asyncio.Semaphore(self.workers)

        async def one(work: Work) -> None:
            async with slots:
                await self._finish(run, work)

        await together([one(work) for work, alone in todo if not alone])
        for work, alone in todo:
            if alone:
                await self._finish(run, work)

    async def _finish(self, run: RunDir, work: Work) -> None:
        await check_left(run, work)
        await fill(work, Journals(run, work))


def engine_of(name: str, *, workers: int | None = None, per_task: int | None = None) -> Engine:
    """Return the engine of a name: ``local``, ``ray``, ``ray://auto`` or ``ray://HOST:PORT``.

    Nothing is started.  ``workers`` are asked side by side at most; ``per_task`` questions are the
    fewest that a task of a cluster is given, where there are so many.

    Raises ``PlanError`` A106 for any other name, and for ``per_task`` where there are no tasks.
    """
    if name == LOCAL:
        if per_task is not None:
            raise PlanError(
                "--per-task is for an engine that cuts the work into tasks",
                where=f"--engine {name}",
                hint="leave it out, or add --engine ray",
                code="A106",
            )
        return Processes(workers or usable_cpus())
    kind, found, address = name.partition("://")
    if kind == "ray" and bool(found) == bool(address):
        from .ray.driver import PER_TASK, Ray

        return Ray(address=address, workers=workers, per_task=per_task or PER_TASK)
    raise PlanError(
        f"there is no engine {name!r}",
        where="--engine",
        hint=nearest(kind, [LOCAL, "ray"]) if not found else "write ray://auto or ray://HOST:PORT",
        code="A106",
    )
