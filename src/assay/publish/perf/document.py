"""The file of one measurement: what pyperf reads, and beside it what assay says of it.

``benchmarks``, ``metadata`` and ``version`` are pyperf's (JSON format 1.0): ``python -m pyperf show FILE`` works.
``assay`` has the machine, the suites and their versions, a row of medians for each benchmark, what could not run,
and the rows of peers.  Names of hosts, paths and boot times, which pyperf notes, are left out.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue, ValidationError

from ...core.errors import DataError
from ...store.canon import digest_file, write_whole
from ...store.manifest import Stored, first_fault
from .contest import Row, Spread
from .suite import CPU

LARGEST = 64 << 20
"""Bytes; a measurement of a hundred benchmarks has under one million."""

KEPT = frozenset(
    {
        "aslr",
        "calibrate_loops",
        "cpu_count",
        "cpu_model_name",
        CPU,
        "date",
        "duration",
        "inner_loops",
        "load_avg_1min",
        "loops",
        "mem_max_rss",
        "n",
        "name",
        "perf_version",
        "platform",
        "python_implementation",
        "python_version",
        "timer",
        "unit",
    }
)
"""Facts of pyperf that are kept; the others name this host, or have nothing to say."""


class SuiteFacts(Stored):
    """One suite, as it was measured."""

    version: str
    says: str
    when: str
    load: str
    """Load average of 1, 5 and 15 minutes when it was measured."""

    quick: bool = False


class Summary(Stored):
    """Seconds of one call, over processes."""

    median: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)
    mad: float = Field(ge=0)
    """Median of the distances from the median."""


class RowFacts(Stored):
    """One benchmark, as people read it."""

    name: str
    says: str
    n: int
    of: str = ""
    processes: int
    values: int
    """Times that were taken, of all processes together."""

    loops: int
    cpu: Summary
    wall: Summary


class AbsentFacts(Stored):
    """One benchmark that has no numbers, and why."""

    name: str
    says: str
    why: str
    broke: bool = False
    """Whether it failed; otherwise something that it needs is not here."""


class PeerFacts(Stored):
    """One program that times assay beside its peers."""

    name: str
    says: str
    when: str
    load: str
    minutes: float | None = None
    quick: bool = False
    where: str = ""
    """The machine, where it was another one than that of the measurement."""

    rows: tuple[Row, ...]
    skipped: str = ""
    broke: str = ""
    """Why it printed no rows, where it failed."""


class About(Stored):
    """What assay says of a measurement."""

    schema_version: Literal[1] = 1
    version: str
    when: str
    minutes: float
    command: str
    quick: bool
    machine: dict[str, JsonValue]
    packages: dict[str, str]
    threads: dict[str, str]
    git: dict[str, JsonValue]
    suites: dict[str, SuiteFacts]
    rows: tuple[RowFacts, ...]
    absent: tuple[AbsentFacts, ...] = ()
    peers: tuple[PeerFacts, ...] = ()


class _Process(Stored):
    """A run of pyperf, with the facts that it shares with others."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    values: tuple[float, ...] = ()
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class _Timed(Stored):
    model_config = ConfigDict(extra="ignore", frozen=True)

    runs: tuple[_Process, ...]
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class Measurement(Stored):
    """One measurement, read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal["1.0"]
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    benchmarks: tuple[_Timed, ...] = ()
    assay: About

    def seconds(self, clock: Literal["cpu", "wall"]) -> dict[str, tuple[float, ...]]:
        """Return the seconds of one call by benchmark: one number for each process."""
        found: dict[str, tuple[float, ...]] = {}
        for timed in self.benchmarks:
            shared = {**self.metadata, **timed.metadata}
            each = [(p.values, {**shared, **p.metadata}) for p in timed.runs if p.values]
            name = str(shared.get("name", ""))
            if name in found:
                raise DataError(f"the benchmark {name[:80]!r} stands twice")
            found[name] = tuple(
                statistics.fmean(_positive(value, clock) for value in values)
                if clock == "wall"
                else _positive(facts.get(CPU), clock)
                for values, facts in each
            )
        return found

    def check(self) -> None:
        """Raise ``DataError`` where a time is none, or a row is not of the times that stand beside it."""
        cpu, wall = self.seconds("cpu"), self.seconds("wall")
        for row in self.assay.rows:
            for told, times in ((row.cpu, cpu.get(row.name)), (row.wall, wall.get(row.name))):
                if not times or len(times) != row.processes or not _is_of(told, times):
                    raise DataError(f"the row {row.name[:80]!r} is not what its times come to")


def _is_of(told: Summary, times: Sequence[float]) -> bool:
    found = summary(times)
    ends = (told.median - found.median, told.low - found.low, told.high - found.high)
    return all(abs(end) <= _NEAR * found.high for end in ends)


def _positive(value: JsonValue, clock: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LONGEST_S:
        return float(value)
    name = "CPU" if clock == "cpu" else "wall time"
    raise DataError(f"a process has {value!r:.40} seconds of {name}")


_LONGEST_S = 1e9
"""Seconds of one call: thirty years."""
_NEAR = 1e-6
"""Numbers that differ by a smaller share are one, in other digits."""


def summary(values: Sequence[float]) -> Summary:
    """Return the median of seconds and their spread.

    >>> summary([1.0, 2.0, 4.0]).median
    2.0
    """
    middle = statistics.median(values)
    away = statistics.median([abs(value - middle) for value in values])
    return Summary(median=middle, low=min(values), high=max(values), mad=away)


def slimmed(timed: dict[str, Any]) -> dict[str, Any]:
    """Return pyperf's document without the facts that are not kept."""

    def slim(one: dict[str, Any]) -> dict[str, Any]:
        facts = {k: v for k, v in one.get("metadata", {}).items() if k in KEPT}
        rest = {k: v for k, v in one.items() if k not in ("metadata", "runs", "benchmarks")}
        for key in ("runs", "benchmarks"):
            if key in one:
                rest[key] = [slim(each) for each in one[key]]
        return {**rest, "metadata": facts}

    return slim(timed)


