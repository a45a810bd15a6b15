"""The serial pass of one system, as columns over the questions that were timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.metric import Metric, Ratio
from ..store.columns import Floats
from ..store.timed import TimedLine
from .prices import PriceTable

MIN_BLOCKS, MIN_PROCESSES = 20, 3
"""With fewer, measurements describe these questions and nothing else."""


@dataclass(frozen=True, slots=True)
class Timed:
    """The serial pass of one system: one entry per question."""

    system: str
    blocks: tuple[str, ...]
    processes: int
    columns: Mapping[str, Floats]

    @property
    def generalises(self) -> bool:
        """Whether there are enough blocks and processes to speak of another day."""
        return len(set(self.blocks)) >= MIN_BLOCKS and self.processes >= MIN_PROCESSES

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that a process of the system held, its libraries included."""
        held = self.columns.get("peak_bytes")
        return None if held is None or np.isnan(held).all() else int(np.nanmax(held))

    def terms(self, metric: Metric) -> tuple[Floats, Floats]:
        """Return numerator and denominator of a timed ratio metric."""
        assert isinstance(metric.form, Ratio)
        above = np.asarray(metric.form.numerator(self.columns), dtype=np.float64)
        below = np.asarray(metric.form.denominator(self.columns), dtype=np.float64)
        return above, below

    def by_block(self, values: Floats, blocks: Sequence[str]) -> Floats:
        """Return totals per block, in the given order of blocks."""
        place = {b: i for i, b in enumerate(blocks)}
        found = np.zeros(len(blocks))
        for value, block in zip(values, self.blocks, strict=True):
            if block in place:
                found[place[block]] += value
        return found


def make_timed(
    system: str,
    passes: Mapping[int, Sequence[TimedLine]],
    first_pass: Mapping[str, str],
    prices: PriceTable,
) -> Timed | None:
    """Gather one system's lines of the serial pass; ``first_pass`` is what it decided before."""
    rows = [(p, line) for p, lines in sorted(passes.items()) for line in lines]
    rows = [(p, line) for p, line in rows if line.system == system]
    if not rows:
        return None
    busy = np.array([line.busy_s for _, line in rows])
    columns = {
        "busy_s": busy,
        "latency_s": np.array([line.latency_s for _, line in rows]),
        "cpu_s": np.array([line.cpu_s for _, line in rows]),
        "timed": np.ones(len(rows)),
        "same": np.array([float(first_pass.get(line.sample) == line.said) for _, line in rows]),
    }
    for name in ("tokens_in", "tokens_cached", "tokens_out", "billed_usd", "peak_bytes"):
        values = [getattr(line, name) for _, line in rows]
        if any(value is not None for value in values):
            columns[name] = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    usd = np.asarray(prices.usd(columns, system), dtype=np.float64)
    # What a question cost and is not known counts neither in the dollars nor in the questions.
    columns["usd"] = np.where(np.isnan(usd), 0.0, usd)
    columns["priced"] = (~np.isnan(usd)).astype(np.float64)
    return Timed(
        system=system,
        blocks=tuple(f"{p}/{line.block}" for p, line in rows),
        processes=len({p for p, _ in rows}),
        columns=columns,
    )
