"""What a model makes of the continuations of one question: their likelihoods, and whether they differ."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

from assay import Answer, Reply

Length: TypeAlias = Literal["kept", "divided"]
"""Whether likelihoods are compared as they are, or by token."""

SAME = 1e-5
"""Log-likelihoods by token that are closer, relatively, are the same."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Log-likelihoods of the continuations, in the order of the question."""

    totals: tuple[float, ...]
    tokens: tuple[float, ...]

    @property
    def by_token(self) -> tuple[float, ...]:
        """Log-likelihood by token, of each."""
        return tuple(total / n for total, n in zip(self.totals, self.tokens, strict=True))

    @property
    def differ(self) -> bool:
        """Whether any continuation is another to the model than the first, length aside.

        A model with constant logits gives every token the same: it then prefers whatever is short, and
        has said nothing.
        """
        first, *others = self.by_token
        return any(abs(one - first) > SAME * max(abs(one), abs(first)) for one in others)

    def best(self, length: Length) -> int | None:
        """Return the likeliest continuation; None where several are."""
        each = self.totals if length == "kept" else self.by_token
        most = max(each)
        near = [k for k, one in enumerate(each) if most - one <= SAME * abs(most)]
        return near[0] if len(near) == 1 else None


def weighed_of(reply: Reply, count: int) -> Weighed | None:
    """Return the likelihoods of an answer; None where it has none, as one in words.

    >>> said = Answer(0, scores={"ll:0": -2.0, "ll:1": -9.0, "tokens:0": 2, "tokens:1": 3})
    >>> weighed_of(Reply("q", said), 2).by_token
    (-1.0, -3.0)
    """
    if not isinstance(reply.said, Answer):
        return None
    scores = reply.said.scores
    totals = [scores.get(f"ll:{k}") for k in range(count)]
    tokens = [scores.get(f"tokens:{k}") for k in range(count)]
    known = tuple(x for x in totals if x is not None and isfinite(x))
    sizes = tuple(n for n in tokens if n is not None and n > 0)
    return Weighed(known, sizes) if len(known) == len(sizes) == count else None
