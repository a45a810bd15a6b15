"""``dates.phrases``: which day does a short text name, if it names one?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from assay import (
    OUTCOME_METRICS,
    Answer,
    Better,
    Bottom,
    Check,
    Crash,
    Metric,
    Ratio,
    Reply,
    Sample,
    Task,
)

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
NOTATIONS = (
    "{d} {month} {y}",
    "{d:02} {mon} {y}",
    "{th} of {month} {y}",
    "the {th} of {month}, {y}",
    "{month} {d}, {y}",
    "{mon} {d} {y}",
    "{month} the {th}, {y}",
    "{y}, {month} {d}",
    "{y}-{m:02}-{d:02}",
    "{d}.{m}.{y}",
    "{d:02}/{m:02}/{y}",
    "{m:02}/{d:02}/{y}",
)
"""Ways to write a day.  With slashes, either number may come first: so do people."""

NO_DAY = (
    "{month} {y}",
    "the {th} of {month}",
    "{d} of them in {y}",
    "number {d}-{m}",
    "31 {short} {y}",
)
"""Texts that name no day: a part is missing, it is no date, or the month is too short."""

FRAMES = (
    "{}",
    "due {}",
    "born on {}",
    "we meet on {} at 10:30",
    "invoice 118 of {}",
    "{}, room 12",
    "valid until {} for 3 people",
    "flight 7 leaves {}",
    "(signed) {}",
    "page 4 - {}",
    "last seen {}, 2 of 5",
    "from {} on",
    "{}: 40 boxes",
    "re: {}",
    "order 66, {}",
    "paid {} in 3 parts",
)
EACH = 5
"""Texts of one frame and one notation."""

SHARES = (("train", 0.4), ("tune", 0.1), ("calibration", 0.25), ("test", 0.25))


def phrases(*, seed: int = 0) -> Task:
    """Return the task: 272 patterns, 1,360 texts, about a third of which name no day."""

    @cache
    def splits() -> dict[str, list[Sample]]:
        return _split(random.Random(seed))

    return Task(
        name="dates.phrases",
        version="1",
        says="Which day does a short text name, if it names one?",
        samples=lambda split: splits()[split],
        verifier=SameDay(),
        metrics=(*OUTCOME_METRICS, swap_rate),
        license="CC0-1.0",
    )


@dataclass(frozen=True, slots=True)
class SameDay:
    """Right when the answer is the day, as ``2026-02-01``; notes a day and month exchanged."""

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each answer with its target."""
        for sample, reply in batch:
            assert isinstance(sample.target, Answer)
            assert isinstance(reply.said, Answer)
            wanted, said = str(sample.target.value), reply.said.value
            year, month, day = wanted.split("-")
            swapped = said == f"{year}-{day}-{month}" != wanted
            yield Check(passed=said == wanted, scores={"swapped": float(swapped)})


swap_rate = Metric(
    name="swap_rate",
    says="answers with day and month exchanged, of the answers to texts that name a day",
    better=Better.LOWER,
    # Answers that a threshold
    # withholds later keep their scores, hence the product.
    form=Ratio(
        numerator=lambda c: c["check:swapped"] * c["wrong"],
        denominator=lambda c: c["correct"] + c["wrong"],
    ),
    columns=("check:swapped", "wrong", "correct"),
    bounds=(0.0, 1.0),
)


def _split(rng: random.Random) -> dict[str, list[Sample]]:
    """Deal patterns, not texts: a pattern that was trained on is never asked."""
    patterns = [(frame, way) for frame in FRAMES for way in (*NOTATIONS, *NO_DAY)]
    rng.shuffle(patterns)
    made: dict[str, list[Sample]] = {}
    start = 0.0
    for split, share in SHARES:
        end = start + share
        chosen = range(round(start * len(patterns)), round(end * len(patterns)))
        made[split] = [s for k in chosen for s in _write(k, *patterns[k], rng)]
        start = end
    return made


def _write(number: int, frame: str, way: str, rng: random.Random) -> Iterator[Sample]:
    for k in range(EACH):
        day = date.fromordinal(
            rng.randint(date(1995, 1, 1).toordinal(), date(2034, 12, 31).toordinal())
        )
        text = way.format(
            d=day.day,
            m=day.month,
            y=day.year,
            th=ordinal(day.day),
            month=MONTHS[day.month - 1],
            mon=MONTHS[day.month - 1][:3],
            short=rng.choice(("April", "June", "September", "November")),
        )
        yield Sample(
            id=f"p{number:03}-{k}",
            input=frame.format(text),
            target=_target(way, day),
            group=f"pattern/{number:03}",
            tags=frozenset({"no day" if way in NO_DAY else "a day"}),
        )


def _target(way: str, day: date) -> Answer | Bottom:
    if way in NO_DAY:
        return Bottom("no_day")
    if "/" in way and day.day <= 12 and day.day != day.month:
        return Bottom("two_days")  # 03/04/2026: nobody can tell
    return Answer(day.isoformat())


def ordinal(number: int) -> str:
    """Return a number as in a list of days.

    >>> ordinal(1), ordinal(12), ordinal(22)
    ('1st', '12th', '22nd')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number < 14 else ending}"
