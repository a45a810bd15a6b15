"""Which texts are nearly the same, found without comparing all with all.

Two texts are alike when the Jaccard index of their sets of character trigrams reaches a threshold.
The search is exact.  It uses prefix filtering (Chaudhuri, Ganti, Kaushik 2006; Bayardo, Ma,
Srikant 2007): with the trigrams of each text sorted from rare to common, two texts that are alike
share one among their first few, so only texts that meet in a short list are ever compared.

*Covered*: copies, changed numbers, typos, a word more or less.
*Not covered*: paraphrases in other words, translations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import DataError

Indices = NDArray[np.int64]

MOST_COMPARISONS = 1_000_000_000
"""Candidate pairs after which the search gives up with an error: about a minute."""

_CHUNK = 20_000
_WORDS = 8
_BITS = 64 * _WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Grams:
    """The trigram sets of texts, one after the other; small numbers are rare trigrams."""

    ids: NDArray[np.uint32]
    starts: Indices
    """One more than there are texts."""

    bits: NDArray[np.uint64]
    """Each set once more, folded into 512 bits."""

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.starts) - 1

    @property
    def sizes(self) -> Indices:
        """Trigrams per text."""
        return np.diff(self.starts)

    def of(self, text: int) -> NDArray[np.uint32]:
        """Return the sorted trigrams of one text."""
        return self.ids[self.starts[text] : self.starts[text + 1]]


def grams(texts: Sequence[str]) -> Grams:
    """Return the trigram sets of texts.  A text is read with one space on either side."""
    chunks = [texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK)]
    known = np.zeros(0, dtype=np.uint64)
    for chunk in chunks:
        known = np.union1d(known, _codes(chunk)[0])
    counts = np.zeros(len(known), dtype=np.int64)
    unranked: list[NDArray[np.uint32]] = []
    sizes: list[Indices] = [np.zeros(1, dtype=np.int64)]
    for chunk in chunks:
        codes, owners = _codes(chunk)
        owners, ids = _distinct(owners, np.searchsorted(known, codes), len(known))
        counts += np.bincount(ids, minlength=len(known))
        unranked.append(ids.astype(np.uint32))
        sizes.append(np.bincount(owners, minlength=len(chunk)))
    rank = np.empty(len(known), dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(known))
    ranked = [np.zeros(0, dtype=np.uint32)]
    bits = [np.zeros((0, _WORDS), dtype=np.uint64)]
    for ids32, size in zip(unranked, sizes[1:], strict=True):
        owners, ids = _distinct(np.repeat(np.arange(len(size)), size), rank[ids32], len(known))
        ranked.append(ids.astype(np.uint32))
        bits.append(_fold(ids, owners, len(size)))
    starts = np.cumsum(np.concatenate(sizes))
    return Grams(ids=np.concatenate(ranked), starts=starts, bits=np.concatenate(bits))


def _distinct(owners: Indices, ids: Indices, limit: int) -> tuple[Indices, Indices]:
    """Return each pair once, sorted by owner and then by id; ids are below ``limit``."""
    pairs = np.unique(owners * limit + ids)
    return pairs // max(limit, 1), pairs % max(limit, 1)


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint64], Indices]:
    """Return a code for every trigram, and whose it is.  21 bits a character: no two collide."""
    padded = [f" {text} " for text in texts]
    flat = "".join(padded).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(flat, dtype="<u4").astype(np.uint64)
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    whole = owners[2:] == owners[:-2]
    codes = points[:-2] | points[1:-1] << np.uint64(21) | points[2:] << np.uint64(42)
    return codes[whole], owners[:-2][whole]


def _fold(ids: Indices, owners: Indices, texts: int) -> NDArray[np.uint64]:
    bits = np.zeros(texts * _WORDS, dtype=np.uint64)
    place = ids % _BITS
    np.bitwise_or.at(
        bits, owners * _WORDS + place // 64, np.uint64(1) << (place % 64).astype(np.uint64)
    )
    return bits.reshape(texts, _WORDS)


def candidates(sets: Grams, *, alike: float, labels: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield batches of pairs that may be alike; every pair that is alike comes up.

    Pairs with the same label are left out.  The caller may join labels between batches (never
    split them), and what has become the same is not compared any more.

    Raises ``DataError`` after ``MOST_COMPARISONS`` pairs.
    """
    lists = _lists(sets, alike)
    sizes = sets.sizes[lists.texts]
    at = np.arange(len(lists.texts))
    step, done = 1, 0
    while True:
        at = at[at + step < lists.ends[at]]
        at = at[alike * sizes[at + step] <= sizes[at] + 1e-9]
        if step & (step - 1) == 0 and len(at):
            at = at[_mixed(labels[lists.texts], lists.heads)[at]]
        if not len(at):
            return
        done += len(at)
        if done > MOST_COMPARISONS:
            raise DataError(
                f"{len(sets)} texts are too many, or too much alike, to look for near-duplicates",
                hint="take a random sample of them",
            )
        both = sizes[at] + sizes[at + step]
        # The first shared trigram of two texts leaves room for all the others.
        room = np.minimum(lists.left[at], lists.left[at + step])
        near = at[room >= alike / (1 + alike) * both - 1e-9]
        left, right = lists.texts[near], lists.texts[near + step]
        keep = labels[left] != labels[right]
        left, right = left[keep], right[keep]
        allowed = (1 - alike) / (1 + alike) * (sets.sizes[left] + sets.sizes[right])
        apart = np.bitwise_count(sets.bits[left] ^ sets.bits[right]).sum(axis=1)
        keep = apart <= allowed + 1e-9
        if keep.any():
            yield left[keep], right[keep]
        step += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """For every trigram that is among the first of some text: these texts, short ones first."""

    texts: Indices
    heads: Indices
    """Where the list of each entry begins."""

    ends: Indices
    left: Indices
    """How many trigrams of the text are not more frequent than this one."""


