"""What a stopped run left in shards: taken into its journals before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.record import Cell
from ..store.journal import repair
from ..store.manifest import CellFacts, read_doc
from ..store.replies import read_replies
from ..store.rundir import RunDir
from ..store.shards import REPLIES, Shard, answered, remove_folder, shards_in
from .keeping import Journals, Work


def fold(run: RunDir, work: Work) -> int:
    """Append to the journals of some work what shards answer and they lack; return how much it was.

    Whichever engine goes on: what was answered is not asked again.  What a stateful system said is
    dropped, as its cell starts again.  A shard that answers more than is asked now stays for later, and so
    does one with replies that nobody has checked (``unchecked``).
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
    dropped = sum(any(s.read()) or any(read_replies(s.replies)) for s in shards if s.whole)
    journals.count_restarts(cell, dropped)
    sweep(run, work, shards, cell)
    return len(take)


def sweep(
    run: RunDir,
    work: Work,
    shards: Iterable[Shard],
    cell: Cell,
    *,
    elsewhere: frozenset[tuple[str, int]] = frozenset(),
) -> None:
    """Remove the shards that are of no more use; ``elsewhere`` are replies that wait in other files now."""
    seen = repair(run.journal(cell)).seen
    known = seen.union((s.id, a) for s, a in work.asks(cell.split))
    for shard in shards:
        keys = {(line.decided.sample, line.decided.attempt) for line, _ in shard.read()}
        if shard.whole or (keys <= known and _is_checked(shard, seen | elsewhere)):
            shard.remove()


def _is_checked(shard: Shard, seen: frozenset[tuple[str, int]]) -> bool:
    """Whether none of its replies waits for a check."""
    replies = read_replies(shard.replies)
    return all(said.crashed or (said.sample, said.attempt) in seen for said in replies)


def forget_shards(run: RunDir) -> None:
    """Remove every shard: nothing is left to be asked.

    Of a cell with crashes, replies stay that nobody could check: who asks it again only checks them.
    """
    shards = run.work / "shards"
    for folder in shards.glob("*/*/*"):
        facts = run.root / "records" / folder.relative_to(shards).with_suffix(".cell.json")
        crashed = facts.is_file() and read_doc(CellFacts, facts).crashes
        if not crashed or not any(folder.glob(f"*{REPLIES}")):
            remove_folder(folder)
    if not any(path.is_file() for path in shards.rglob("*")):
        remove_folder(shards)
