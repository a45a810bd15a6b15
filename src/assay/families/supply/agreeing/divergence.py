"""How far the logits of two models are from each other, position by position.

Everything is computed in float64 from float32 logits, some rows at a time: memory stays below 256 MB
whatever the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from assay import DataError

Array: TypeAlias = Any
WORST = 100.0
"""Nats that a position counts at most, and what one counts that cannot be compared.

e^-100 is no probability that anybody will ever see; with a bound, means and maxima stay numbers."""

_CELLS = 4_000_000
"""Numbers that are held in float64 at a time, a few times over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was found at each of some positions; every array has one entry per position."""

    kl: Array
    """KL(source || candidate) in nats over the whole vocabulary, from 0 to ``WORST``."""

    top1: Array
    """1.0 where both find the same token the most probable, else 0.0."""

    topk: Array
    """Share of the k most probable tokens that both have."""

    cosine: Array
    """Cosine of the logits, each less its mean over the vocabulary."""

    source_nll: Array
    """-log p of the token that follows in the text, by the source; NaN where nothing follows."""

    candidate_nll: Array
    """The same by the candidate, at most ``WORST``."""

    finite: Array
    """False where a logit of the candidate is NaN or infinite: the other numbers are the worst there."""


def compare_logits(source: Array, candidate: Array, following: Array, *, k: int = 10) -> Compared:
    """Compare logits of two models, both of shape [positions, vocabulary].

    ``following`` has the token that follows each position in the text, -1 where none does.

    Raises ``DataError`` A202 when the shapes differ, when there is no position, or when a logit of the
    source is no finite number.

    >>> same = compare_logits([[0.0, 1.0, 3.0]], [[5.0, 6.0, 8.0]], [2], k=2)
    >>> same.kl.round(9).tolist(), same.top1.tolist(), same.topk.tolist()
    ([0.0], [1.0], [1.0])
    >>> other = compare_logits([[0.0, 1.0, 3.0]], [[3.0, 1.0, 0.0]], [2], k=1)
    >>> other.kl.round(3).tolist(), other.top1.tolist(), other.source_nll.round(3).tolist()
    ([2.405], [0.0], [0.17])

    *Not to be trusted when* many logits of the source are equal: which of them are on top is then
    decided by their place in the vocabulary.
    """
    source, candidate = _rows(source), _rows(candidate)
    following = np.asarray(following, dtype=np.int64)
    if source.shape != candidate.shape or following.shape != source.shape[:1]:
        raise DataError(
            f"logits of shape {source.shape} and {candidate.shape} for {following.shape} tokens",
            hint="both models need the same tokens and the same vocabulary",
            code="A202",
        )
    if not source.size or not np.isfinite(source).all():
        raise DataError(
            "the source has no logits, or one that is NaN or infinite",
            hint="there is nothing to compare with: take another source",
            code="A202",
        )
    k = min(k, source.shape[1])
    parts = [
        _compare(source[rows], candidate[rows], following[rows], k) for rows in _slices(source)
    ]
    return Compared(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def log_softmax(logits: Array) -> Array:
    """Return log-probabilities of logits, row by row, in float64.

    >>> log_softmax(np.array([[0.0, 0.0]])).round(6).tolist()
    [[-0.693147, -0.693147]]
    """
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = shifted - shifted.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _compare(source: Array, candidate: Array, following: Array, k: int) -> dict[str, Array]:
    finite = np.isfinite(candidate).all(axis=1)
    whole = np.where(finite[:, None], candidate, np.float32(0.0))
    p, q = log_softmax(source), log_softmax(whole)
    kl = np.clip((np.exp(p) * (p - q)).sum(axis=1), 0.0, WORST)
    rows = np.flatnonzero(following >= 0)
    source_nll, candidate_nll = np.full(len(p), np.nan), np.full(len(p), np.nan)
    source_nll[rows] = np.minimum(-p[rows, following[rows]], WORST)
    candidate_nll[rows] = np.minimum(-q[rows, following[rows]], WORST)
    candidate_nll[rows] = np.where(finite[rows], candidate_nll[rows], WORST)
    return {
        "kl": np.where(finite, kl, WORST),
        "top1": (source.argmax(axis=1) == whole.argmax(axis=1)) * finite * 1.0,
        "topk": _shared(source, whole, k) * finite,
        "cosine": np.where(finite, _cosine(source, whole), -1.0),
        "source_nll": source_nll,
        "candidate_nll": candidate_nll,
        "finite": finite,
    }


def _shared(source: Array, candidate: Array, k: int) -> Array:
    """Return the share of each source's k largest that are among the candidate's k largest."""
    width = source.shape[1]
    first = np.argpartition(source, width - k, axis=1)[:, width - k :]
    second = np.argpartition(candidate, width - k, axis=1)[:, width - k :]
    chosen = np.zeros(source.shape, dtype=bool)
    np.put_along_axis(chosen, second, values=True, axis=1)
    return np.take_along_axis(chosen, first, axis=1).mean(axis=1)


def _cosine(source: Array, candidate: Array) -> Array:
    """Return the cosine of centred rows; 0 where one of them is constant."""
    a = source.astype(np.float64)
    b = candidate.astype(np.float64)
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    product = (a * b).sum(axis=1)
    return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)


def _rows(logits: Array) -> Array:
    rows = np.asarray(logits, dtype=np.float32)
    return rows if rows.ndim == 2 else rows.reshape(len(rows), -1)


def _slices(rows: Array) -> Iterator[slice]:
    step = max(1, _CELLS // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)
