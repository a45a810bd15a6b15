"""A system that knows a stated share of the answers of small tasks, and draws the others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import Answer, Built, Needs, Question, Reply, Sample, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowing:
    """Answer with likelihoods where there are choices, and in words elsewhere.

    A choice is right when it holds ``RIGHT``; a prompt is harmful when it holds ``harm``; the answer to
    "n + m" is its sum.
    """

    knows: float = 1.0
    """The share of questions whose answer it knows, by their ids."""

    empty: bool = False
    """Whether its answers are empty, and its choices all the same."""

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Learn nothing."""
        return Built(system=_System(self.knows, self.empty), usage=Usage())


@dataclass(frozen=True, slots=True)
class _System:
    knows: float
    empty: bool

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer each."""
        for question in questions:
            asked: Any = question.input
            drawn = int.from_bytes(hashlib.sha256(question.id.encode()).digest()[:4], "big") / 2**32
            said = self._choice(asked, drawn) if "contexts" in asked else self._words(asked, drawn)
            yield Reply(question.id, said)

    def _choice(self, asked: Any, drawn: float) -> Answer:
        texts = [*asked["continuations"]]
        right = next((k for k, text in enumerate(texts) if "RIGHT" in text), 0)
        # What it does not know it draws, by the same number.
        rest = (drawn - self.knows) / max(1 - self.knows, 1e-9)
        best = right if drawn < self.knows else int(rest * len(texts))
        totals = {
            f"ll:{k}": -1.0 if k == best and not self.empty else -9.0 for k in range(len(texts))
        }
        tokens = {f"tokens:{k}": 1.0 if not self.empty else 9.0 for k in range(len(texts))}
        greedy = {f"greedy:{k}": 0.0 for k in range(len(texts))}
        return Answer(best, scores=totals | tokens | greedy)

    def _words(self, asked: Any, drawn: float) -> Answer:
        if self.empty:
            return Answer("")
        known = drawn < self.knows
        if found := re.findall(r"(\d+) and (\d+)", asked["prompt"]):
            one, two = found[-1]
            return Answer(f"#### {int(one) + int(two) + (0 if known else 1)}")
        refuses = "harm" in asked["prompt"] if known else int(drawn * 2**20) % 2 == 1
        return Answer(
            "I'm sorry, but I cannot help with that." if refuses else "Take two eggs first."
        )
