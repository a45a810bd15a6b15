"""Precision, recall, F1 and confusions of a mapper at one threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from assay import Answer, Estimate, Record, Sample
from assay.estimates import share

from .measure import said_at

DECLINED = "(declined)"
NONE = "(no answer)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerClass:
    """One label."""

    label: str
    asked: int
    """Test prompts whose right answer it is."""

    said: int
    """Answers that name it."""

    precision: Estimate
    recall: Estimate
    """A withheld answer counts against it."""

    f1: Estimate


def per_class(pairs: Iterable[tuple[Sample, Record]], threshold: float) -> list[PerClass]:
    """Return every label of the test with its numbers above a threshold, intervals over groups."""
    wanted, said, groups = _columns(pairs, threshold)
    found = []
    for label in sorted({w for w in wanted if w != NONE}):
        is_it = np.array([w == label for w in wanted], dtype=np.float64)
        names = np.array([s == label for s in said], dtype=np.float64)
        hits = is_it * names
        found.append(
            PerClass(
                label=label,
                asked=int(is_it.sum()),
                said=int(names.sum()),
                precision=share("precision", hits, asked=names, groups=groups),
                recall=share("recall", hits, asked=is_it, groups=groups),
                f1=share("f1", 2 * hits, asked=is_it + names, groups=groups),
            )
        )
    return found


def confusion(
    pairs: Iterable[tuple[Sample, Record]], threshold: float
) -> Mapping[tuple[str, str], int]:
    """Return how often each right answer met each thing said: (wanted, said) to prompts."""
    wanted, said, _ = _columns(pairs, threshold)
    return dict(sorted(Counter(zip(wanted, said, strict=True)).items()))


def _columns(
    pairs: Iterable[tuple[Sample, Record]], threshold: float
) -> tuple[list[str], list[str], list[str]]:
    wanted, said, groups = [], [], []
    for sample, record in pairs:
        target = sample.target
        value, _, withheld = said_at(record, threshold)
        wanted.append(str(target.value) if isinstance(target, Answer) else NONE)
        said.append(DECLINED if withheld else str(value))
        groups.append(record.group)
    return wanted, said, groups
