"""Two measurements beside each other: how many times as long each benchmark takes, and what can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np

from ...analysis.alarms import family
from ...core.errors import DataError
from ...stats import multiple
from ...stats.inference import Inference, exponential
from ...stats.means import welch
from .document import Measurement
from .suite import CONTROL

Clock: TypeAlias = Literal["cpu", "wall"]

ALPHA = 0.025
"""A side: of all that is called faster, or slower, at most this chance of any wrongly, over benchmarks."""

SAME_MACHINE = ("cpu", "cpus", "cpus_usable", "memory_mb", "gpus")
"""What makes a machine another one.  The rest of its description only has to be read with the numbers."""

MEMORY = 0.02
"""Memory may differ by this share: a kernel that is newer keeps more, or less, for itself."""


class Told(StrEnum):
    """What can be said of one benchmark."""

    FASTER = "faster"
    SLOWER = "slower"
    UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One benchmark in both measurements."""

    name: str
    found: Inference
    """Seconds now over seconds then."""

    told: Told
    then_s: float
    now_s: float
    level: float
    """One-sided level that decided, after Holm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two measurements of the same suites."""

    clock: Clock
    rows: tuple[Compared, ...]
    controls: tuple[tuple[str, Inference], ...]
    """Work that is none of assay's, in both: what it takes longer, the machine does."""

    drift: tuple[float, float]
    """How far controls may have moved, as ratios: faster and slower are beyond that."""

    only_then: tuple[str, ...]
    only_now: tuple[str, ...]
    read_with: tuple[str, ...]
    """What differs besides, as sentences."""


def compare(
    then: Measurement, now: Measurement, *, clock: Clock = "cpu", across: bool = False
) -> Comparison:
    """Compare what both measured, benchmark by benchmark.

    A process is one observation; ratios of geometric means, Welch's t on logarithms, Holm over benchmarks,
    faster and slower each at 2.5 %, and beyond what controls may have moved (their 95 % intervals).  Raises ``DataError`` A203 where a suite is of another version, where
    nothing is common, and, unless ``across`` machines, where the machine is another.
    """
    caveats = _alike(then, now, across=across)
    before, after = then.seconds(clock), now.seconds(clock)
    both = [name for name in before if name in after]
    common = [name for name in both if not _is_control(name)]
    controls = tuple((n, ratio(after[n], before[n])) for n in both if _is_control(n))
    low, high = drift(controls)
    if not common:
        raise DataError(
            "the measurements have no benchmark in common",
            hint="measure the same suites: assay perf run --suite NAME",
            code="A203",
        )
    found = [ratio(after[name], before[name]) for name in common]
    slower = multiple.holm(family([one.p_at_least(high) for one in found]), alpha=ALPHA)
    faster = multiple.holm(family([one.p_at_most(low) for one in found]), alpha=ALPHA)
    rows = []
    for at, (name, one) in enumerate(zip(common, found, strict=True)):
        up, down = slower[str(at)], faster[str(at)]
        told = Told.SLOWER if up.rejected else Told.FASTER if down.rejected else Told.UNTOLD
        level = up.level if told is Told.SLOWER else down.level
        rows.append(
            Compared(
                name=name,
                found=one,
                told=told,
                then_s=middle(before[name]),
                now_s=middle(after[name]),
                level=level,
            )
        )
    return Comparison(
        clock=clock,
        rows=tuple(rows),
        controls=controls,
        drift=(low, high),
        only_then=tuple(sorted(n for n in before.keys() - after.keys() if not _is_control(n))),
        only_now=tuple(sorted(n for n in after.keys() - before.keys() if not _is_control(n))),
        read_with=(*caveats, *_quick(then, now), *_moved(controls)),
    )


def drift(controls: Sequence[tuple[str, Inference]]) -> tuple[float, float]:
    """Return how far the machine may have moved, by the farthest ends of the controls' 95 % intervals; 1 is between.

    >>> drift([("control/python", ratio([1.1, 1.1001], [1.0, 1.0001]))])[0]
    1.0
    """
    ends = [found.interval() for _, found in controls]
    known = [each for each in ends if each is not None]
    return min([1.0, *(low for low, _ in known)]), max([1.0, *(high for _, high in known)])


