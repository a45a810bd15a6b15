"""Coroutines side by side: all of them end, whatever happens to one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines side by side; the first error cancels the others and is the one raised.

    None of them goes on behind the caller's back: each has ended when this returns or raises.
    """
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await until_over(*tasks)
        raise


async def until_over(*tasks: asyncio.Future[Any]) -> None:
    """Wait for tasks to end, without a look at what came of them.

    Whoever is cancelled meanwhile learns it only then: what tidies up must not be left half done.
    """
    cancelled: asyncio.CancelledError | None = None
    while waiting := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(waiting)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
