"""What processor packages take, from the counters of RAPL: read, or not measured, never assumed.

*Covered*: counters that begin again at zero, once between two looks.  *Not covered*: a package serves
every process, so that on a busy machine the number holds the others' share; memory and GPU are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

POWERCAP = Path("/sys/class/powercap")

Reading: TypeAlias = tuple[int, ...]
"""Microjoules of each package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The counters of all packages."""

    files: tuple[Path, ...]
    ranges: tuple[int, ...]
    """Microjoules at which each begins again."""

    def read(self) -> Reading:
        """Return what the counters say now.  Raises ``OSError``, ``ValueError``."""
        return tuple(_number(file) for file in self.files)

    def joules(self, before: Reading, after: Reading) -> float:
        """Return what was taken between two looks, added over packages.

        >>> Meter(files=(), ranges=(1000,)).joules((900,), (100,))
        0.0002
        """
        steps = zip(before, after, self.ranges, strict=True)
        return sum((b - a) if b >= a else b + most - a for a, b, most in steps) / 1e6


def find_meter(root: Path = POWERCAP) -> Meter | str:
    """Return the meter of this machine, or why there is none.

    Source: Linux, Documentation/power/powercap/powercap.rst.

    >>> find_meter(Path("/nowhere"))
    'this machine shows no RAPL counters (/nowhere)'
    """
    packages = sorted(
        zone
        for zone in root.glob("intel-rapl:*")
        if zone.name.count(":") == 1 and _name(zone).startswith("package")
    )
    if not packages:
        return f"this machine shows no RAPL counters ({root})"
    files = tuple(zone / "energy_uj" for zone in packages)
    try:
        meter = Meter(
            files=files,
            ranges=tuple(_number(zone / "max_energy_range_uj") for zone in packages),
        )
        meter.read()
    except PermissionError as error:
        return f"this user may not read {error.filename}"
    except (OSError, ValueError) as error:
        return f"the RAPL counters cannot be read: {error}"
    return meter


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(file: Path) -> int:
    return int(file.read_text("ascii"))
