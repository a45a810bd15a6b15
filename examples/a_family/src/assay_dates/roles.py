"""``dates.roles``: learns from texts and their days which number is the year, month or day."""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

from assay import Answer, Bottom, Built, Needs, Question, Reply, Sample

from .formats import NAMES

ROLES = ("year", "month", "day")
OTHER = "other"
TOKEN = re.compile(r"\d+|[A-Za-z]+|[^\sA-Za-z\d]")


class Candidate(NamedTuple):
    """A number, or the name of a month, with what stands around it."""

    value: int
    features: tuple[str, ...]


def candidates(text: str) -> list[Candidate]:
    """Return every number and month of a text.

    >>> [c.value for c in candidates("room 12, 3 Feb 2026")]
    [12, 3, 2, 2026]
    """
    tokens = ["", *TOKEN.findall(text), ""]
    found = []
    for before, token, after in zip(tokens[:-2], tokens[1:-1], tokens[2:], strict=True):
        name = NAMES.get(token[:3].lower()) if token[:1].isupper() else None
        if token.isdigit() or name:
            value = name or int(token)
            features = (f"is {_kind(token)}", f"after {_kind(before)}", f"before {_kind(after)}")
            found.append(Candidate(value, features))
    return found[:7]  # more numbers than that are a table, not a phrase


def _kind(token: str) -> str:
    if token.isdigit():
        size = next((f"<={top}" for top in (12, 31) if int(token) <= top), "large")
        return f"{len(token)} digits {size}"
    if token[:1].isupper() and token[:3].lower() in NAMES:
        return "month"
    return token.lower()


@dataclass(frozen=True, slots=True)
class Reader:
    """Naive Bayes over the roles of all numbers together."""

    weights: Mapping[str, Mapping[str, float]]
    """Role to feature to logarithm of its probability."""

    unseen: Mapping[str, float]
    prior: Mapping[str, float]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Say the most probable day; decline when no day at all is more probable."""
        for question in questions:
            yield Reply(question.id, self._say(candidates(str(question.input))))

    def _say(self, found: Sequence[Candidate]) -> Answer | Bottom:
        score = [{role: self._log(c, role) for role in (*ROLES, OTHER)} for c in found]
        odds = {"": 0.0}  # of each day against no day at all
        for places in permutations(range(len(found)), 3):
            day = _day(*(found[k].value for k in places))
            if day:
                gain = sum(
                    score[k][role] - score[k][OTHER] for k, role in zip(places, ROLES, strict=True)
                )
                odds[day] = max(odds.get(day, -math.inf), gain)
        best = max((day for day in odds if day), key=odds.__getitem__, default="")
        if not best:
            return Bottom("no_day")
        top = max(odds.values())
        total = sum(math.exp(o - top) for o in odds.values())
        said = Answer(best, round(math.exp(odds[best] - top) / total, 6))
        return said if odds[best] > 0 else Bottom("no_day", said)

    def _log(self, candidate: Candidate, role: str) -> float:
        known = self.weights[role]
        return self.prior[role] + sum(
            known.get(feature, self.unseen[role]) for feature in candidate.features
        )


def _day(year: int, month: int, day: int) -> str:
    if not 1900 <= year <= 2100:
        return ""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The recipe of ``dates.roles``.

    The seed draws a share ``bag`` of the training patterns.
    """

    bag: float = 0.7
    seeded: bool = True
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Count the features of each role."""
        groups = sorted({s.group for s in train})
        drawn = set(random.Random(seed).sample(groups, max(1, round(self.bag * len(groups)))))
        counts: dict[str, Counter[str]] = {role: Counter() for role in (*ROLES, OTHER)}
        seen: Counter[str] = Counter()
        for sample in train:
            if sample.group in drawn:
                for candidate, role in _lesson(sample):
                    seen[role] += 1
                    counts[role].update(candidate.features)
        known = len({feature for count in counts.values() for feature in count})
        weights, unseen, prior = {}, {}, {}
        for role, count in counts.items():
            size = count.total() + known + 1
            weights[role] = {f: math.log((n + 1) / size) for f, n in sorted(count.items())}
            unseen[role] = math.log(1 / size)
            prior[role] = math.log((seen[role] + 1) / (seen.total() + 4))
        return Built(system=Reader(weights, unseen, prior), notes={"features": known})


def _lesson(sample: Sample) -> Iterator[tuple[Candidate, str]]:
    """Yield the role of each number, where the target tells."""
    found = candidates(str(sample.input))
    if not isinstance(sample.target, Answer):
        if isinstance(sample.target, Bottom) and sample.target.reason == "no_day":
            yield from ((candidate, OTHER) for candidate in found)
        return
    day = date.fromisoformat(str(sample.target.value))
    roles: defaultdict[int, list[str]] = defaultdict(list)
    for role, value in zip(ROLES, (day.year, day.month, day.day), strict=True):
        roles[value].append(role)
    values = [c.value for c in found]
    for candidate in found:
        fits = roles.get(candidate.value, [OTHER])
        if len(fits) == 1 and values.count(candidate.value) == 1:
            yield candidate, fits[0]
