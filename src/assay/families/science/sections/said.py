"""Test samples, and what one system said to them, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay import Sample

from ..domains.drawn import Floats

Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

VALUE = "value"
"""What is said, or there, where it is no reason."""
NO_REASON = "no reason"
"""A decline that names none of the reasons of the task."""
FAILED, CRASHED = "failed", "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The test samples of a task, in the order of their ids."""

    ids: tuple[str, ...]
    x: tuple[tuple[float, ...], ...]
    y: Floats
    """Shape [samples, outputs]; NaN where there is no value."""

    truth: Texts
    """``value``, or the reason why there is none."""

    groups: Texts
    tags: tuple[frozenset[str], ...]
    reasons: tuple[str, ...]
    """Reasons that samples have."""

    samples: tuple[Sample, ...]

    @property
    def there(self) -> Bools:
        """Where there is a value."""
        found: Bools = self.truth == VALUE
        return found

    def tagged(self, tag: str) -> Bools:
        """Where samples have a tag."""
        return np.array([tag in tags for tags in self.tags], dtype=np.bool_)

    def column(self, place: int) -> Floats:
        """Return one of the numbers that are seen."""
        return np.array([row[place] for row in self.x], dtype=np.float64)


@dataclass(frozen=True)
class Said:
    """What one system said to every sample under one seed, thresholds of the plan applied.

    Samples that it was not asked (a limit) are not ``asked``, and crashes are not either.
    """

    system: str
    seed: int
    asked: Bools
    word: Texts
    """``value``, the reason of a decline, ``no reason`` or ``failed``."""

    value: Floats
    """What was answered, or would have been; NaN where nothing was.  Shape [samples, outputs]."""

    sure: Floats
    """The confidence of that; NaN where there is none."""

    outcome: Texts
    checks: tuple[Mapping[str, float], ...]
    """Scores of the verifier, of the answers given."""

    right: Bools
    """Whether that value is right, answered or not."""

    chosen: float | None = None
    """The plan's threshold under this seed, where it has one for all answers."""

    @cached_property
    def answered(self) -> Bools:
        """Where it gave a value."""
        found: Bools = (self.word == VALUE) & self.asked
        return found

    @cached_property
    def declined(self) -> Bools:
        """Where it declined."""
        found: Bools = self.asked & (self.word != VALUE) & (self.word != FAILED)
        return found

    @property
    def proposes(self) -> Bools:
        """Where it answered, or declined with a proposal, and says how sure it is."""
        found: Bools = self.asked & ~np.isnan(self.sure) & ~np.isnan(self.value).any(axis=1)
        return found

    @property
    def gate(self) -> float | None:
        """Return the confidence below which it declines; None where it never does, or by another rule.

        The plan's threshold where that alone decides; else the middle between what is declined and
        what is answered.  Whoever answers at a confidence at which it also declines has no such number.
        """
        gone = self.sure[self.declined & self.proposes]
        kept = self.sure[self.answered & self.proposes]
        cut = self.chosen
        if cut is not None and 0 <= cut <= 1 and (gone < cut).all() and (kept >= cut).all():
            return cut
        if not gone.size or not kept.size:
            return None
        low, high = float(gone.max()), float(kept.min())
        return (low + high) / 2 if low <= high else None

    def score(self, name: str) -> Floats:
        """Return a score of the verifier, NaN where no value was given or there is none."""
        return np.array([one.get(name, np.nan) for one in self.checks], dtype=np.float64)
