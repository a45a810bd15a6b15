"""A gate's verdict with what the texts about it need: names, and lines of the plan to point at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.plan import LoadedPlan
from ...store.canon import digest_file
from ..gate import Check, Gate, Source
from ..hostile import visible
from ..run import Run

LONGEST = 2000
"""Characters of one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader changes what failed."""

    path: str
    """With ``/`` between folders; seen from the repository where it lies below it."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A gate's verdict, of a run of a plan or of a measurement of performance."""

    gate: Gate
    plan: str
    """The plan's name, or ``performance``."""

    seal: str
    """Digest of the run's seal, or of the measurement."""

    read_with: tuple[str, ...]
    """Sentences that every number has to be read with."""

    places: tuple[Place, ...]
    """Of each check."""

    sealed: str = "Seal of the run"
    """What ``seal`` is."""


def judged(run: Run, gate: Gate, read_with: Sequence[str], root: Path) -> Judged:
    """Return a verdict with the lines of the plan; ``root`` is the repository's folder.

    The plan is the file that was run, where it still stands as it was; otherwise the run's copy.
    """
    path = _plan_file(run)
    return Judged(
        gate=gate,
        plan=run.loaded.plan.name,
        seal=digest_file(run.dir.seal),
        read_with=tuple(read_with),
        places=tuple(_place(run.loaded, check, _shown(path, root)) for check in gate.checks),
    )


def sentence(check: Check) -> str:
    """Return what a check came to, safe to look at, on one line."""
    told = (
        f"{check.name} ({check.says}): {check.why}" if check.says else f"{check.name} {check.why}"
    )
    return visible(" ".join(told.split()), LONGEST)


def _plan_file(run: Run) -> Path:
    copy, folder = run.dir.plan, run.plan_folder
    text = copy.read_bytes()
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        if path.is_file() and path.stat().st_size == len(text) and path.read_bytes() == text:
            return path
    return copy


def _shown(path: Path, root: Path) -> str:
    whole, folder = path.resolve(), root.resolve()
    return (whole.relative_to(folder) if whole.is_relative_to(folder) else whole).as_posix()


def _place(loaded: LoadedPlan, check: Check, path: str) -> Place:
    if check.source is Source.CLAIM:
        key, names = "claims", [claim.id for claim in loaded.plan.claims]
    else:
        key, names = "systems", [system.name for system in loaded.plan.systems]
    wanted = check.name if check.source is Source.CLAIM else check.system
    at = (key, names.index(wanted)) if wanted in names else ()
    return Place(path=path, line=int(loaded.where(*at).rpartition(":")[2]))
