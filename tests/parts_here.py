"""For tests that answer the parts of a run here, as the machines of a cluster would."""

from __future__ import annotations

import shutil
from pathlib import Path

from assay.core.record import Cell
from assay.engine.ray.batch import Batch
from assay.engine.ray.driver import _Desk
from assay.engine.ray.node import MARK, answer
from assay.engine.ray.order import encode
from assay.engine.resolve import Resolved
from assay.engine.teller import Silence
from assay.engine.works import works
from assay.store.canon import write_whole
from assay.store.evidence import read_evidence
from assay.store.journal import read_lines
from assay.store.rundir import RunDir
from runs import copy_of


def reopened(run: RunDir, to: Path) -> RunDir:
    """Return a copy of a run in which everything is still to be asked."""
    copy = copy_of(run, to)
    copy.seal.unlink()
    shutil.rmtree(copy.root / "records")
    shutil.rmtree(copy.root / "evidence", ignore_errors=True)
    write_whole(copy.work / MARK, b"seen")
    return copy


def batch_of(run: RunDir, resolved: Resolved, system: str, prefix: str = "p") -> Batch:
    [work] = [w for w, _ in works(run, resolved, Silence()) if w.system == system]
    return Batch(run, work, prefix)


def divide(batch: Batch, parts: int) -> None:
    batch.divide(batch.left(), parts)


def truth(run: RunDir, cell: Cell) -> list[tuple[list[bytes], str, str]]:
    """Return the lines of a cell in the order of the file: none is overlooked because it is there twice."""
    found = []
    for line in read_lines(run.journal(cell)):
        at = line.usage.at
        kept = read_evidence(run.evidence(cell), at) if at else b""
        found.append((kept.splitlines()[:1], line.decided.sample, repr(line.decided)))
    return found


def reopened_lightly(run: RunDir, to: Path) -> RunDir:
    """Return a folder that holds no more of a run than merging needs."""
    light = RunDir(to / "run")
    light.root.mkdir()
    shutil.copy(run.manifest, light.manifest)
    return light


def serve(run: RunDir, resolved: Resolved, batch: Batch) -> None:
    """Answer every part of a batch here, as machines of a cluster would."""
    desk = _Desk(None, run, resolved, None, None)
    desk.queue.extend((batch, part) for part in batch.parts)
    while desk.queue:
        owner, part = desk.queue.popleft()
        if owner.over or part not in owner.parts:
            continue
        part.tries += 1
        result = answer(encode(desk._order(batch, part)))
        assert "error" not in result, result
        if result.get("not_whole"):
            desk.queue.append((batch, batch.make_whole()))
            continue
        part.end_try(result, batch.step(part))
        if not part.over:
            desk.queue.append((batch, part))
        else:
            desk._merge(batch)