def write(path: Path, timed: dict[str, Any], about: About) -> None:
    """Write a measurement, whole or not at all; ``timed`` is pyperf's document."""
    whole = {**slimmed(timed), "assay": about.model_dump(mode="json")}
    write_whole(path, (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode())


def read(path: Path) -> Measurement:
    """Read a measurement.

    Raises ``DataError`` A200 for a file that is none: damaged, of pyperf alone, or a run's folder.
    """
    hint = "name a JSON file that `assay perf run` wrote"
    if path.is_dir():
        what = "this is a run's folder" if (path / "SEAL").exists() else "this is a folder"
        raise DataError(f"{what}, and no measurement of performance", where=str(path), hint=hint)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        what = f"the measurement cannot be read: {error.strerror}"
        raise DataError(what, where=str(path), hint=hint) from None
    if len(raw) > LARGEST:
        raise DataError("the file is larger than a measurement can be", where=str(path), hint=hint)
    try:
        made = Measurement.model_validate_json(raw)
        made.check()
    except ValidationError as error:
        at, what = first_fault(error)
        what = (
            "pyperf wrote it, not assay" if at == "assay" else ": ".join(filter(None, (at, what)))
        )
        raise DataError(
            f"this is no measurement of performance: {what}", where=str(path), hint=hint
        ) from None
    except DataError as error:
        raise DataError(
            f"this is no measurement of performance: {error.what}", where=str(path), hint=hint
        ) from None
    return made


def newest(folder: Path) -> Path:
    """Return the measurement of a folder that was made last, by what the files say of themselves.

    Raises ``DataError`` A200 where there is none.
    """
    found: list[tuple[str, Path]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((read(path).assay.when, path))
        except DataError:
            continue  # other JSON may lie beside it
    if not found:
        raise DataError(
            "no measurement of performance is in this folder",
            where=str(folder),
            hint=f"make one: assay perf run --out {folder}",
        )
    return max(found)[1]


def digest(path: Path) -> str:
    """Return the digest of a file of this kind."""
    return digest_file(path)


__all__ = ["About", "Measurement", "Row", "Spread", "newest", "read", "summary", "write"]
