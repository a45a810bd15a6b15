"""Twins that only an encoder finds: the same thing in other words, in another part of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .leakage import Leaks, Twin
from .neighbours import close_pairs


def with_meaning(
    found: Leaks,
    where: Sequence[str],
    places: Sequence[int],
    vectors: NDArray[np.float32],
    *,
    close: float,
) -> Leaks:
    """Return leaks with the twins added that are neighbours of each other.

    ``where`` has the split of every sample; ``vectors``, of length 1 and shape
    [places, dimensions], are of the samples at ``places``; ``close`` is the cosine from which two
    are twins.  A twin of another kind stays.

    >>> into = with_meaning(Leaks(sizes={"train": 1, "test": 1}, twins={}), ["train", "test"],
    ...                     [0, 1], np.array([[1, 0], [1, 0]], dtype=np.float32), close=0.9)
    >>> into.of("test", ["train"])
    {1: Twin(kind='meaning', here=1, there=0, share=1.0)}
    """
    twins = {pair: dict(of) for pair, of in found.twins.items()}
    parts = {s: np.array([n for n, p in enumerate(places) if where[p] == s]) for s in set(where)}
    for split, mine in parts.items():
        for other, theirs in parts.items():
            if split == other:
                continue
            into = twins.setdefault((split, other), {})
            for left, right, cosines in close_pairs(vectors[mine], vectors[theirs], at_least=close):
                for a, b, cosine in zip(
                    mine[left].tolist(), theirs[right].tolist(), cosines.tolist(), strict=True
                ):
                    here, there = places[a], places[b]
                    twin = Twin(kind="meaning", here=here, there=there, share=cosine)
                    into.setdefault(here, twin)
    return Leaks(sizes=found.sizes, twins=twins)
