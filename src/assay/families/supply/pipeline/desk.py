"""Where a pipeline works, and how one of its stages is done: once, told, and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from assay import AssayError

from ..keeping.cache import ModelCache
from .journal import Journal, Outcome, key_of
from .tiers import TierFile

Facts = Mapping[str, Any]

STOPPING = ("A104", "A205", "A206", "A207", "A208", "A403", "A405")
"""Codes that stop one model, and let the others go on: the file, or where it comes from, is at fault."""

FINAL = "A208"
"""What would be refused again: the others may have been mended, and are tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every stage needs."""

    file: TierFile
    folder: Path
    """Of the tier file: its relative paths start there."""

    out: Path
    cache: ModelCache
    journal: Journal
    tell: Callable[[str], None]
    offline: bool = False

    @property
    def lock(self) -> Path:
        """The lock file of all sources."""
        return self.folder / self.file.lock

    @property
    def stops(self) -> Path:
        """The log of what was stopped, a line each."""
        return self.out / "stops.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One thing to do, and what it depends on."""

    name: str
    of: str
    inputs: Facts
    do: Callable[[], Facts]
    is_there: Callable[[Facts], bool] = lambda _: True
    """Whether what was made is still as it was made."""


def done(desk: Desk, stage: Stage) -> Outcome:
    """Return what a stage comes to, doing it unless that is known.

    An error whose code is one of ``STOPPING`` stops the model: it is the outcome, stands in the log of
    stops, and is told.  Any other is raised: it would stop every model.
    """
    key = key_of(stage.name, stage.inputs)
    known = desk.journal.read(key)
    if known is not None and _holds(known, stage):
        desk.tell(_line(stage, f"as before{': ' + known.stopped if known.stopped else ''}"))
        return known
    desk.tell(_line(stage, "begins"))
    started = perf_counter()
    try:
        outcome = Outcome(stage=stage.name, of=stage.of, facts=dict(stage.do()))
    except AssayError as error:
        if error.code not in STOPPING:
            raise
        outcome = Outcome(stage=stage.name, of=stage.of, stopped=f"{error.code} {error.what}")
        _log(desk, outcome)
    desk.journal.write(key, outcome)
    said = outcome.stopped or f"done in {perf_counter() - started:.1f} s{_shown(outcome.facts)}"
    desk.tell(_line(stage, said))
    return outcome


def _holds(known: Outcome, stage: Stage) -> bool:
    if known.stopped:
        return known.stopped.startswith(FINAL)
    return stage.is_there(known.facts)


def _line(stage: Stage, said: str) -> str:
    return f"{stage.of or 'all'}  {stage.name}  {said}"


def _shown(facts: Facts) -> str:
    said = facts.get("says")
    return f": {said}" if said else ""


def _log(desk: Desk, outcome: Outcome) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with desk.stops.open("a", encoding="utf-8") as file:
        file.write(f"{now} {outcome.of} {outcome.stage}: {' '.join(outcome.stopped.split())}\n")
