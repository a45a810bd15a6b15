"""Replies that nobody has checked: kept where they came, checked by somebody else, who asks nothing again."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from ..core.errors import SealError
from ..core.record import Cell
from ..core.reply import Crash, Reply
from ..core.sample import Sample
from ..store.journal import DAMAGED
from ..store.replies import ReplyWriter, Said, read_replies
from ..store.rundir import RunDir
from ..store.shards import shards_in
from .cells import FLUSH_REPLIES
from .committing import Taker, committing
from .folding import fold
from .judging import Pile
from .keeping import Journals, Keeper, Work
from .wire import Heard, pack_reply, unpack_reply

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Heard).decode


def said_of(reply: Reply) -> Said:
    """Return what a file keeps of a reply."""
    packed = msgspec.Raw(_encode(pack_reply(reply, reply.usage)))
    return Said(reply.question, reply.attempt, isinstance(reply.said, Crash), packed)


def reply_of(said: Said) -> Reply:
    """Return the reply that ``said_of`` packed; raise ``SealError`` A304 for what is none."""
    try:
        return unpack_reply(_decode(said.reply))
    except DAMAGED as error:
        raise SealError(
            f"what was kept as a reply to {said.sample!r} until it is checked is none: {error}",
            hint="delete the folder cache/shards of the run and say the command again: its questions are asked again",
            code="A304",
        ) from None


@contextmanager
def keeping(path: Path) -> Iterator[Taker]:
    """Hold what appends replies to a file, for somebody else to check."""
    with ReplyWriter(path) as writer:
        yield _Keeping(writer)


@dataclass(frozen=True, slots=True)
class _Keeping:
    """Keeps replies as they came."""

    writer: ReplyWriter

    async def take(self, pile: Pile) -> None:
        """Append some replies; their samples are known by name."""
        self.writer.write(said_of(reply) for _, reply in pile)


async def check(
    work: Work, keeper: Keeper, cell: Cell, replies: Iterable[tuple[Sample, Reply]]
) -> None:
    """Check replies to a cell in batches, and commit what they came to."""
    with committing(work, keeper, cell) as taker:
        rest = iter(replies)
        while pile := list(islice(rest, FLUSH_REPLIES)):
            await taker.take(pile)


def left_in(
    run: RunDir, cell: Cell, wanted: Container[tuple[str, int]]
) -> Iterator[tuple[str, Said]]:
    """Yield each wanted reply that a stopped run left unchecked once, with the name of its part.

    Those of a stateful system are passed over, as its cell starts again, and so are crashes.
    """
    seen = set()
    for shard in shards_in(run.shards(cell)):
        for said in () if shard.whole else read_replies(shard.replies):
            key = said.sample, said.attempt
            if not said.crashed and key in wanted and key not in seen:
                seen.add(key)
                yield shard.part, said


async def check_left(run: RunDir, work: Work) -> None:
    """Check what a stopped run left unchecked of some work, into its journals."""
    journals = Journals(run, work)
    for cell in work.cells():
        if journals.done(cell) or not run.shards(cell).is_dir():
            continue
        left = {(s.id, a): s for s, a in journals.left(cell)}
        found = left_in(run, cell, left)
        replies = ((left[said.sample, said.attempt], reply_of(said)) for _, said in found)
        await check(work, journals, cell, replies)
    fold(run, work)  # removes what is now in the journals
