"""Journals as columns: a million records become arrays in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..core.reply import Usage
from ..core.verdict import Outcome
from .canon import canonical
from .journal import read_lines
from .line import Line

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int8]

OUTCOMES = tuple(Outcome)
CODE = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}
MEASURED = tuple(Usage.__dataclass_fields__)
"""What a reply can have measured, in the order of ``Usage``."""


@dataclass(frozen=True, slots=True)
class CellColumns:
    """One cell as arrays, one entry per record, sorted by sample and attempt."""

    samples: tuple[str, ...]
    attempts: NDArray[np.int64]
    groups: tuple[str, ...]
    outcome: Codes
    """Index into ``OUTCOMES``."""

    confidence: Floats
    """Of the answer, or of the proposal of a system that declined; NaN where there is none."""

    measured: Mapping[str, Floats]
    """Usage by name; NaN where not measured."""

    checks: Mapping[str, Floats]
    """Verifier scores by name."""


def read_columns(path: Path) -> CellColumns:
    """Read a sealed journal into columns."""
    return to_columns(list(read_lines(path)))


def to_columns(lines: Sequence[Line]) -> CellColumns:
    """Return lines as columns; a later line supersedes an earlier crash."""
    last: dict[tuple[str, int], Line] = {}
    for line in lines:
        last[line.decided.sample, line.decided.attempt] = line
    rows = [last[key] for key in sorted(last)]
    decided = [row.decided for row in rows]
    spent = [row.usage for row in rows]
    confidence = [d.confidence if d.proposal is None else d.proposal.confidence for d in decided]
    names = sorted({name for d in decided for name in d.checks})
    return CellColumns(
        samples=tuple(d.sample for d in decided),
        attempts=np.array([d.attempt for d in decided], dtype=np.int64),
        groups=tuple(d.group for d in decided),
        outcome=np.array([CODE[d.outcome] for d in decided], dtype=np.int8),
        confidence=_floats(confidence),
        measured={
            name: column
            for name in MEASURED
            if not np.isnan(column := _floats([getattr(s, name) for s in spent])).all()
        },
        checks={name: _floats([d.checks.get(name) for d in decided]) for name in names},
    )


def answers_of(lines: Sequence[Line]) -> NDArray[np.object_]:
    """Return what was answered or proposed, as canonical text, in the order of ``to_columns``."""
    last = {(line.decided.sample, line.decided.attempt): line.decided for line in lines}
    found = []
    for key in sorted(last):
        decided = last[key]
        value = decided.value if decided.proposal is None else decided.proposal.value
        found.append(canonical(value).decode("utf-8"))
    return np.array(found, dtype=np.object_)


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


def read_timing(path: Path) -> list[TimedLine]:
    """Return the lines of one process of the timing pass."""
    decode = msgspec.json.Decoder(TimedLine).decode
    return [decode(raw) for raw in path.read_bytes().splitlines()]


def _floats(values: Sequence[float | int | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
