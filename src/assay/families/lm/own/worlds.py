"""Worlds: what is drawn together from one seed, stays together in one split and is one group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from random import Random
from typing import TypeAlias

from assay import PlanError, Sample

LICENSE = "CC0-1.0"
"""Of the samples: they are made here."""

_DEALT = (
    *("test", "train", "calibration", "tune", "test", "test", "test", "calibration"),
    *("test", "test", "test", "train", "test", "test", "calibration", "test"),
    *("test", "test", "test", "test"),
)
"""Where twenty worlds in a row go: 14 to test, 3 to calibration, 2 to train, 1 to tune."""

Make: TypeAlias = Callable[[str, Random], Iterable[Sample]]
"""Makes the samples of the world of this name; they have its name as their group."""


def dealt(make: Make, *, worlds: int, seed: int) -> Callable[[str], Sequence[Sample]]:
    """Return the samples of each split, made when they are first asked for.

    A world depends on ``seed`` and its own number only: more of them leave the others as they are.
    Worlds are drawn alike and independently, so where they go need not be drawn.

    Raises ``PlanError`` A102 for fewer than four worlds.
    """
    require("worlds", worlds, least=4)

    @cache
    def made() -> Mapping[str, tuple[Sample, ...]]:
        splits: dict[str, list[Sample]] = {split: [] for split in dict.fromkeys(_DEALT)}
        for number in range(worlds):
            name = f"world/{number:04}"
            splits[_DEALT[number % len(_DEALT)]] += make(name, Random(f"{seed}/{name}"))
        return {split: tuple(samples) for split, samples in splits.items()}

    return lambda split: made()[split]


def require(option: str, value: int, *, least: int, most: int | None = None) -> None:
    """Raise ``PlanError`` A102 unless ``least <= value <= most``."""
    if value < least or (most is not None and value > most):
        bound = f"at least {least}" if value < least else f"at most {most}"
        raise PlanError(
            f"{option} is {value}", where=f"options.{option}", hint=f"give {bound}", code="A102"
        )
