"""The nearest prompts of each prompt, by cosine, in blocks of bounded memory.

*Covered*: exact search over sparse or dense rows.
*Not covered*: more rows than fit into a matrix; no index is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

BLOCK = 256
DIGITS = 5
APART = -2.0
"""Stands for a cosine that must not count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Near:
    """The nearest rows of each query, closest first; of equals the earlier row."""

    rows: Ids
    """[queries, k]; -1 where there are fewer."""

    cosines: Floats
    """[queries, k]; at most 0 where there is nothing in common."""


def nearest(queries: Any, rows: Any, *, k: int, apart: tuple[Ids, Ids] | None = None) -> Near:
    """Return the ``k`` rows with the highest cosine for each query.

    ``queries`` [m, d] and ``rows`` [n, d] have rows of length 1 (CSR or dense).  ``apart`` gives the
    group of each query and of each row: none of the same group is a neighbour.

    >>> found = nearest(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[[1, 0, 0]], k=2)
    >>> found.rows.tolist()
    [[1, 2], [0, 1]]
    """
    found = [top(block, k) for block in _blocks(queries, rows, apart)]
    if not found:
        return Near(rows=np.zeros((0, k), np.int64), cosines=np.zeros((0, k), np.float32))
    return Near(
        rows=np.concatenate([near.rows for near in found]),
        cosines=np.concatenate([near.cosines for near in found]),
    )


def close_pairs(queries: Any, rows: Any, *, at_least: float) -> Iterator[tuple[Ids, Ids, Floats]]:
    """Yield, block by block, every query and row with a cosine of at least so much.

    >>> [(a.tolist(), b.tolist()) for a, b, _ in close_pairs(np.eye(2), np.eye(2), at_least=0.9)]
    [([0, 1], [0, 1])]
    """
    start = 0
    for cosines in _blocks(queries, rows, None):
        query, row = np.nonzero(cosines >= at_least)
        if len(query):
            yield query + start, row, cosines[query, row]
        start += len(cosines)


def _blocks(queries: Any, rows: Any, apart: tuple[Ids, Ids] | None) -> Iterator[Floats]:
    turned = rows.T.tocsr() if hasattr(rows, "tocsr") else np.asarray(rows).T
    for start in range(0, queries.shape[0], BLOCK):
        product = queries[start : start + BLOCK] @ turned
        dense = product.toarray() if hasattr(product, "toarray") else np.asarray(product)
        cosines = dense.astype(np.float32, copy=False)
        if apart is not None:
            mine, theirs = apart
            cosines[mine[start : start + BLOCK, None] == theirs[None, :]] = APART
        yield cosines


def top(cosines: NDArray[np.floating[Any]], k: int) -> Near:
    """Return the ``k`` highest of each row of cosines [queries, n].

    They are compared in ``DIGITS`` decimals: the order of a sum must not decide who is near.

    >>> top(np.array([[0.1, 0.9, 0.9]]), 2).rows.tolist()
    [[1, 2]]
    """
    m, n = cosines.shape
    shown = np.round(cosines, DIGITS).astype(np.float32)
    if k < n:
        # The k-th highest decides who is in; of equals the earlier rows are.
        edge = np.partition(shown, n - k, axis=1)[:, n - k]
    else:
        edge = np.full(m, APART, dtype=np.float32)
    ids = np.full((m, k), -1, dtype=np.int64)
    kept = np.full((m, k), APART, dtype=np.float32)
    for one in range(m):
        in_reach = np.flatnonzero(shown[one] >= edge[one])
        order = in_reach[np.argsort(-shown[one, in_reach], kind="stable")][:k]
        order = order[shown[one, order] > APART]
        ids[one, : len(order)] = order
        kept[one, : len(order)] = shown[one, order]
    return Near(rows=ids, cosines=kept)


def vote(near: Near, classes: Ids, n_classes: int) -> NDArray[np.float64]:
    """Return the share of the vote of each class: neighbours weigh as their cosine.

    Shape [queries, classes]; a row of zeros where no neighbour has anything in common.

    >>> near = Near(rows=np.array([[0, 1, -1]]), cosines=np.array([[0.5, 0.25, 0]], np.float32))
    >>> vote(near, np.array([1, 0]), 2).round(2).tolist()
    [[0.33, 0.67]]
    """
    weights = np.where(near.rows >= 0, np.maximum(near.cosines, 0.0), 0.0).astype(np.float64)
    votes = np.zeros((len(near.rows), n_classes))
    queries = np.repeat(np.arange(len(near.rows)), near.rows.shape[1])
    np.add.at(votes, (queries, classes[np.maximum(near.rows, 0)].ravel()), weights.ravel())
    total = votes.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = votes / np.where(total > 0, total, 1.0)
    return shares
