"""From rows to networks that are done: tries, checkpoints, and the choice on tune rows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .device import repeatable
from .kept import (
    Network,
    contract_of,
    drop_state,
    read_network,
    read_state,
    write_network,
    write_state,
)
from .together import Lesson, Member, Stack
from .training_log import LOG, write_training_log
from .tries import choices, factors

CHECKPOINT_S = 10.0
"""A stack is written down after the first epoch that ends so long after the last time."""

DECAYS = (0.0, 1e-4, 1e-3, 1e-2)
"""What is tuned beside the rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How much tuning a system gets: the same for all that declare the same."""

    rate: float
    decay: float
    tries: int
    """Configurations; the first is the one declared."""

    def members(self, seed: int) -> list[Member]:
        """Return what is tried under a seed: every seed and every head tries the same.

        >>> [round(m.rate, 5) for m in Search(rate=2e-3, decay=0.0, tries=3).members(0)]
        [0.002, 0.001, 0.004]
        """
        tried = [
            (self.rate * factor, DECAYS[choice])
            for factor, choice in zip(
                factors(self.tries), choices(self.tries, len(DECAYS)), strict=True
            )
        ]
        return [
            Member(seed=seed, rate=rate, decay=decay)
            for rate, decay in [(self.rate, self.decay), *tried]
        ]


def teach(
    lesson: Lesson,
    search: Search,
    folders: Mapping[int, Path],
    *,
    workdir: Path,
    starts: Mapping[int, Any] | None = None,
) -> dict[int, Network]:
    """Return one network per seed, the best of its tries on tune rows.

    ``folders`` says where each seed's network is kept; one that is there is not taught again.
    Beside it is the log of its epochs.  ``workdir`` holds the stack while it learns.  ``starts`` gives
    weights to begin with, by seed.
    """
    more = {"starts": {str(s): _digest(w) for s, w in (starts or {}).items()}}
    contracts = {
        seed: contract_of(lesson, search.members(seed), _only(more, seed)) for seed in folders
    }
    found = {seed: read_network(folders[seed], contracts[seed]) for seed in folders}
    left = [seed for seed, network in found.items() if network is None]
    done = {seed: network for seed, network in found.items() if network is not None}
    if left:
        for seed, network in _taught(lesson, search, left, workdir, starts).items():
            write_network(folders[seed], network, contracts[seed])
            done[seed] = network
        # Not before: who is killed between would have neither the stack nor its networks.
        drop_state(workdir)
    for seed, folder in folders.items():
        if not (folder / LOG).is_file() or seed in left:
            head = type(lesson.head).__name__
            write_training_log(folder, done[seed], head=head, seed=seed)
    return {seed: done[seed] for seed in folders}


def _taught(
    lesson: Lesson,
    search: Search,
    seeds: Sequence[int],
    workdir: Path,
    starts: Mapping[int, Any] | None,
) -> dict[int, Network]:
    members = [member for seed in seeds for member in search.members(seed)]
    more = {"starts": {str(s): _digest(w) for s, w in (starts or {}).items() if s in seeds}}
    contract = contract_of(lesson, members, more)
    state = read_state(workdir, contract)
    resumed = 0 if state is None else state.epoch
    with repeatable(lesson.device):
        stack = Stack(lesson, members, state)
        if state is None and starts is not None:
            stack.begin_from(np.stack([starts[m.seed] for m in members]))
        last = time.perf_counter()
        while not stack.done:
            cpu = time.process_time()
            stack.epoch()
            stack.state.cpu_s += time.process_time() - cpu
            if time.perf_counter() - last > CHECKPOINT_S and not stack.done:
                write_state(workdir, stack.state, contract)
                last = time.perf_counter()
    seconds = round(stack.state.cpu_s / len(seeds), 6)
    found = {}
    for place, seed in enumerate(seeds):
        mine = slice(place * search.tries, (place + 1) * search.tries)
        best = mine.start + int(np.argmin(stack.state.best_score[mine]))
        found[seed] = Network(
            weights=stack.state.best[best],
            facts={
                "score": float(stack.state.best_score[best]),
                "epoch": int(stack.state.best_epoch[best]),
                "rate": members[best].rate,
                "decay": members[best].decay,
                "log": [
                    {
                        "epoch": line["epoch"],
                        "loss": line["loss"][best],
                        "score": line["score"][best],
                    }
                    for line in stack.state.log
                ],
            },
            spent={"cpu_s": seconds, "together": len(members), "resumed_at": resumed},
        )
    return found


def _only(more: Mapping[str, Mapping[str, str]], seed: int) -> dict[str, Any]:
    return {"starts": {s: d for s, d in more["starts"].items() if s == str(seed)}}


def _digest(weights: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(weights).tobytes()).hexdigest()
