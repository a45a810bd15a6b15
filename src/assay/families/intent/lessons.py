"""Training samples as texts and class numbers, and the draw of groups that a seed stands for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, DataError, Failed, PlanError, Sample

from .labels import Labels
from .prompt import prompt_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What a head learns from: one text, class number and group per sample."""

    texts: tuple[str, ...]
    classes: NDArray[np.int64]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.texts)


def read_lessons(samples: Sequence[Sample], labels: Labels) -> Lessons:
    """Turn samples into texts and class numbers.

    Raises ``DataError`` when there are none, when an input is not text, or when a target is not
    one of the labels (a tune split with a label that train lacks cannot select anything).
    """
    if not samples:
        raise DataError(
            "A split is empty", hint="Give the task train and tune samples: tune selects"
        )
    number = {name: k for k, name in enumerate(labels.names)}
    texts: list[str] = []
    classes: list[int] = []
    for sample in samples:
        text = prompt_of(sample)
        if isinstance(text, Failed):
            raise DataError(
                f"An input is not text: {text.detail}",
                where=f"sample {sample.id!r}",
                hint="give text, or a mapping with the text under `prompt`",
            )
        match sample.target:
            case Bottom(reason) if reason in labels.reasons:
                classes.append(len(labels.names) + labels.reasons.index(reason))
            case Answer(value=str() as name) if name in number:
                classes.append(number[name])
            case _:
                raise DataError(
                    f"Train has no sample with the target {sample.target!r}",
                    where=f"sample {sample.id!r}",
                    hint="give train a sample of it, or leave this one out",
                )
        texts.append(text)
    return Lessons(
        texts=tuple(texts),
        classes=np.array(classes, dtype=np.int64),
        groups=tuple(sample.cluster for sample in samples),
    )


def check_bag(bag: float) -> None:
    """Raise ``PlanError`` A102 unless the share is above 0 and at most 1."""
    if not 0 < bag <= 1:
        raise PlanError(
            f"bag is the share of the training groups that a seed draws; {bag} is not in (0, 1]",
            hint="0.8 is usual; 1 draws nothing",
            code="A102",
        )


def draw_groups(lessons: Lessons, *, bag: float, seed: int) -> NDArray[np.int64]:
    """Return the sample numbers of a share ``bag`` of the groups, drawn without replacement.

    Drawn within strata (groups that hold the same classes), at least one group of each, so that
    no draw loses a label.  It depends on the group names and the seed, not on the order of the
    samples: PCG64's raw stream, which numpy promises never to change.

    >>> lessons = Lessons(
    ...     texts=("a", "b", "c", "d", "e", "f"),
    ...     classes=np.array([0, 0, 0, 0, 0, 1]),
    ...     groups=("t1", "t2", "t3", "t4", "t5", "t6"),
    ... )
    >>> drawn = draw_groups(lessons, bag=0.8, seed=0)
    >>> len(drawn), 5 in drawn
    (5, True)
    """
    held: defaultdict[str, set[int]] = defaultdict(set)
    for group, number in zip(lessons.groups, lessons.classes.tolist(), strict=True):
        held[group].add(number)
    strata: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for group in sorted(held):
        strata[tuple(sorted(held[group]))].append(group)
    stream = np.random.PCG64(seed)
    drawn: set[str] = set()
    for _, groups in sorted(strata.items()):
        order = np.argsort(stream.random_raw(len(groups)), kind="stable")
        size = max(1, math.floor(bag * len(groups) + 0.5))
        drawn.update(groups[k] for k in order[:size].tolist())
    return np.flatnonzero([group in drawn for group in lessons.groups])
