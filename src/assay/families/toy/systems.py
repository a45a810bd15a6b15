"""Two toy systems: one that counts words, one that only looks at the last."""

from __future__ import annotations

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
    """Adds up, over the words of a request, how often each errand came with that word."""

    votes: Mapping[str, Counter[str]]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer with the errand that has most votes; its share of them is the confidence."""
        for question in questions:
            total: defaultdict[str, float] = defaultdict(float)
            for word in words(question.input):
                seen = self.votes.get(word)
                if seen:
                    for action, count in seen.items():
                        # A word that came with every errand says little: it votes softly.
                        total[action] += count / seen.total() / len(seen)
            yield Reply(question.id, _say(total))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVotes:
    """The recipe of ``toy.votes``.  The seed draws four fifths of the training patterns."""

    bag: float = 0.8
    seeded: bool = True
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Count words by errand."""
        groups = sorted({s.group for s in train})
        drawn = set(random.Random(seed).sample(groups, max(1, round(self.bag * len(groups)))))
        votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sample in train:
            if sample.group in drawn:
                target = sample.target
                label = str(target.value) if isinstance(target, Answer) else NONE
                for word in set(words(sample.input)):
                    votes[word][label] += 1
        return Built(system=Voting(dict(votes)), notes={"words": len(votes)})


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
    actions = {a: v for a, v in sorted(total.items()) if a != NONE}
    if not actions:
        return Bottom("unknown_words")
    best = max(actions, key=actions.__getitem__)
    sure = round(actions[best] / sum(total.values()), 6)
    answer = Answer(best, sure)
    return Bottom("nothing_asked", answer) if total.get(NONE, 0.0) > actions[best] else answer
