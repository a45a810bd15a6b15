"""How long a fetch waits, and how often it tries again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from assay import PluginError


class Hitch(Exception):  # noqa: N818  (no error yet: it is tried again)
    """Something that may be over when it is tried again: a cut connection, a busy server."""

    def __init__(
        self, what: str, *, wait_s: float | None = None, hint: str = "", most: int | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.wait_s, self.most = what, wait_s, most
        self.hint = hint or "say the same command again later: what came is kept, and it goes on"


class Halted(Exception):  # noqa: N818  (the error is the one that halted the others)
    """Another file of the same fetch has failed, so this one stops where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often."""

    timeout_s: float = 60.0
    """Without a byte, or below ``least_rate`` over so long, a connection counts as cut."""

    least_rate: int = 1000
    """Bytes per second."""

    tries: int = 6
    """Of a file, without anything new coming."""

    first_s: float = 1.0
    most_s: float = 120.0
    """Between two tries; a server that asks for a longer pause is told no."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None
    """Seconds; None waits, and stops waiting when the fetch is halted."""

    def pause(
        self, tried: int, hitch: Hitch, *, where: str, stop: Event, tell: Callable[[str], object]
    ) -> None:
        """Wait before the next try, and say so.

        Raises ``PluginError`` A405 where there is none, ``Halted`` where another file has failed.
        """
        if tried >= min(self.tries, hitch.most or self.tries):
            times = f", {tried} times" if tried > 1 else ""
            raise PluginError(f"{hitch.what}{times}", where=where, hint=hitch.hint, code="A405")
        wait = min(self.first_s * 2.0 ** (tried - 1), self.most_s)
        if hitch.wait_s is not None:
            wait = hitch.wait_s
        if wait > self.most_s:
            raise PluginError(
                f"{hitch.what}; it asks to wait {wait:,.0f} s",
                where=where,
                hint="say the same command again after that time",
                code="A405",
            )
        tell(f"{where}: {hitch.what}; again in {wait:,.0f} s")
        (self.sleep or stop.wait)(wait)
        if stop.is_set():
            raise Halted
