"""Nothing that runs side by side is left behind, and a stop that was begun is finished."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from assay.engine.asking import Worker
from assay.engine.beside import together, until_over
from assay.engine.wire import Job
from assay.store.samples import write_samples


def job(folder: Path) -> Job:
    """Return a system that is quickly built."""
    write_samples(folder / "none", [])
    none = str(folder / "none")
    return Job("toy.last_word", {}, str(folder), none, none, str(folder / "work"), [0])


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_stop_that_is_cancelled_still_ends_the_process_and_closes_its_pipes(
    tmp_path: Path, times: int
) -> None:
    async def story() -> Worker:
        worker = await Worker.start(job(tmp_path), tmp_path / "log", within=60)
        stopping = asyncio.ensure_future(worker.stop())
        for _ in range(times):
            await asyncio.sleep(0)
            stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        return worker

    worker = asyncio.run(story())
    assert worker.process.returncode == -9
    assert worker.transport.is_closing()


def test_the_first_error_is_raised_when_all_others_have_tidied_up() -> None:
    over = []

    async def long(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            over.append(name)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        asyncio.run(together([long("a"), fails(), long("b")]))
    assert sorted(over) == ["a", "b"]


def test_cancelling_all_of_them_waits_for_each() -> None:
    over = []

    async def slow_to_end(name: str) -> None:
        tidying = asyncio.ensure_future(asyncio.to_thread(sum, range(10**5)))
        try:
            await asyncio.Event().wait()
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await until_over(tidying)
            over.append(name)

    async def story() -> None:
        everyone = asyncio.ensure_future(together([slow_to_end(name) for name in "abc"]))
        for turn in range(6):
            await asyncio.sleep(0)
            if turn > 2:  # all of them have begun
                everyone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await everyone

    asyncio.run(story())
    assert sorted(over) == ["a", "b", "c"]
