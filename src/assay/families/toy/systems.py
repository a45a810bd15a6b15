"""Two toy systems: one that counts words, one that only looks at the last."""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import Answer, Bottom, Built, Needs, Question, Reply, Sample

NONE = "-"


def words(text: object) -> list[str]:
    """Return the lower-case words of a request.

    >>> words("Please, CALL Ada")
    ['please', 'call', 'ada']
    """
    return re.findall(r"[a-z]+", str(text).lower())


@dataclass(frozen=True, slots=True)
class Voting:
    """Each word votes for every errand with the logarithm of how often it came with it."""

    votes: Mapping[str, Mapping[str, float]]
    """Errand (or none) to word to vote."""

    unseen: Mapping[str, float]
    """Errand to the vote of a word that never came with it."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer with the errand that has most votes; the confidence is its posterior."""
        for question in questions:
            heard = words(question.input)
            total = {
                label: sum(votes.get(word, self.unseen[label]) for word in heard)
                for label, votes in self.votes.items()
            }
            yield Reply(question.id, _say(total))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVotes:
    """The recipe of ``toy.votes``: naive Bayes over words.

    The seed draws four fifths of the training patterns.
    """

    bag: float = 0.8
    seeded: bool = True
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Count words by errand."""
        groups = sorted({s.group for s in train})
        drawn = set(random.Random(seed).sample(groups, max(1, round(self.bag * len(groups)))))
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sample in train:
            if sample.group in drawn:
                target = sample.target
                label = str(target.value) if isinstance(target, Answer) else NONE
                counts[label].update(words(sample.input))
        known = len({word for seen in counts.values() for word in seen})
        votes, unseen = {}, {}
        for label, seen in sorted(counts.items()):
            size = seen.total() + known
            votes[label] = {word: math.log((count + 1) / size) for word, count in seen.items()}
            unseen[label] = math.log(1 / size)
        return Built(system=Voting(votes, unseen), notes={"words": known})


@dataclass(frozen=True, slots=True)
class LastWord:
    """Knows one errand per last word."""

    table: Mapping[str, str]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer from the last word, or decline."""
        for question in questions:
            last = (words(question.input) or [""])[-1]
            known = self.table.get(last)
            yield Reply(question.id, Answer(known) if known else Bottom("unknown_word"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """The recipe of ``toy.last_word``."""

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Remember the most frequent errand of each last word."""
        seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sample in train:
            if isinstance(sample.target, Answer):
                seen[(words(sample.input) or [""])[-1]][str(sample.target.value)] += 1
        table = {word: max(sorted(c), key=c.__getitem__) for word, c in seen.items()}
        return Built(system=LastWord(table))


def _say(total: Mapping[str, float]) -> Answer | Bottom:
    actions = {label: votes for label, votes in total.items() if label != NONE}
    if not actions:
        return Bottom("unknown_words")
    top = max(total.values())
    weight = {label: math.exp(votes - top) for label, votes in total.items()}
    best = max(actions, key=actions.__getitem__)
    answer = Answer(best, round(weight[best] / sum(weight.values()), 6))
    return Bottom("nothing_asked", answer) if total.get(NONE, -math.inf) > actions[best] else answer
