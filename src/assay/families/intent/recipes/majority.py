"""``intent.majority``: the most frequent label, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import Built, Needs, Question, Reply, Sample

from ..labels import Labels, labels_of
from ..lessons import read_lessons
from ..replies import reply_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """The recipe of ``intent.majority``: counts, no seed, no options.

    What a system must beat to have learned anything from the prompts.

    >>> from assay import Answer
    >>> train = [
    ...     Sample(id="1", input="swap ETH", target=Answer("swap")),
    ...     Sample(id="2", input="stake it", target=Answer("stake")),
    ...     Sample(id="3", input="swap it back", target=Answer("swap")),
    ... ]
    >>> system = Majority().build(train, [], seed=0, workdir=Path()).system
    >>> [reply.said.value for reply in system.answer([Question(id="q", input="sing")])]
    ['swap']
    """

    @property
    def seeded(self) -> bool:
        """Counting has no seed."""
        return False

    @property
    def needs(self) -> Needs:
        """Hardly anything."""
        return Needs(memory_mb=50)

    def build(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seed: int,
        workdir: Path,
    ) -> Built:
        """Count the labels of train.  Raises ``DataError`` when a target or an input is not text."""
        labels = labels_of(train)
        classes = read_lessons(train, labels).classes.tolist()
        shares = tuple(classes.count(k) / len(classes) for k in range(len(labels)))
        return Built(system=Constant(labels, shares), notes={"samples": len(classes)})


@dataclass(frozen=True, slots=True)
class Constant:
    """Says the same to every prompt; its confidence is the label's share in train."""

    labels: Labels
    shares: Sequence[float]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        return reply_each(questions, lambda _: self.labels.say(self.shares))
