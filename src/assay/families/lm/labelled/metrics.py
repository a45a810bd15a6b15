"""The metrics of labelled text: each over everything that was asked, answered or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Better, Metric, Statistic

from ..means import mean_of
from .texts import ORDERS

Name: TypeAlias = Literal["accuracy", "f1", "exact_match", "bleu", "rouge_l"]
Columns: TypeAlias = Any
Floats: TypeAlias = NDArray[np.float64]

BLEU_COLUMNS = (
    *(f"check:bleu_shared_{n}" for n in ORDERS),
    *(f"check:bleu_runs_{n}" for n in ORDERS),
    "check:bleu_said",
    "check:bleu_wanted",
)


def _mean(name: str, says: str, column: str) -> Metric:
    return mean_of(column, name=name, says=f"{says}, of everything asked")


EXACT_LABEL = _mean("exact_match", "answers that are the label and nothing else", "check:exact")
EXACT_TEXT = _mean("exact_match", "answers that are an accepted text (SQuAD)", "check:exact")
WORDS_F1 = _mean("f1", "F1 of the words shared with an accepted text (SQuAD)", "check:f1")
ROUGE_L = _mean("rouge_l", "ROUGE-L F with an accepted text", "check:rouge_l")


def macro_f1() -> Metric:
    """Return the mean over labels of F1, every label counting the same.

    Labels that neither stand in the samples nor are answered do not count (as in scikit-learn).  A
    sample without an answer is a miss; its label, which no verifier saw, is taken to be as often each
    of the labels as it is among the samples with an answer.
    """

    def gathered(columns: Columns, at: _Places) -> Floats:
        """Return hits, answers and samples of each label, then asked and answered, by place."""
        asked = columns["asked"] > 0
        truth, read = columns["check:truth"], columns["check:read"]
        seen = asked & ~np.isnan(truth)
        n_labels = int(max(truth[seen].max(initial=-1), read[seen].max(initial=-1))) + 1
        found = np.zeros((at.size, 3 * n_labels + 2))
        for part, which, label in (
            (0, seen & (truth == read), truth),
            (1, seen & (read >= 0), read),
            (2, seen, truth),
        ):
            column = part * n_labels + label[which].astype(np.int64)
            np.add.at(found, (at.codes[which], column), at.weights[which])
        found[:, -2], found[:, -1] = at.total(asked), at.total(seen)
        return found

    def values(sums: Floats) -> Floats:
        n_labels = (sums.shape[1] - 2) // 3
        hits, said, true = (sums[:, k * n_labels : (k + 1) * n_labels] for k in range(3))
        asked, seen = sums[:, -2], sums[:, -1]
        true = true * _over(asked, seen)[:, None]
        both = said + true
        counted = (both > 0).sum(axis=1)
        each = np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0)
        found = np.divide(each.sum(axis=1), counted, out=np.zeros(len(sums)), where=counted > 0)
        return np.where(asked > 0, found, np.nan)

    return Metric(
        name="f1",
        says="mean over labels of F1 (macro), of everything asked",
        better=Better.HIGHER,
        form=_summed(gathered, values),
        columns=("check:truth", "check:read", "asked"),
        bounds=(0.0, 1.0),
    )


def bleu() -> Metric:
    """Return corpus BLEU, 0 to 100, from counts that add up: it resamples exactly.

    A sample without an answer counts as an empty text that should have been of average length.
    """

    def gathered(columns: Columns, at: _Places) -> Floats:
        asked = columns["asked"] > 0
        seen = asked & ~np.isnan(columns["check:bleu_wanted"])
        sums = [at.total(seen, columns[name]) for name in BLEU_COLUMNS]
        return np.stack([*sums, at.total(asked), at.total(seen)], axis=1)

    def values(sums: Floats) -> Floats:
        n = len(ORDERS)
        wanted = sums[:, 2 * n + 1] * _over(sums[:, -2], sums[:, -1])
        found = _bleu_of(sums[:, :n], sums[:, n : 2 * n], sums[:, 2 * n], wanted)
        return np.where(sums[:, -2] > 0, found, np.nan)

    return Metric(
        name="bleu",
        says="corpus BLEU (sacrebleu, 13a, exp), of everything asked",
        better=Better.HIGHER,
        form=_summed(gathered, values),
        columns=(*BLEU_COLUMNS, "asked"),
        bounds=(0.0, 100.0),
    )


def _bleu_of(shared: Floats, runs: Floats, said: Floats, wanted: Floats) -> Floats:
    """Return BLEU of each row of sums, 0 to 100 (Papineni et al. 2002), as sacrebleu computes it.

    A length of which nothing is shared counts half of one run, a fourth of one, and so on (``exp``,
    NIST); where no text is as long as the longest runs, or nothing is shared at all, it is 0.
    """
    none = shared == 0
    least = np.exp2(-np.cumsum(none, axis=1))
    part = np.divide(np.where(none, least, shared), runs, out=np.ones_like(runs), where=runs > 0)
    short = np.divide(wanted, said, out=np.full_like(said, np.inf), where=said > 0)
    brevity = np.where(said < wanted, np.exp(np.minimum(0.0, 1 - short)), 1.0)
    found = 100 * brevity * np.exp(np.log(part).mean(axis=1))
    possible = (runs > 0).all(axis=1) & ~none.all(axis=1)
    return np.where(possible, np.minimum(found, 100.0), 0.0)


class _Places(NamedTuple):
    """Where each record is counted, and how often."""

    codes: NDArray[np.int64]
    size: int
    weights: Floats

    def total(self, which: NDArray[np.bool_], values: Floats | float = 1.0) -> Floats:
        """Return the sum of values over some records, by place."""
        each = np.where(which, self.weights * values, 0.0)
        found = np.bincount(self.codes, weights=each, minlength=self.size)
        return found.astype(np.float64)


def _over(asked: Floats, seen: Floats) -> Floats:
    return np.divide(asked, seen, out=np.zeros_like(asked), where=seen > 0)


def _summed(
    gathered: Callable[[Columns, _Places], Floats],
    values: Callable[[Floats], Floats],
) -> Statistic:
    """Return a statistic of sums: over records with weights, or over groups that are drawn again."""

    def of(columns: Columns, weights: Floats) -> float | None:
        one = _Places(np.zeros(len(weights), dtype=np.int64), 1, np.asarray(weights, np.float64))
        found = float(values(gathered(columns, one))[0])
        return None if np.isnan(found) else found

    def prepare(columns: Columns, groups: NDArray[np.int64]) -> Callable[[Any], Floats]:
        known: dict[int, Floats] = {}
        ones = np.ones(len(groups))

        def many(drawn: Any) -> Floats:
            counts = np.asarray(drawn, dtype=np.float64)
            size = counts.shape[1]
            if size not in known:
                known[size] = gathered(columns, _Places(np.asarray(groups), size, ones))
            return values(counts @ known[size])

        return many

    return Statistic(of=of, prepare=prepare)
