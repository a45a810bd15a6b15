"""What a stopped run left in shards: taken into its journals before anything is asked."""

from __future__ import annotations

from ..core.record import Cell
from ..store.journal import repair
from ..store.rundir import RunDir
from ..store.shards import answered, remove_folder, shards_in
from .keeping import Journals, Work


def fold(run: RunDir, work: Work) -> int:
    """Append to the journals of some work what shards answer and they lack; return how much it was.

    Whichever engine goes on: what was answered is not asked again.  What a stateful system said is
    dropped, as its cell starts again.  A shard that answers more than is asked now stays for later.
    """
    taken = 0
    for cell in work.cells():
        folder = run.shards(cell)
        if not folder.is_dir() or run.finished(cell).exists():
            continue
        taken += _fold_cell(run, work, cell)
    return taken


def _fold_cell(run: RunDir, work: Work, cell: Cell) -> int:
    journals = Journals(run, work)
    shards = shards_in(run.shards(cell))
    parts = [shard for shard in shards if not shard.whole]
    found = answered(parts)
    left = [(s.id, a) for s, a in journals.left(cell)]
    take = [key for key in left if key in found and not found[key][0].crashed]
    if take:
        with journals.writer(cell) as writer:
            writer.take(found[key] for key in take)
    dropped = sum(any(shard.read()) for shard in shards if shard.whole)
    journals.count_restarts(cell, dropped)
    known = repair(run.journal(cell)).seen.union((s.id, a) for s, a in work.asks(cell.split))
    for shard in shards:
        keys = {(line.decided.sample, line.decided.attempt) for line, _ in shard.read()}
        if shard.whole or keys <= known:
            shard.remove()
    return len(take)


def forget_shards(run: RunDir) -> None:
    """Remove every shard: nothing is left to be asked."""
    remove_folder(run.work / "shards")
