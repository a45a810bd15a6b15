"""How often a system decides otherwise when it is asked again, per thousand answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.sample import Sample
from ..stats import clusters
from ..store.samples import read_samples
from ..store.timed import read_timing
from .rerun import ask_again, decided_first
from .setups import Setup

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """Replies that were compared with the first ones, and how many were others."""

    task: str
    system: str
    between: str
    """What differed: ``seeds``, ``another process, one at a time``, ``2 threads`` ..."""

    flipped: int
    asked: int
    at_most: float | None
    """One-sided 95 % bound on the share, groups of questions as groups; None where it has none."""

    @property
    def per_1000(self) -> float:
        """Flips per thousand answers."""
        return 1000.0 * self.flipped / self.asked


def count_flips(
    samples: Sequence[Sample],
    first: Mapping[str, str],
    again: Sequence[tuple[str, str]],
    *,
    task: str,
    system: str,
    between: str,
) -> Flips | None:
    """Compare what was decided with what was decided first; None where nothing was asked.

    ``first`` is sample to digest, ``again`` are pairs of both.

    >>> from assay import Sample
    >>> one = [Sample(id=c, input=c) for c in "abc"]
    >>> said = dict.fromkeys("abc", "x")
    >>> found = count_flips(one, said, [("a", "x"), ("b", "y"), ("c", "x")],
    ...                     task="t", system="s", between="seeds")
    >>> found.flipped, found.asked, round(found.per_1000)
    (1, 3, 333)
    """
    group = {sample.id: sample.cluster for sample in samples}
    kept = [(name, said) for name, said in again if name in first and name in group]
    if not kept:
        return None
    flipped = np.array([float(first[name] != said) for name, said in kept])
    groups = np.unique([group[name] for name, _ in kept], return_inverse=True)[1]
    ends = clusters.share(flipped, np.ones(len(kept)), groups=groups).interval(0.90)
    return Flips(
        task=task,
        system=system,
        between=between,
        flipped=int(flipped.sum()),
        asked=len(kept),
        at_most=ends[1] if ends else None,
    )


def flips_of(run: Run, task: str) -> Iterator[Flips]:
    """Yield what the records of a run say of each system: across seeds, and across processes."""
    samples = read_samples(run.dir.samples(task, "test"))
    timed = [
        line
        for path in sorted((run.dir.root / "timing" / task).glob("*.jsonl"))
        for line in read_timing(path)
    ]
    for system, facts in run.manifest.systems.items():
        if facts.control:
            continue
        said = {seed: decided_first(run, task, system, seed) for seed in facts.seeds}
        first = said[facts.seeds[0]]
        others = [pair for seed in facts.seeds[1:] for pair in said[seed].items()]
        again = [(line.sample, line.said) for line in timed if line.system == system]
        for between, pairs in (
            ("another process, one at a time", again),
            (f"{len(facts.seeds)} seeds", others),
        ):
            found = count_flips(samples, first, pairs, task=task, system=system, between=between)
            if found is not None:
                yield found


BATCHES_AND_THREADS = (Setup(), Setup(batch=1), Setup(batch=7), Setup(threads=2))
"""What a decision must not depend on."""


def flips_again(run: Run, count: int) -> list[Flips]:
    """Ask questions again under other batch sizes and thread counts, and count the flips.

    A system that cannot be asked again (its files have changed, it keeps state) is left out.
    """
    found = []
    for again in ask_again(run, count, setups=BATCHES_AND_THREADS):
        first = dict.fromkeys(again.samples, "same")
        said = [(name, "other" if name in again.differ else "same") for name in again.samples]
        flips = count_flips(
            read_samples(run.dir.samples(again.task, "test")),
            first,
            said,
            task=again.task,
            system=again.system,
            between=f"again, {again.setup.says}",
        )
        if flips is not None:
            found.append(flips)
    return found
