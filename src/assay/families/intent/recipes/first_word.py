"""``intent.first_word``: the label that most often goes with the first word.

The baseline that every data set of commands has to survive: on a public one it is right in 98 % of
the cases, which says something about that data set.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import Answer, Bottom, Built, Failed, Needs, Question, Reply, Sample

from ..labels import Labels, labels_of
from ..lessons import read_lessons
from ..replies import reply_each

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstWord:
    """The recipe of ``intent.first_word``: counts, no seed, no options.

    >>> train = [
    ...     Sample(id="1", input="Swap ETH", target=Answer("swap")),
    ...     Sample(id="2", input="swap it back", target=Answer("swap")),
    ...     Sample(id="3", input="swap meets are fun", target=Bottom("chat")),
    ... ]
    >>> system = FirstWord().build(train, [], seed=0, workdir=Path()).system
    >>> [reply.said for reply in system.answer([Question(id="q", input="SWAP!")])]
    [Answer(value='swap', confidence=0.666667, scores={'swap': 0.666667})]
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
        """Count which labels each first word has in train.

        Raises ``DataError`` when a target or an input is not text.
        """
        labels = labels_of(train)
        lessons = read_lessons(train, labels)
        counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for text, number in zip(lessons.texts, lessons.classes.tolist(), strict=True):
            word = first_word(text)
            if word is not None:
                counts[word][number] += 1
        shares = {
            word: tuple(seen[k] / seen.total() for k in range(len(labels)))
            for word, seen in counts.items()
        }
        return Built(system=FirstWordLookup(labels, shares), notes={"words": len(shares)})


@dataclass(frozen=True, slots=True)
class FirstWordLookup:
    """Looks up the first word of a prompt; its confidence is the label's share in train."""

    labels: Labels
    shares: Mapping[str, Sequence[float]]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        return reply_each(questions, self._look_up)

    def _look_up(self, text: str) -> Answer | Bottom | Failed:
        shares = self.shares.get(first_word(text) or "")
        return Bottom("unknown_word") if shares is None else self.labels.say(shares)


def first_word(text: str) -> str | None:
    """Return the first run of letters and digits, case folded; None when there is none.

    >>> first_word("  'Stake' it"), first_word("?!")
    ('stake', None)
    """
    found = _WORD.search(text)
    return found.group().casefold() if found else None
