"""Run what is asynchronous to its end, also where a loop runs already: in a notebook one always does."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what some work comes to; as ``asyncio.run``, and beside a loop that runs in a thread of its own.

    Ctrl-C, and the stop button of a notebook, end the work in order before it is raised.

    >>> async def three() -> int:
    ...     return 3
    >>> run_to_end(three())
    3
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def noted() -> Result:
        task = asyncio.current_task()
        assert task is not None
        begun.append((asyncio.get_running_loop(), task))
        return await work

    with ThreadPoolExecutor(1) as pool, _interrupted_at_once():
        future = pool.submit(asyncio.run, noted())
        try:
            return future.result()
        except KeyboardInterrupt:
            for loop, task in begun:
                loop.call_soon_threadsafe(task.cancel)
            raise


@contextmanager
def _interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C raise here: the loop outside would note it for a task that waits for us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
