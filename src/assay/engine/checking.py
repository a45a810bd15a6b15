"""Verifiers, held to a time: one that never ends costs its question, not the run.

*Covered*: a check that hangs, in Python or in what it waits for.  *Not covered*: code that holds the interpreter's lock
and never lets go; a thread that hangs stays until the process ends.
"""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass, field
from threading import Thread

from ..core.reply import Crash
from ..core.verdict import Check, Verdict, Verifier
from .judging import Pile, check_all, unchecked, verdicts

MOST_HANGS = 3
"""So many checks of one cell may take too long; what comes behind them is not checked any more."""


@dataclass(slots=True)
class Checking:
    """Judges replies by one verifier; each check within ``within`` seconds of the one before."""

    verifier: Verifier
    within: float
    hangs: int = 0

    async def judge(self, pile: Pile) -> list[Verdict]:
        """Return one verdict per reply, in order.

        A check that takes too long is a ``Crash("check_too_slow")``: ours, and asked again by the next start.
        Raises ``PluginError`` A402 when the verifier breaks its contract.
        """
        left = unchecked(pile)
        found: list[Check | Crash] = []
        while left and self.hangs < MOST_HANGS:
            checks = await _Batch(self.verifier, left).run(self.within)
            found += checks
            left = left[len(checks) :]
            if left:
                self.hangs += 1
                found.append(Crash("check_too_slow", f"no check in {self.within:g} s"))
                left = left[1:]
        found += [Crash("check_too_slow", "its verifier was given up")] * len(left)
        return verdicts(pile, found)


@dataclass(slots=True)
class _Batch:
    """Some answers with a verifier, in a thread that nobody has to wait for."""

    verifier: Verifier
    pile: Pile
    checks: list[Check | Crash] = field(default_factory=list)
    error: BaseException | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, within: float) -> list[Check | Crash]:
        """Return the checks that came; fewer than answers where one took too long."""
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        Thread(target=context.run, args=(self._check, loop), daemon=True).start()
        while True:
            before = len(self.checks)
            try:
                async with asyncio.timeout(within):
                    await self.over.wait()
            except TimeoutError:
                if len(self.checks) == before:
                    return list(self.checks)
                continue
            if self.error is not None:
                raise self.error
            return self.checks

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            check_all(self.verifier, self.pile, self.checks)
        except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
            self.error = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(self.over.set)