def _lists(sets: Grams, alike: float) -> _Lists:
    sizes = sets.sizes
    lengths = np.where(sizes > 0, sizes - np.ceil(alike * sizes - 1e-9).astype(np.int64) + 1, 0)
    owners = np.repeat(np.arange(len(sets)), lengths)
    offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    keys = sets.ids[sets.starts[owners] + offsets]
    sort = np.lexsort((owners, sizes[owners], keys))
    keys, texts = keys[sort], owners[sort]
    return _Lists(
        texts=texts,
        heads=np.searchsorted(keys, keys, side="left"),
        ends=np.searchsorted(keys, keys, side="right"),
        left=(sizes[owners] - offsets)[sort],
    )


def _mixed(labels: Indices, heads: Indices) -> NDArray[np.bool_]:
    """Say for each entry whether its list still has two labels."""
    first = np.flatnonzero(heads == np.arange(len(heads)))
    low = np.minimum.reduceat(labels, first)
    high = np.maximum.reduceat(labels, first)
    mixed: NDArray[np.bool_] = (low != high)[np.searchsorted(first, heads)]
    return mixed


def jaccard(sets: Grams, left: int, right: int) -> float:
    """Return the share of trigrams that two texts have in common."""
    a, b = sets.of(left), sets.of(right)
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


def clusters(texts: Sequence[str], *, alike: float) -> list[int]:
    """Return for each text the first text of its cluster: the connected components of alikeness.

    >>> clusters(["pay my rent", "buy some bread", "pay my rent!"], alike=0.7)
    [0, 1, 0]
    """
    sets = grams(texts)
    labels = np.arange(len(texts))
    for left, right in candidates(sets, alike=alike, labels=labels):
        joined = False
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            one, other = _root(labels, a), _root(labels, b)
            if one != other and jaccard(sets, a, b) >= alike:
                labels[max(one, other)] = min(one, other)
                joined = True
        while joined and not np.array_equal(labels, labels[labels]):
            labels[:] = labels[labels]
    found: list[int] = labels.tolist()
    return found


def _root(labels: Indices, text: int) -> int:
    while (above := int(labels[text])) != text:
        text = above
    return text
