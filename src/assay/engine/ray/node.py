"""What runs on a machine of the cluster: one try at one part, answered into shards of its own."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from ...analysis.stopping import in_order
from ...core.errors import AssayError, RunError
from ...core.record import Cell
from ...core.reply import Failed
from ...core.sample import Sample
from ...store.machine import machine, packages
from ...store.rundir import RunDir
from ...store.samples import fingerprint
from ..cells import fill, give_up
from ..committing import Taker, committing
from ..keeping import Keeper, Work
from ..keys import Limits, TaskRef
from ..plugins import make_task
from ..resolved import ResolvedTask
from ..sandbox.found import sandbox_name, sandbox_rule
from ..teller import Silence
from ..unchecked import check, keeping
from ..wire import pack_error
from .keeper import NotWholeError, Shards
from .order import Order, decode

MARK = "cluster"
"""A file in the run's folder: who reads it as it was written sees the same folder."""

US = "assay-eval"


def answer(raw: bytes) -> dict[str, Any]:
    """Answer one order; return what its cells' builds said, or an error as plain values."""
    order = decode(raw)
    try:
        return _answer(order)
    except NotWholeError:
        return {"not_whole": True}
    except AssayError as error:
        return {"error": pack_error(error)}


def look(run: str, token: str, rule: str) -> dict[str, Any]:
    """Return what this machine is, and what of a run it sees."""
    try:
        _require_seen(Path(run), token)
    except AssayError as error:
        return {"error": pack_error(error)}
    return {
        "assay": packages().get(US),
        "sandbox": sandbox_name("none" if rule == "none" else "required"),
        "machine": machine(),
    }


def _require_seen(run: Path, token: str) -> None:
    path = RunDir(run).work / MARK
    try:
        seen = path.read_text("utf-8")
    except OSError as error:
        seen, why = "", error.strerror or str(error)
    else:
        why = "it is another folder of that name"
    if seen != token:
        raise RunError(
            f"a machine of the cluster does not see the run's folder: {why}",
            where=str(run),
            hint="put the run, the plan and its data on a file system that every machine mounts under "
            "the same path, and name the folder with --out",
            code="A505",
        )


def _answer(order: Order) -> dict[str, Any]:
    _require_seen(Path(order.run), order.token)
    if (here := packages().get(US)) != order.assay:
        raise RunError(
            f"a machine of the cluster has assay {here}, and the run is of assay {order.assay}",
            hint="install the same version on every machine",
            code="A505",
        )
    os.environ.update(order.environment)
    address = msgspec.json.encode([order.task, order.ref, order.base, order.rng])
    task = _task(address)
    asked = _asked(order, address)
    work = Work(
        order.task,
        order.system,
        task.task.verifier,
        order.job,
        asked,
        Limits(**order.limits),
        Silence(),
        keeps_evidence=order.keeps_evidence,
        attempts=order.attempts,
    )
    run = RunDir(Path(order.run))
    keeper = Shards(run, order)
    for stretch in order.stretches:
        every = list(work.asks(stretch.split))
        keeper.asks[order.cell(stretch)] = [every[place] for place in stretch.each()]
    with sandbox_rule(work.limits.sandbox):
        if order.step == "check":
            asyncio.run(_check(work, keeper))
        else:
            _fill(work, keeper)
    return {
        "built": [[c.seed, c.split, facts] for c, facts in keeper.finished.items()],
        "whole": keeper.whole,
        "restarts": keeper.restarts,
    }


def _fill(work: Work, keeper: Shards) -> None:
    ends = keeper.earlier_ends()
    if len(ends) > work.limits.deaths:
        last = ends[-1]
        give_up(work, keeper, Failed(last.why, last.detail))

    def kept(_work: Work, _keeper: Keeper, cell: Cell) -> AbstractContextManager[Taker]:
        return keeping(keeper.replies(cell))

    taking = committing if keeper.order.step == "all" else kept
    asyncio.run(fill(work, keeper, deaths=len(ends), taking=taking))


async def _check(work: Work, keeper: Shards) -> None:
    keeper.whole = bool(keeper.order.since)
    for cell in keeper.asks:
        await check(work, keeper, cell, keeper.unchecked(cell))


@lru_cache(maxsize=4)
def _task(address: bytes) -> ResolvedTask:
    """Return a task, made once for all the parts of it that this process answers."""
    name, ref, base, rng = msgspec.json.decode(address)
    where = f"task {name}"
    task = make_task(ref["use"], ref.get("options", {}), where=where, base=Path(base))
    return ResolvedTask(name, TaskRef(**ref), task, rng)


@lru_cache(maxsize=16)
def _digest(address: bytes, split: str) -> str:
    return fingerprint(_task(address).splits[split])


def _asked(order: Order, address: bytes) -> dict[str, list[Sample]]:
    """Return the samples of every split that is asked; raise unless they are those of the run."""
    task = _task(address)
    for split, digest in order.digests.items():
        if _digest(address, split) != digest:
            raise RunError(
                f"a machine of the cluster has other samples of {order.task} ({split})",
                where=order.base,
                hint="put the same data on every machine, best on the file system that holds the run",
                code="A505",
            )
    asked = {split: task.asked(split, order.limits_of[split]) for split in order.digests}
    if order.upto is not None:
        clusters = (s.cluster for s in task.splits["test"])
        groups = frozenset(in_order(clusters, seed=order.rng)[: order.upto])
        asked = {split: [s for s in some if s.cluster in groups] for split, some in asked.items()}
    return asked
