"""Groups drawn with replacement, as rows of the samples in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Groups:
    """Groups drawn with replacement; a group that is drawn twice is two groups."""

    codes: NDArray[np.int64]
    n_groups: int
    rng: np.random.Generator

    @cached_property
    def lie(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows sorted by group, and where each group begins among them."""
        order = np.argsort(self.codes, kind="stable")
        return order, np.searchsorted(self.codes[order], np.arange(self.n_groups + 1))

    def again(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows of samples, and the group of each row."""
        order, starts = self.lie
        drawn = self.rng.integers(self.n_groups, size=self.n_groups)
        sizes = (starts[1:] - starts[:-1])[drawn]
        groups = np.repeat(np.arange(self.n_groups), sizes)
        offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return order[np.repeat(starts[drawn], sizes) + offsets], groups
