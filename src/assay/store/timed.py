"""The lines of the serial, exclusive pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from ..core.errors import SealError
from .canon import read_plain

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class TimedLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One question of the serial, exclusive pass."""

    system: str
    block: int
    sample: str
    said: str
    """Digest of what was decided, to be compared with the first pass."""

    latency_s: Seconds
    busy_s: Seconds
    cpu_s: Seconds
    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_out: int | None = None
    first_token_s: float | None = None
    billed_usd: float | None = None
    peak_bytes: int | None = None
    """The most memory that the system's process had held when it had answered."""


def read_timing(path: Path) -> list[TimedLine]:
    """Return the lines of one process of the timing pass.  Raises ``SealError`` A304 for a line that is none."""
    decode, found = msgspec.json.Decoder(TimedLine).decode, []
    for number, raw in enumerate(read_plain(path).splitlines(), 1):
        try:
            found.append(decode(raw))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise SealError(
                f"line {number} of the timing pass cannot be read: {error}",
                where=f"{path}:{number}",
                hint="run `assay verify` on the run directory",
                code="A304",
            ) from None
    return found
