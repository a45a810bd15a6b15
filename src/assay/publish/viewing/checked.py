"""What this process has checked of runs itself, and forgets as soon as a file changes.  Nothing is written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from ...core.errors import AssayError
from ...store.rundir import RunDir
from ...store.seal import Fault, faults
from ...store.shelf import Shelf
from ..document import Section
from ..paging.index import contents
from ..paging.pages import Pages
from ..run import Run
from .sealed import sections_of

SMALL = 1 << 25
"""Bytes of sealed files up to which a run is checked as soon as somebody opens it."""

KEPT = 8
"""Runs that are kept in memory; another one takes the place of the one that was looked at longest ago."""

Mark: TypeAlias = "tuple[tuple[str, int, int], ...]"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of hashing every file of a run."""

    when: datetime
    faults: tuple[Fault, ...]
    run: Run | None = None
    """The run, where every file is as it was sealed and its records can be read."""

    sections: tuple[Section, ...] = ()
    """What its records say, computed here."""

    why: str = ""
    """Why nothing could be computed."""

    pages: dict[str, Pages] = field(default_factory=dict)
    """By task: made when somebody looks."""


def mark_of(run: RunDir) -> Mark:
    """Return what changes when a file does: name, size and time of each."""
    paths = [*run.sealed_files(), *([run.seal] if run.seal.is_file() else [])]
    facts = [(str(p.relative_to(run.root)), p.stat()) for p in paths]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts)


def size_of(run: RunDir) -> int:
    """Return the bytes of everything that is sealed."""
    return sum(size for _, size, _ in mark_of(run))


class Checks:
    """Runs that were checked; one is checked at a time, the others wait."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._checked: OrderedDict[str, tuple[Mark, Checked]] = OrderedDict()

    def known(self, run: RunDir) -> Checked | None:
        """Return what was found, if no file has changed since."""
        found = self._checked.get(run.root.name)
        return found[1] if found is not None and found[0] == mark_of(run) else None

    def check(self, run: RunDir) -> Checked:
        """Hash every file, and compute what the records say where all are as they were sealed."""
        with self._one:
            if (known := self.known(run)) is not None:
                self._checked.move_to_end(run.root.name)
                return known
            mark = mark_of(run)
            made = _check(run)
            self._checked[run.root.name] = mark, made
            self._checked.move_to_end(run.root.name)
            while len(self._checked) > KEPT:
                self._checked.popitem(last=False)
            return made

    def pages(self, checked: Checked, task: str) -> Pages:
        """Return the samples of a task, in memory: ``cache/`` is neither written nor believed."""
        assert checked.run is not None
        with self._one:
            if task not in checked.pages:
                made = contents(checked.run, task)
                shelf = Shelf(arrays=made.arrays, facts=made.facts)
                checked.pages[task] = Pages(checked.run.dir, task, shelf)
            return checked.pages[task]


def _check(run: RunDir) -> Checked:
    when = datetime.now(UTC)
    try:
        broken = tuple(faults(run))
        if broken:
            return Checked(when, broken)
        loaded = Run.load(run.root, keep=False)
        return Checked(when, (), loaded, sections_of(loaded))
    except (AssayError, OSError) as error:
        why = f"{error.code} {error.what}" if isinstance(error, AssayError) else str(error)
        return Checked(when, (), why=why)
