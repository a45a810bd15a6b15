"""The probability of a label, lowered where a prompt is stranger than the known ones are.

*Covered*: requests unlike any training prompt, without losing which answers are likely to be wrong.
*Not covered*: requests that look like a known one and mean another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .calibrating import fit_temperature
from .distances import Floats, Relative

STRANGE = 0.1
"""Share of known prompts that count as strange.  CLINC150's validation split, 20 prompts a label, AUROC
of what has an answer and of what is right: .965 and .934 at 0.05, .977 and .927 at 0.1, .981 and .853
at 1."""

MOST_ODDS = 1e13
"""A probability is never 1: one label alone, or a label that leaves nothing to the others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Familiar:
    """The odds of the label, its probability lowered where a prompt is strange.

    A prompt that is stranger by the relative distance than nine of ten prompts with a known label
    has its probability multiplied by how strange it is among these: the share of known prompts that
    are as strange, over a tenth.  Everything else keeps its order.

    *Not to be trusted when* prompts with a known label become stranger than they were: they are then
    lowered too.
    """

    relative: Relative
    temperature: float = 1.0
    """Divides the logits: that of held-out prompts."""

    strange: Floats = field(default_factory=lambda: np.zeros(0))
    """The lowest relative scores of held-out prompts with a known label, sorted."""

    held_out: int = 0
    """How many of these prompts there were; 0: nothing is lowered."""

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the log odds of the lowered probability."""
        return self.lowered(self.relative.of(logits, rows), logits)

    def lowered(self, relative: Floats, logits: Floats) -> Floats:
        """Return them from relative scores [n] and label logits [n, labels]."""
        scaled = logits / self.temperature
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        top = shares.max(axis=1)
        # Summed, not subtracted from 1: what is left over may be smaller than one can tell from 1.
        others = np.where(np.arange(shares.shape[1]) == shares.argmax(axis=1)[:, None], 0, shares)
        below = np.searchsorted(self.strange, relative, side="right")
        kept = np.minimum(1.0, (below + 1) / (self.held_out + 1) / STRANGE)
        left = others.sum(axis=1) + top * (1 - kept)
        return np.asarray(np.log(top * kept) - np.log(np.maximum(left, 1 / MOST_ODDS)))

    def arrays(self) -> Mapping[str, Floats]:
        """Return both covariances and means, the temperature and the strangest known prompts."""
        return {
            **self.relative.arrays(),
            "temperature": np.array([self.temperature]),
            "strange": self.strange,
            "held_out": np.array([float(self.held_out)]),
        }

    def settled(self, relative: Floats, *, logits: Floats, classes: NDArray[np.int64]) -> Familiar:
        """Return the same, knowing what prompts with a known label look like that were not learnt.

        Their relative scores [n], label logits [n, labels] and label numbers [n]; of none of them it
        learns nothing.
        """
        if not len(relative):
            return self
        found = np.sort(relative.astype(np.float32)).astype(np.float64)
        return replace(
            self,
            temperature=float(np.float32(fit_temperature(logits, classes)[0])),
            strange=found[: math.ceil(STRANGE * (len(found) + 1)) - 1],
            held_out=len(found),
        )
