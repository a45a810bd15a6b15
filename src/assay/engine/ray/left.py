"""Replies that a lost driver left unchecked: parts of the next one, which asks nobody again."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from ...core.record import Cell
from ...store.replies import ReplyWriter
from ...store.shards import Shard, shards_in
from ..folding import sweep
from ..unchecked import left_in
from .batch import Batch, Part


def adopt(batch: Batch, left: dict[Cell, list[int]]) -> None:
    """Give a batch parts that were asked already, and take their places from what is left to be asked.

    Replies are copied under names of this driver: what somebody thought lost goes on to write under the old
    ones, and is read by nobody.
    """
    for cell, places in left.items():
        folder = batch.run.shards(cell)
        old = shards_in(folder)
        if not old:
            continue
        asks = batch.asks[cell.split]
        at = {(asks[place][0].id, asks[place][1]): place for place in places}
        moved = set()
        for _, found in groupby(left_in(batch.run, cell, at), itemgetter(0)):
            part = Part(f"{batch.prefix}k{len(batch.kept):05}", {cell: []})
            with ReplyWriter(Shard(part.name, part.tried, folder).replies) as writer:
                for _, said in found:
                    key = said.sample, said.attempt
                    writer.write([said])
                    part.places[cell].append(at[key])
                    moved.add(key)
            part.places[cell].sort()
            part.wait_for_check({"built": [], "whole": False, "restarts": 0})
            batch.kept.append(part)
        taken = {at[key] for key in moved}
        left[cell] = [place for place in places if place not in taken]
        sweep(batch.run, batch.work, old, cell, elsewhere=frozenset(moved))
