"""The engine ``ray``: hand parts of the work to a cluster, and take what comes back into the journals."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import JsonValue

from ...core.errors import RunError
from ...core.system import BuildsTogether, Needs
from ...store.canon import write_whole
from ...store.machine import packages
from ...store.manifest import Manifest, read_doc
from ...store.rundir import RunDir
from ...store.shards import shards_in
from ..asking import THREADS
from ..plugins import DATA
from ..wire import unpack_error
from .batch import LOST_TRIES, Batch, Part
from .cluster import import_ray, joined, machines, require_fit, require_room, while_there
from .left import adopt
from .node import MARK, US
from .order import Order, Stretch, encode, runs_of
from .placing import check_needs, is_apart, needs_of, place, remote

if TYPE_CHECKING:
    from ..keeping import Work
    from ..resolve import Resolved
    from ..rounds import Round

PER_TASK = 500

WAIT_S = 0.5
"""Seconds between two looks at how far the parts are."""

SHARES = 3
"""Parts for each CPU of the cluster, where there are questions enough: the last ones even out."""

ROOM_S = 10.0
"""Seconds between two looks at whether there is still a machine for everything."""


@dataclass(frozen=True, slots=True)
class Ray:
    """Where the cluster is, and how it is used."""

    address: str = ""
    """``auto``, ``HOST:PORT`` of a Ray client server, or nothing: a cluster of this machine alone."""

    workers: int | None = None
    per_task: int = PER_TASK
    """Questions that a task is given at least, where there are so many: each builds the system anew."""

    @contextmanager
    def ready(self, run: RunDir, resolved: Resolved) -> Iterator[Mapping[str, JsonValue]]:
        """Join the cluster while the block runs, after a look at each of its machines."""
        import_ray()  # before anything is written
        token = uuid.uuid4().hex
        write_whole(run.work / MARK, token.encode())
        limits = resolved.loaded.plan.limits
        with joined(self.address, self.workers) as ray:
            needs = {s.name: s.recipe.needs for s in resolved.systems.values() if s.of is None}
            needs |= {
                f"the verifier of {name}": check_needs(task.task.verifier) or Needs()
                for name, task in resolved.tasks.items()
            }
            require_room(machines(ray), needs)
            yield require_fit(ray, run, token, limits)

    def ask(
        self,
        run: RunDir,
        resolved: Resolved,
        this: Round | None,
        todo: Sequence[tuple[Work, bool]],
    ) -> None:
        """Ask everything that may run side by side, then one by one what must be alone."""
        ray = import_ray()
        cpus = max(1, int(sum(m.cpus for m in machines(ray))))
        desk = _Desk(ray, run, resolved, this, self.workers)
        made = [
            (self._batch(run, resolved, work, i), work, alone)
            for i, (work, alone) in enumerate(todo)
        ]
        left = {id(batch): batch.left() for batch, _, _ in made}
        for batch, _, _ in made:
            adopt(batch, left[id(batch)])
        total = sum(len(places) for cells in left.values() for places in cells.values())
        size = max(self.per_task, ceil(total / (SHARES * cpus)))
        for batch, work, alone in made:
            cells = left[id(batch)]
            n = sum(map(len, cells.values()))
            one = alone or isinstance(resolved.systems[work.system].recipe, BuildsTogether)
            batch.divide(cells, 1 if one else max(1, min(ceil(n / size), n // self.per_task)))
        with while_there(ray):
            desk.go([batch for batch, _, alone in made if not alone])
            for batch, _, alone in made:
                if alone:
                    desk.go([batch])

    def _batch(self, run: RunDir, resolved: Resolved, work: Work, number: int) -> Batch:
        apart = is_apart(resolved.systems[work.system].recipe, work.verifier)
        return Batch(run, work, f"{uuid.uuid4().hex[:8]}-{number:04}-", apart=apart)


@dataclass(slots=True)
class _Desk:
    """Where parts are handed out and come back."""

    ray: Any
    run: RunDir
    resolved: Resolved
    this: Round | None
    most: int | None
    flying: dict[Any, tuple[Batch, Part]] = field(default_factory=dict)
    places: dict[Any, str] = field(default_factory=dict)
    """Machines to which checks were sent."""

    queue: deque[tuple[Batch, Part]] = field(default_factory=deque)
    looked: float = field(default_factory=time.monotonic)
    offsets: dict[str, int] = field(default_factory=dict)

    def go(self, batches: Sequence[Batch]) -> None:
        """Finish some works; whatever happens, nothing of theirs goes on behind the caller's back."""
        self.queue.extend((batch, part) for batch in batches for part in batch.parts)
        try:
            while self.queue or self.flying:
                self._hand_out()
                if not self.flying:
                    continue
                done, _ = self.ray.wait(list(self.flying), num_returns=1, timeout=WAIT_S)
                for ref in done:
                    if ref in self.flying:
                        self._take_back(ref)
                self._watch()
        finally:
            for ref in self.flying:
                self._cancel(ref)
            self.flying.clear()
            self.queue.clear()

    def _hand_out(self) -> None:
        while self.queue and (self.most is None or len(self.flying) < self.most):
            batch, part = self.queue.popleft()
            if batch.over or part not in batch.parts:
                continue
            part.tries += 1
            needs = self._needs(batch, part)
            where = self._place(needs) if batch.step(part) == "check" else ""
            name = f"assay: {batch.work.system} on {batch.work.task}"
            ref = remote(self.ray, name, needs, where).remote(encode(self._order(batch, part)))
            self.flying[ref] = batch, part
            if where:
                self.places[ref] = where

    def _needs(self, batch: Batch, part: Part) -> Needs:
        return needs_of(self.resolved.systems[batch.work.system].recipe, batch, part)

    def _place(self, needs: Needs) -> str:
        taken = Counter(self.places[ref] for ref in self.flying if ref in self.places)
        return place(machines(self.ray), needs, taken)

    def _take_back(self, ref: Any) -> None:
        batch, part = self.flying.pop(ref)
        self.places.pop(ref, None)
        errors = self.ray.exceptions
        try:
            result = self.ray.get(ref)
        except errors.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        except (errors.TaskUnschedulableError, errors.RuntimeEnvSetupError) as error:
            raise RunError(f"the cluster refuses the work: {error}", code="A505") from None
        except errors.RayError as error:
            self._lose(batch, part, error)
            return
        if "error" in result:
            raise unpack_error(result["error"])
        if result.get("not_whole"):
            self._drop(batch)
            self.queue.appendleft((batch, batch.make_whole()))
            return
        part.end_try(result, batch.step(part))
        if part.over:
            self._merge(batch)
        else:
            self.queue.appendleft((batch, part))

    def _lose(self, batch: Batch, part: Part, error: Exception) -> None:
        batch.lose(part)
        what = f"{batch.work.system} on {batch.work.task}"
        why = (str(error).strip().splitlines() or [""])[0]
        if part.lost:
            batch.work.teller.note(f"{what}: {LOST_TRIES} machines were lost over one part ({why})")
            self._merge(batch)
        else:
            batch.work.teller.note(
                f"{what}: a process of the cluster was lost; its rest is "
                f"{'checked' if batch.step(part) == 'check' else 'asked'} again"
            )
            self.queue.appendleft((batch, part))

    def _merge(self, batch: Batch) -> None:
        again = batch.merge()
        if again is not None:
            self._lose(batch, again, RuntimeError("its answers did not arrive whole"))
        if batch.over:
            self._drop(batch)

    def _drop(self, batch: Batch) -> None:
        """Forget what is on its way for a batch that needs it no more."""
        for ref in [ref for ref, (owner, _) in self.flying.items() if owner is batch]:
            del self.flying[ref]
            self._cancel(ref)

    def _cancel(self, ref: Any) -> None:
        with suppress(Exception):  # the cluster may be gone; its tasks then are, too
            self.ray.cancel(ref, force=True)

    def _watch(self) -> None:
        """Tell how far the parts are, and say when there is no machine left for one."""
        for batch, part in self.flying.values():
            more = min(sum(self._grown(batch, part)), max(len(part) - part.told, 0))
            if more:
                part.told += more
                batch.work.teller.advance(batch.work.system, more)
        if time.monotonic() - self.looked < ROOM_S:
            return
        self.looked = time.monotonic()
        there = machines(self.ray)
        waiting = {}
        for batch, part in self.flying.values():
            if not any(machine.has(self._needs(batch, part)) for machine in there):
                check = batch.step(part) == "check"
                name = f"the verifier of {batch.work.task}" if check else batch.work.system
                waiting[name] = batch.work.teller
        for name, teller in sorted(waiting.items()):
            teller.note(f"{name} waits: no machine of the cluster has room for it now")

    def _grown(self, batch: Batch, part: Part) -> Iterator[int]:
        for cell in part.places:
            for shard in shards_in(self.run.shards(cell), part.name):
                key = str(shard.lines)
                with suppress(OSError), shard.lines.open("rb") as file:
                    file.seek(self.offsets.get(key, 0))
                    piece = file.read()
                    self.offsets[key] = file.tell()
                    yield piece.count(b"\n")

    def _order(self, batch: Batch, part: Part) -> Order:
        work, resolved = batch.work, self.resolved
        task, system = resolved.tasks[work.task], resolved.systems[work.system]
        digests = read_doc(Manifest, self.run.manifest).tasks[work.task].splits
        upto = None if self.this is None else self.this.looks[work.task][self.this.at[work.task]]
        workdir = f"{work.job.workdir}/{part.name}.{part.tried}"
        return Order(
            run=str(self.run.root.resolve()),
            token=(self.run.work / MARK).read_text("utf-8"),
            assay=packages()[US],
            task=work.task,
            ref=task.ref.model_dump(mode="json", exclude_defaults=True),
            base=work.job.base,
            rng=task.seed,
            digests={split: digests[split].digest for split in work.asked},
            upto=upto,
            system=work.system,
            limits_of={split: system.limit_of(split) for split in work.asked},
            limits=work.limits.model_dump(mode="json"),
            job=msgspec.structs.replace(work.job, workdir=workdir),
            stretches=[
                Stretch(cell.seed, cell.split, runs_of(places))
                for cell, places in part.places.items()
            ],
            whole=batch.is_whole(part),
            attempts=work.attempts,
            keeps_evidence=work.keeps_evidence,
            part=part.name,
            tried=part.tried,
            step=batch.step(part),
            since=part.since if part.asked is not None and part.asked["whole"] else "",
            environment={
                **{name: os.environ.get(name, "1") for name in THREADS},
                **{name: os.environ[name] for name in (DATA,) if name in os.environ},
            },
        )