def _is_control(name: str) -> bool:
    return name.startswith(f"{CONTROL}/")


def _quick(then: Measurement, now: Measurement) -> tuple[str, ...]:
    """Return the sentence about measurements that are none."""
    which = {
        (True, True): "Both were",
        (True, False): "The earlier one was",
        (False, True): "The later one was",
    }
    said = which.get((then.assay.quick, now.assay.quick))
    if said is None:
        return ()
    return (f"{said} a quick look (--quick), and no measurement: its few processes show little",)


def _moved(controls: Sequence[tuple[str, Inference]]) -> tuple[str, ...]:
    """Return the sentences about controls that a comparison has to be read with."""
    if not controls:
        return ("No control was measured in both: the machine's hour may be what differs",)
    told = []
    for name, found in controls:
        ends = found.interval()
        if found.value is not None and ends is not None and not ends[0] <= 1 <= ends[1]:
            told.append(
                f"{name}, which is none of assay's code, takes {found.value:.3f} times as long: "
                "the hours of the machine differ"
            )
    return tuple(told)


def ratio(now: Sequence[float], then: Sequence[float]) -> Inference:
    """Infer how many times as long something takes now; every number is of a process of its own.

    Source: Welch 1947, on logarithms.

    >>> found = ratio([2.0, 2.1, 1.9], [1.0, 1.05, 0.95])
    >>> round(found.value, 2), [round(end, 1) for end in found.interval()]
    (2.0, [1.8, 2.2])

    *Not to be trusted when* a machine's other work went on during one measurement only: processes then
    differ less from each other than measurements do.
    """
    return exponential(welch(np.log(now), np.log(then)))


def middle(values: Sequence[float]) -> float:
    """Return the geometric mean, whose ratios are what is inferred.

    >>> middle([1.0, 4.0])
    2.0
    """
    return float(np.exp(np.log(values).mean()))


def other_machine(then: Measurement, now: Measurement) -> str:
    """Return what makes the machine of the second another one; empty where it is the same.

    Memory is compared to 2 %: kernels keep different parts of it.
    """
    a, b = then.assay.machine, now.assay.machine
    for key in SAME_MACHINE:
        one, other = a.get(key), b.get(key)
        if key == "memory_mb" and isinstance(one, int) and isinstance(other, int):
            same = abs(one - other) <= MEMORY * one
        else:
            same = one == other
        if not same:
            return f"{key} was {one!r}, and is {other!r}"
    return ""


def _alike(then: Measurement, now: Measurement, *, across: bool) -> tuple[str, ...]:
    other = other_machine(then, now)
    if other and not across:
        raise DataError(
            f"the measurements are of different machines: {other}",
            hint="measure both on one machine, or say --across-machines: the machines are then compared, too",
            code="A203",
        )
    for name in then.assay.suites.keys() & now.assay.suites.keys():
        versions = [each.assay.suites[name].version for each in (then, now)]
        if versions[0] != versions[1]:
            raise DataError(
                f"the suite {name} was of version {versions[0]}, and is of version {versions[1]}: "
                "its benchmarks do other work",
                hint="measure the older code again with this suite, or leave the suite out",
                code="A203",
            )
    told = [f"The machines differ: {other}"] if other else []
    for what, key in (("operating system", "os"), ("Python", "python")):
        one, two = then.assay.machine.get(key), now.assay.machine.get(key)
        if one != two:
            told.append(f"The {what} differs: {one}, then {two}")
    changed = [
        f"{name} {then.assay.packages[name]} -> {version}"
        for name, version in now.assay.packages.items()
        if then.assay.packages.get(name, version) != version
    ]
    if changed:
        told.append(f"Packages differ: {', '.join(changed)}")
    if then.assay.threads != now.assay.threads:
        told.append("Thread settings of the environment differ")
    return tuple(told)
