"""What the sides of ``intent_peers`` said, as numbers and as tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.stats.binomial import wilson
from assay.stats.paired import Table, mcnemar_midp
from assay.stats.selective import auroc

KEPT = 0.95
HALF = 0.5

Bools = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One row: what a side said to calibration and test, and how long it took."""

    name: str
    base: str
    """The row that it is paired with."""

    wanted: Sequence[str | None]
    """The right labels of test; None: no answer is right."""

    known: Sequence[str | None]
    """The same of calibration."""

    said: dict[str, Any]
    times: list[list[float]] | None
    """Milliseconds of CPU and wall: median, least and most over the rounds."""

    @property
    def inside(self) -> Bools:
        """Which test prompts have an answer."""
        return np.array([label is not None for label in self.wanted])

    @property
    def right(self) -> Bools:
        """Which test prompts get their label."""
        pairs = zip(self.said["test"]["labels"], self.wanted, strict=True)
        return np.array([said == wanted for said, wanted in pairs])

    @property
    def sure(self) -> np.ndarray:
        """Return the confidences of test."""
        return np.array(self.said["test"]["sure"])

    def cut(self) -> float:
        """Return the threshold that 95 % of calibration's prompts with an answer pass."""
        pairs = zip(self.said["known"]["sure"], self.known, strict=True)
        return float(np.quantile([sure for sure, label in pairs if label is not None], 1 - KEPT))

    def outside(self) -> dict[str, Any]:
        """Return what its confidence tells of prompts that no label fits."""
        inside, sure = self.inside, self.sure
        found: dict[str, Any] = {"auroc": auroc(sure, inside)}
        for name, cut in (("half", HALF), ("kept", self.cut())):
            passes = sure >= cut
            found[name] = {
                "threshold": cut,
                "recall": shared(~passes[~inside]),
                "passed": shared(passes[inside]),
                "right": shared((passes & self.right)[inside]),
            }
        return found

    def numbers(self) -> dict[str, Any]:
        """Return everything that a table may show."""
        found = {
            "accuracy": shared(self.right[self.inside]),
            "learnt": self.said["learnt"],
            "fit": self.said["fit"],
            "ms": self.times,
        }
        return found if self.inside.all() else {**found, "outside": self.outside()}


def accuracy_table(rows: Sequence[Told]) -> str:
    """Write accuracy, pairs with assay's row of the same lessons, and times; say where assay loses."""
    named = {row.name: row for row in rows}
    base_ms = next((r.times[0][0] for r in rows if r.times and r.name == r.base), None)
    lines = [
        "| who | accuracy, in scope | beside minilm: won, lost, p | learning, CPU | CPU ms | wall ms | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        base, remarks = named.get(row.base, row), []
        pairs = "."
        ours = row.name.startswith("assay")
        if row is not base:
            table = Table.of(row.right[row.inside], base.right[row.inside])
            p = mcnemar_midp(table).two_sided
            pairs = f"{table.first}, {table.second}, {p:.2g}"
            if not ours and table.first > table.second:
                remarks.append("accuracy" if p < 0.05 else "accuracy, not told apart")
        if not ours and row.times and base_ms and row.times[0][0] < base_ms:
            remarks.append("CPU")
        cells = (
            row.name,
            spell(shared(row.right[row.inside])),
            pairs,
            cost(row.said["learnt"]),
            *(["", ""] if row.times is None else map(timing, row.times)),
            f"**minilm loses on {' and '.join(remarks)}**" if remarks else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def outside_table(rows: Sequence[Told]) -> str:
    """Write what tells prompts without an answer."""
    lines = [
        "| who | AUROC | at 0.5: declined | right | at 95 % kept: declined | passed | right |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        found = row.outside()
        half, kept = found["half"], found["kept"]
        cells = (
            row.name,
            f"{found['auroc']:.3f}",
            *(spell(each) for each in (half["recall"], half["right"])),
            *(spell(each) for each in (kept["recall"], kept["passed"], kept["right"])),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def shared(hits: Bools) -> list[float]:
    """Return a share with Wilson's interval, and of how many."""
    low, high = wilson(int(hits.sum()), len(hits))
    return [float(hits.mean()), low, high, len(hits)]


def spread(values: Sequence[float]) -> list[float]:
    """Return the median, the least and the most."""
    return [statistics.median(values), min(values), max(values)]


def spell(numbers: Sequence[float]) -> str:
    """Write a share with its interval."""
    return f"{numbers[0]:.3f} [{numbers[1]:.3f}, {numbers[2]:.3f}]"


def timing(numbers: Sequence[float]) -> str:
    """Write milliseconds with their range over the rounds."""
    middle, least, most = (f"{n:.2f}" if numbers[0] < 1 else f"{n:.1f}" for n in numbers)
    return f"{middle} [{least}, {most}]"


def cost(learnt: dict[str, Any]) -> str:
    """Write what learning took; nothing where the row above had encoded the same prompts."""
    return "" if learnt.get("known") else f"{learnt['all_cpu']:,.0f} s"
