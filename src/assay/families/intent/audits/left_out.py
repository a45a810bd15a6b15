"""Leave one template out: what a head says about a way of asking that it has never seen.

A data set made from few templates is learned by heart from any random half of it.  Here a head is
trained on all other templates (or any other groups) and asked about the one that was left out:
how often it is right, and how often it is sure and wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import DataError, Estimate
from assay.estimates import share

from ..extras import extra
from .trivial import folds_of

MOST_FITS = 60
"""With more groups than that, groups share folds, and each is asked with its fold left out."""

FOLDS = 10
SURE = 0.5
"""Confidence from which a wrong answer is called confidently wrong."""

LENGTHS = (1, 3)
STRENGTH = {"tfidf": 30.0, "encoder": 8.0}

Rows: TypeAlias = NDArray[np.int64]
Features: TypeAlias = "Callable[[Rows, Rows], tuple[Any, Any]]"
"""(rows to learn from, rows that are asked) to their features; it may learn from the first only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One group, answered by a head that has never seen it."""

    group: str
    label: str
    """Its most frequent one."""

    example: str
    n: int
    right: int
    sure_and_wrong: int
    only: bool
    """Whether no other group has its label: nobody could be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOut:
    """Every group, left out in turn."""

    head: str
    groups: tuple[LeftOut, ...]
    """Worst first."""

    accuracy: Estimate
    sure_and_wrong: Estimate
    by_row: Estimate
    """Accuracy of the same head on rows drawn one by one: what memory of templates is worth."""

    fits: int
    """As many heads as groups, or fewer where groups share folds."""

    sure: float = SURE


def leave_out(
    texts: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    vectors: NDArray[np.float32] | None = None,
    seed: int = 0,
) -> LeaveOut:
    """Train on all groups but one, ask about that one, for each group in turn.

    The head is a multinomial logistic regression with equal weight for each class, over TF-IDF of
    character n-grams (of the training rows only), or over ``vectors`` [n, d] where they are given.
    Up to 60 groups each have a head of their own; beyond, groups share ten folds.  Intervals
    resample groups.

    Raises ``DataError`` A200 for fewer than two groups or labels; ``PluginError`` A401 without the
    extra.

    >>> verbs = {"pay it": "pay", "sing it": "sing", "pay up": "pay", "sing out": "sing"}
    >>> rows = [(f"{verb} {n}", label, verb) for verb, label in verbs.items() for n in "123"]
    >>> found = leave_out(*zip(*rows))
    >>> found.fits, found.accuracy.n, found.by_row.value
    (4, 12, 1.0)
    """
    if len(set(groups)) < 2 or len(set(labels)) < 2:
        raise DataError(
            f"{len(set(groups))} groups and {len(set(labels))} labels: nothing can be left out",
            hint="name the column of templates with --group",
        )
    names = sorted(set(labels))
    classes = np.array([names.index(label) for label in labels], dtype=np.int64)
    features = _counted(texts) if vectors is None else _given(vectors)
    head = "tfidf" if vectors is None else "encoder"
    n_groups = len(set(groups))
    fits = n_groups if n_groups <= MOST_FITS else FOLDS
    order = list(dict.fromkeys(groups))
    folds = (
        np.array([order.index(group) for group in groups], dtype=np.int64)
        if n_groups <= MOST_FITS
        else folds_of(groups, count=FOLDS, seed=seed)
    )
    said, sure = _cross(features, classes, folds, strength=STRENGTH[head])
    mixed = folds_of([str(n) for n in range(len(texts))], count=FOLDS, seed=seed)
    by_row, _ = _cross(features, classes, mixed, strength=STRENGTH[head])
    right = said == classes
    wrong = ~right & (sure >= SURE)
    return LeaveOut(
        head=head,
        groups=_rows(texts, labels, groups, right, wrong),
        accuracy=share("accuracy", right, groups=list(groups)),
        sure_and_wrong=share("confidently_wrong", wrong, groups=list(groups)),
        by_row=share("accuracy", by_row == classes, groups=list(groups)),
        fits=fits,
    )


def _cross(
    features: Features, classes: Rows, folds: Rows, *, strength: float
) -> tuple[Rows, NDArray[np.float64]]:
    """Return what a head says of each row that has not seen its fold, and how sure it is."""
    said = np.full(len(classes), -1, dtype=np.int64)
    sure = np.zeros(len(classes))
    for fold in np.unique(folds).tolist():
        asked, seen = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        learned = np.unique(classes[seen])
        if len(learned) < 2:
            said[asked] = learned[0] if len(learned) else -1
            sure[asked] = 1.0
            continue
        known, new = features(seen, asked)
        model = extra("sklearn.linear_model").LogisticRegression(
            C=strength, class_weight="balanced", max_iter=1000, tol=1e-3
        )
        with extra("threadpoolctl").threadpool_limits(limits=1):
            shares = model.fit(known, classes[seen]).predict_proba(new)
        said[asked] = model.classes_[shares.argmax(axis=1)]
        sure[asked] = shares.max(axis=1)
    return said, sure


def _counted(texts: Sequence[str]) -> Features:
    """Return TF-IDF features: counted once, weighted anew for what each head may see."""
    counts = (
        extra("sklearn.feature_extraction.text")
        .CountVectorizer(analyzer="char_wb", ngram_range=LENGTHS)
        .fit_transform(texts)
        .tocsr()
        .astype(np.float64)
    )
    sparse = extra("scipy.sparse")

    def features(seen: Rows, asked: Rows) -> tuple[Any, Any]:
        found = np.asarray((counts[seen] > 0).sum(axis=0)).ravel()
        # What no training row has is unknown, and weighs nothing.
        idf = np.where(found > 0, np.log((1 + len(seen)) / (1 + found)) + 1, 0.0)

        def weighted(rows: Rows) -> Any:
            made = counts[rows] @ sparse.diags(idf)
            length = np.sqrt(np.asarray(made.multiply(made).sum(axis=1)).ravel())
            return sparse.diags(1 / np.where(length > 0, length, 1.0)) @ made

        return weighted(seen), weighted(asked)

    return features


def _given(vectors: NDArray[np.float32]) -> Features:
    rows = vectors.astype(np.float64)
    return lambda seen, asked: (rows[seen], rows[asked])


def _rows(
    texts: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str],
    right: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
) -> tuple[LeftOut, ...]:
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    homes: dict[str, set[str]] = {}
    for label, group in zip(labels, groups, strict=True):
        homes.setdefault(label, set()).add(group)
    found = []
    for group, rows in places.items():
        counts = Counter(labels[row] for row in rows)
        label = min(counts, key=lambda one: (-counts[one], one))
        found.append(
            LeftOut(
                group=group,
                label=label,
                example=texts[rows[0]],
                n=len(rows),
                right=int(right[rows].sum()),
                sure_and_wrong=int(wrong[rows].sum()),
                only=homes[label] == {group},
            )
        )
    found.sort(key=lambda one: (one.right / one.n, -one.sure_and_wrong / one.n, -one.n, one.group))
    return tuple(found)
