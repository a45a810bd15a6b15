"""Systems that have the replies of another: its cells are theirs, too, above other thresholds."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from ..core.record import Cell
from ..store.canon import write_whole
from ..store.manifest import CellFacts, read_doc, write_doc
from ..store.rundir import RunDir
from ..store.timed import read_timing
from .resolve import Resolved


def copies_of(resolved: Resolved) -> dict[str, tuple[str, ...]]:
    """Return the systems that have a system's replies, too, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for name, system in resolved.systems.items():
        if system.of is not None:
            found[system.of] = (*found.get(system.of, ()), name)
    return found


def copy_cells(run: RunDir, resolved: Resolved) -> None:
    """Write the finished cells of every system once more, for each that has its replies.

    A cell is written whole before it counts as finished, so a killed process leaves nothing that is
    taken for done; one that is there, with the decisions of its original, is left as it is.
    """
    for original, copies in copies_of(resolved).items():
        system = resolved.systems[original]
        for task in resolved.tasks:
            for seed in system.seeds:
                for split in system.splits:
                    cell = Cell(task=task, system=original, seed=seed, split=split)
                    for name in copies:
                        _copy(run, cell, replace(cell, system=name))


def copy_timing(run: RunDir, resolved: Resolved) -> None:
    """Write what a system took in the serial pass once more, for each that has its replies."""
    copies = copies_of(resolved)
    if not copies:
        return
    for path in sorted((run.root / "timing").glob("*/*.jsonl")):
        lines = read_timing(path)
        there = {line.system for line in lines}
        more = [
            msgspec.json.encode(msgspec.structs.replace(line, system=name)) + b"\n"
            for line in lines
            for name in copies.get(line.system, ())
            if name not in there
        ]
        if more:
            write_whole(path, path.read_bytes() + b"".join(more))


def _copy(run: RunDir, original: Cell, copy: Cell) -> None:
    facts = read_doc(CellFacts, run.finished(original))
    done = run.finished(copy)
    if done.exists() and read_doc(CellFacts, done).decisions == facts.decisions:
        return
    write_whole(run.journal(copy), run.journal(original).read_bytes())
    if run.evidence(original).is_file():
        write_whole(run.evidence(copy), run.evidence(original).read_bytes())
    write_doc(done, facts.model_copy(update={"system": copy.system}))
