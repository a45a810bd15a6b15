"""The lines of the serial, exclusive pass."""

from __future__ import annotations

from pathlib import Path

import msgspec


class TimedLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One question of the serial, exclusive pass."""

    system: str
    block: int
    sample: str
    said: str
    """Digest of what was decided, to be compared with the first pass."""

    latency_s: float
    busy_s: float
    cpu_s: float
    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_out: int | None = None
    first_token_s: float | None = None
    billed_usd: float | None = None
    peak_bytes: int | None = None
    """The most memory that the system's process had held when it had answered."""


def read_timing(path: Path) -> list[TimedLine]:
    """Return the lines of one process of the timing pass."""
    decode = msgspec.json.Decoder(TimedLine).decode
    return [decode(raw) for raw in path.read_bytes().splitlines()]
