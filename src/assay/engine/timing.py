"""The serial, exclusive pass: latency and cost, one question at a time, systems interleaved.

Every system is built again in a process of its own and asked questions that it has already
answered, so the same pass shows whether it decides the same twice.  Only one process is ever busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..core.errors import PluginError
from ..core.reply import Answer, Bottom, Crash, Failed, Reply, Said
from ..core.sample import Sample
from ..store.canon import write_whole
from ..store.journal import said_digest
from ..store.timed import TimedLine
from .asking import SystemEnded, Unobserved, Worker
from .beside import together
from .keys import Limits, Timing
from .teller import Teller
from .wire import Job

BUILDERS = 2

WARM_UP = 2
"""Questions before the first block that are asked and not counted."""


async def time_task(
    path: Path,
    jobs: dict[str, Job],
    samples: Sequence[Sample],
    *,
    process: int,
    timing: Timing,
    limits: Limits,
    logs: Path,
    teller: Teller,
) -> None:
    """Time every system of one task in one fresh process each, and write the lines to ``path``.

    The order of systems rotates from block to block.  A system that dies or hangs here has fewer
    lines; its numbers then say so by their intervals.
    """
    async with contextlib.AsyncExitStack() as stack:
        workers: dict[str, Worker] = {}
        slots = asyncio.Semaphore(BUILDERS)

        async def start(name: str, job: Job) -> None:
            async with slots:
                with contextlib.suppress(SystemEnded, Unobserved):
                    log = logs / f"timing-{process}-{name}.log"
                    workers[name] = await Worker.start(job, log, within=limits.build_s)
                    stack.push_async_callback(workers[name].stop)

        # Building is not timed here, so it need not be serial; asking begins when all are built.
        await together(start(name, job) for name, job in jobs.items())
        workers = {name: workers[name] for name in jobs if name in workers}
        lines: list[bytes] = []
        order = list(workers)
        for block in range(-1, timing.blocks):
            count = WARM_UP if block < 0 else timing.questions
            asked = _questions(samples, count, f"{process}/{block}")
            for name in order[block % max(len(order), 1) :] + order[: block % max(len(order), 1)]:
                if name not in workers:
                    continue
                try:
                    timed = await _block(workers[name], name, block, asked, limits)
                except (SystemEnded, Unobserved) as end:
                    teller.note(f"{name} ended in the timing pass: {end}")
                    del workers[name]
                    continue
                if block >= 0:
                    lines += timed
                    teller.advance(name, len(timed))
    write_whole(path, b"".join(line + b"\n" for line in lines))


async def _block(
    worker: Worker, name: str, block: int, asked: Sequence[Sample], limits: Limits
) -> list[bytes]:
    seed = worker.job.seeds[0]
    lines = []
    for sample in asked:
        questions = [sample.question(seed=seed)]
        replies = [r async for r in worker.ask(seed, questions, each=limits.reply_s)]
        lines += [_line(name, block, reply, worker) for reply in replies]
    return lines


def _line(name: str, block: int, reply: Reply, worker: Worker) -> bytes:
    usage = reply.usage
    if usage.latency_s is None or usage.busy_s is None:
        raise PluginError(f"{name} was asked one question and its time was not measured")
    line = TimedLine(
        system=name,
        block=block,
        sample=reply.question,
        said=decided(reply.said),
        latency_s=usage.latency_s,
        busy_s=usage.busy_s,
        cpu_s=worker.cpu_s,
        tokens_in=usage.tokens_in,
        tokens_cached=usage.tokens_cached,
        tokens_out=usage.tokens_out,
        first_token_s=usage.first_token_s,
        billed_usd=usage.billed_usd,
        peak_bytes=worker.peak_bytes,
    )
    return msgspec.json.encode(line)


def decided(said: Said) -> str:
    """Return the digest of a decision, as a journal line's would be."""
    match said:
        case Answer(value):
            return said_digest("answer", value, said.instead)
        case Bottom(reason):
            return said_digest("bottom", None, reason)
        case Failed(why):
            return said_digest("failed", None, why)
        case Crash(error):
            return said_digest("crash", None, error)


def _questions(samples: Sequence[Sample], count: int, salt: str) -> list[Sample]:
    def key(sample: Sample) -> bytes:
        return hashlib.sha256(f"{salt}/{sample.id}".encode()).digest()

    return sorted(samples, key=key)[:count]
