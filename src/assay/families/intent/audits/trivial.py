"""How far methods that understand nothing get on a data set: what it takes to be impressed.

Every method is cross-validated by group: what it is asked about shares no group with what it has
seen.  Beside that stands what it would look like on rows drawn one by one, as most published
splits are: the difference is memory.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Estimate, Question
from assay.estimates import share

from ..draws import Draws
from ..extras import extra
from ..likeness.neighbours import Ids, nearest, vote
from ..recipes.first_word import first_word
from ..recipes.keywords import Keywords, defi_patterns

FOLDS = 5
SMALL = 1.2
"""Rows per group from which drawing rows one by one is told apart from drawing groups."""

_WORDS = r"(?u)\w+|[^\w\s]"
ROUNDS = 60
"""Passes over the rows that a linear machine may take; separable classes take fewer."""

K = 5
"""Neighbours that vote."""

Answers: TypeAlias = "Callable[[Ids, Ids], Ids]"
"""(rows to learn from, rows that are asked) to a class for each asked row, -1 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One method on one data set."""

    name: str
    by_group: Estimate
    """Accuracy where nothing asked shares a group with anything seen."""

    by_row: Estimate | None = None
    """Accuracy on rows drawn one by one; None where nearly every row is a group of its own."""

    own: Estimate | None = None
    """Accuracy on the data set's own test, after its own train; None where it has none."""

    own_twins: Estimate | None = None
    """The same, on test prompts that have a twin in training."""

    own_others: Estimate | None = None
    """The same, on the others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """Prompts as numbers, made once for all methods."""

    texts: tuple[str, ...]
    classes: Ids
    names: tuple[str, ...]
    """The label of each class; empty is the label for no answer."""

    words: Any
    """TF-IDF of words and pairs of words, CSR [n, vocabulary], rows of length 1."""

    vectors: NDArray[np.float32] | None = None
    """Embeddings [n, d], rows of length 1."""

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.names)


def lay_out(
    texts: Sequence[str], labels: Sequence[str], vectors: NDArray[np.float32] | None = None
) -> Bench:
    """Count the words of prompts and number their labels.  ``PluginError`` A401 without the extra.

    Inverse document frequencies are those of all prompts: no label is in them.
    """
    names = {label: number for number, label in enumerate(sorted(set(labels)))}
    counted = extra("sklearn.feature_extraction.text").TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=_WORDS, dtype=np.float32
    )
    return Bench(
        texts=tuple(texts),
        classes=np.array([names[label] for label in labels], dtype=np.int64),
        names=tuple(names),
        words=counted.fit_transform(texts),
        vectors=vectors,
    )


def majority(bench: Bench) -> Answers:
    """Return the method that always says the most frequent class."""

    def answer(seen: Ids, asked: Ids) -> Ids:
        counts = np.bincount(bench.classes[seen], minlength=bench.n_classes)
        return np.full(len(asked), counts.argmax(), dtype=np.int64)

    return answer


def by_first_word(bench: Bench) -> Answers:
    """Return the method that says the class that most often goes with the first word."""
    words = [first_word(text) or "" for text in bench.texts]

    def answer(seen: Ids, asked: Ids) -> Ids:
        counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for row in seen.tolist():
            counts[words[row]][int(bench.classes[row])] += 1
        best = {w: min(c, key=lambda k: (-c[k], k)) for w, c in counts.items()}
        return np.array([best.get(words[row], -1) for row in asked.tolist()], dtype=np.int64)

    return answer


def by_keywords(bench: Bench) -> Answers | None:
    """Return the method that knows the keywords of the DeFi actions; None for other labels.

    It learns nothing: its patterns were written from the vocabulary, not from any data.
    """
    patterns = defi_patterns()
    if len(set(patterns) & set(bench.names)) < 2:
        return None
    matcher = Keywords().build([], [], seed=0, workdir=Path()).system
    questions = [Question(id=str(row), input=text) for row, text in enumerate(bench.texts)]
    known = {name: number for number, name in enumerate(bench.names)}
    said = np.full(len(questions), known.get("", -1), dtype=np.int64)
    for reply in matcher.answer(questions):
        if isinstance(reply.said, Answer):
            said[int(reply.question)] = known.get(str(reply.said.value), -1)

    def answer(seen: Ids, asked: Ids) -> Ids:  # noqa: ARG001  (it learns nothing)
        chosen: Ids = said[asked]
        return chosen

    return answer


def by_words(bench: Bench) -> Answers:
    """Return the method that separates classes by a linear combination of words (a linear SVM)."""
    machine = extra("sklearn.svm").LinearSVC

    def answer(seen: Ids, asked: Ids) -> Ids:
        if len(set(bench.classes[seen].tolist())) < 2:
            return majority(bench)(seen, asked)
        model = machine(C=1.0, tol=1e-2, max_iter=ROUNDS, random_state=0)
        with extra("threadpoolctl").threadpool_limits(limits=1), warnings.catch_warnings():
            # Where labels are noise it does not converge, and has nothing to learn.
            warnings.simplefilter("ignore", extra("sklearn.exceptions").ConvergenceWarning)
            model.fit(bench.words[seen], bench.classes[seen])
            said: Ids = model.predict(bench.words[asked]).astype(np.int64)
        return said

    return answer


def by_neighbours(rows: Any, bench: Bench) -> Answers:
    """Return the method that lets the nearest prompts vote, weighted by cosine."""

    def answer(seen: Ids, asked: Ids) -> Ids:
        votes = vote(nearest(rows[asked], rows[seen], k=K), bench.classes[seen], bench.n_classes)
        said: Ids = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
        return said

    return answer


def methods(bench: Bench) -> dict[str, Answers]:
    """Return every method by name, the simplest first."""
    found = {
        "majority": majority(bench),
        "first word": by_first_word(bench),
        **({"keywords": known} if (known := by_keywords(bench)) else {}),
        "words, linear": by_words(bench),
        "words, nearest five": by_neighbours(bench.words, bench),
    }
    if bench.vectors is not None:
        found["encoder, nearest five"] = by_neighbours(bench.vectors, bench)
    return found


def cross_validate(answer: Answers, classes: Ids, folds: Ids, *, count: int) -> NDArray[np.bool_]:
    """Return for each row whether it was answered rightly by what saw none of its fold."""
    right = np.zeros(len(classes), dtype=np.bool_)
    for fold in range(count):
        asked, seen = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(asked) and len(seen):
            right[asked] = answer(seen, asked) == classes[asked]
    return right


def folds_of(groups: Sequence[str], *, count: int, seed: int) -> Ids:
    """Put whole groups into folds of about equal size, at random; the largest groups go first.

    >>> folds = folds_of(["a", "a", "b", "c"], count=2, seed=0)
    >>> bool(folds[0] == folds[1]), sorted(set(folds.tolist()))
    (True, [0, 1])
    """
    sizes = Counter(groups)
    drawn = Draws(seed, 1).shuffled(sorted(sizes))
    load = [0] * count
    fold_of: dict[str, int] = {}
    for group in sorted(drawn, key=lambda g: -sizes[g]):
        fold_of[group] = fold = load.index(min(load))
        load[fold] += sizes[group]
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def try_all(
    bench: Bench,
    groups: Sequence[str],
    *,
    seed: int = 0,
    parts: tuple[Ids, Ids] | None = None,
    twins: frozenset[int] = frozenset(),
) -> list[Tried]:
    """Return the accuracy of every method, with intervals over groups.

    ``parts`` are the rows of the data set's own train and test, ``twins`` those of test that have a
    twin in training.  Accuracy counts the label for no answer like any other.
    """
    by_group = folds_of(groups, count=FOLDS, seed=seed)
    alone = len(groups) < SMALL * len(set(groups))
    by_row = folds_of([str(n) for n in range(len(groups))], count=FOLDS, seed=seed)
    found = []
    for name, answer in methods(bench).items():
        right = cross_validate(answer, bench.classes, by_group, count=FOLDS)
        mixed = cross_validate(answer, bench.classes, by_row, count=FOLDS) if not alone else None
        found.append(
            Tried(
                name=name,
                by_group=share("accuracy", right, groups=list(groups)),
                by_row=None if mixed is None else share("accuracy", mixed, groups=list(groups)),
                **_own(answer, bench.classes, groups, parts, twins),
            )
        )
    return found


def _own(
    answer: Answers,
    classes: Ids,
    groups: Sequence[str],
    parts: tuple[Ids, Ids] | None,
    twins: frozenset[int],
) -> dict[str, Estimate]:
    if parts is None:
        return {}
    seen, asked = parts
    right = (answer(seen, asked) == classes[asked]).astype(np.int64)
    named = [groups[row] for row in asked.tolist()]
    doubled = np.array([row in twins for row in asked.tolist()], dtype=np.int64)
    found = {"own": share("accuracy", right, groups=named)}
    if doubled.any():
        found["own_twins"] = share("accuracy", right * doubled, asked=doubled, groups=named)
    if doubled.any() and not doubled.all():
        alone = 1 - doubled
        found["own_others"] = share("accuracy", right * alone, asked=alone, groups=named)
    return found
