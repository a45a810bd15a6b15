"""Choose fewer samples fairly: whole groups, stratified by target, in seeded order."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from ..core.reply import Answer
from ..core.sample import Sample
from ..store.canon import canonical

FEW, RARE = 5, b"rare"
"""Targets of fewer groups than this are one stratum, under this name: none is canonical JSON."""


def take(samples: Sequence[Sample], limit: int, *, seed: int) -> list[Sample]:
    """Return at most ``limit`` samples, in their original order.

    Groups are shuffled by a hash of (seed, group), so that a smaller limit takes a subset of a
    larger one, and are then taken stratum by stratum in proportion to the strata's sizes (a
    group's stratum is its first sample's target; targets of few groups, as measured values are, are
    one stratum together, or they would come last).  Whole groups are taken while they fit; the
    last one is cut in seeded order, so that the number asked for is the number asked.

    >>> [s.id for s in take([Sample(id=str(i), input=i) for i in range(9)], 3, seed=0)]
    ['0', '4', '6']
    """
    if limit >= len(samples):
        return list(samples)
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.cluster].append(sample)
    strata: dict[bytes, list[str]] = defaultdict(list)
    for name, members in groups.items():
        strata[_stratum(members[0])].append(name)
    for key in [k for k, names in strata.items() if len(names) < FEW]:
        strata[RARE].extend(strata.pop(key))
    for names in strata.values():
        names.sort(key=lambda name: _shuffle(seed, name))
    size = {key: sum(len(groups[n]) for n in names) for key, names in strata.items()}
    taken = dict.fromkeys(strata, 0)
    chosen: set[str] = set()
    left = limit
    while left > 0:
        # The stratum that is furthest behind its share gives the next group.
        key = min(
            (k for k in strata if strata[k]),
            key=lambda k: ((taken[k] + 1) / size[k], k),
        )
        members = groups[strata[key].pop(0)]
        if len(members) > left:
            members = sorted(members, key=lambda s: _shuffle(seed, s.id))[:left]
        chosen.update(s.id for s in members)
        taken[key] += len(members)
        left -= len(members)
    return [s for s in samples if s.id in chosen]


def _stratum(sample: Sample) -> bytes:
    target = sample.target
    return canonical(target.value) if isinstance(target, Answer) else b"-"


def _shuffle(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()
