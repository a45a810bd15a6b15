"""The records of one task as arrays: what is there, and what each system said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assay import Answer, Better, Bottom, Check, Failed, Metric, Outcome, Record, Reply, Run, Sample
from assay.sections import shipped

from ..domains.classic import ik as classic_ik
from ..domains.classic import rf as classic_rf
from ..domains.classic.vectors import WithinShare as WithinClassicShare
from ..domains.dose import TOLERANCE as DECADES
from ..domains.dose import WithinDecades
from ..domains.ik import TOLERANCE as OF_A_MOVE
from ..domains.ik import TipWithin
from ..domains.rf import TOLERANCE as OF_A_RESPONSE
from ..domains.rf_verifier import WithinShare
from .said import CRASHED, FAILED, NO_REASON, VALUE, Asked, Said

BUDGET = 100_000
"""Records that are read for the figures of a task; a report is made in seconds."""
SHOWN = 8
"""Systems in a figure of lines: more cannot be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A task of a run, read once."""

    run: Run
    task: str
    use: str
    options: Mapping[str, Any]
    asked: Asked
    said: Mapping[str, tuple[Said, ...]]
    """By system, one for each seed; in the plan's order, controls left out."""

    ceilings: frozenset[str]
    """Systems that know how samples are drawn: nobody can be right more often, but by luck."""

    copies: Mapping[str, str]
    """Operating points: the system whose replies they have."""

    colours: Mapping[str, str]

    @property
    def own(self) -> list[str]:
        """The systems with replies of their own."""
        return [system for system in self.said if system not in self.copies]

    @property
    def headline(self) -> str:
        """The task's first metric."""
        return next(iter(self.metrics))

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """What is measured of the task."""
        return self.run.results.cases[self.task].metrics

    @property
    def unread(self) -> str:
        """Say which seeds are not in the figures; empty where all are."""
        seeds = {s: len(self.run.manifest.systems[s].seeds) for s in self.said}
        few = {s: len(said) for s, said in self.said.items() if len(said) < seeds[s]}
        if not few:
            return ""
        return (
            f"Figures below are of the first {min(few.values())} of up to {max(seeds.values())} seeds "
            f"({BUDGET:,} records are read); tables with intervals are of all."
        )

    def pick(self, most: int = SHOWN, *, own: bool = True) -> list[str]:
        """Return up to so many systems: the ceiling, then the best on the headline, in the plan's order."""
        better = self.metrics[self.headline].better
        sign = -1.0 if better is Better.HIGHER else 1.0

        def rank(system: str) -> tuple[bool, float]:
            value = self.run.estimate(self.headline, system, task=self.task).value
            return system not in self.ceilings, float("inf") if value is None else sign * value

        among = self.own if own else list(self.said)
        kept = set(sorted(among, key=rank)[:most])
        return [system for system in among if system in kept]

    def some(self, shown: Sequence[str], of: Sequence[str] | None = None) -> str:
        """Say which systems a figure leaves out; empty where it has all."""
        left = len(self.own if of is None else of) - len(shown)
        return (
            f" The {len(shown)} best on {self.headline}; {left} more are left out." if left else ""
        )

    def file(self, name: str) -> str:
        """Return the path of a figure."""
        return f"figures/{self.task}/{name}.svg"

    def first(self, system: str) -> Said:
        """Return what a system said under its first seed."""
        return self.said[system][0]


def read_task(run: Run, task: str, colours: Mapping[str, str]) -> Evidence:
    """Read the records of a task once: first seeds of every system, then the next, up to a budget."""
    facts = run.manifest.tasks[task]
    options = next(t.options for t in run.loaded.plan.tasks if (t.name or t.use) == task)
    named = {s.name: s for s in run.loaded.plan.systems}
    read: dict[str, dict[int, list[tuple[Sample, Record]]]] = {system: {} for system in named}
    total = largest = 0
    for turn in range(max(len(run.manifest.systems[s].seeds) for s in named)):
        for system in named:
            seeds = run.manifest.systems[system].seeds
            if turn < len(seeds) and (turn == 0 or total + largest <= BUDGET):
                rows = list(shipped(run, system, task=task, seed=seeds[turn]))
                read[system][seeds[turn]] = rows
                total, largest = total + len(rows), max(largest, len(rows))
    samples = {s.id: s for seeds in read.values() for rows in seeds.values() for s, _ in rows}
    asked = _asked([samples[name] for name in sorted(samples)])
    verifier = _verifier(facts.use, options)
    chosen = run.results.cases[task].thresholds
    cuts = {s: {seed: one.value for seed, one in seeds.items()} for s, seeds in chosen.items()}
    return Evidence(
        run=run,
        task=task,
        use=facts.use,
        options=options,
        asked=asked,
        said={
            system: tuple(
                replace(
                    _said(system, seed, asked, [r for _, r in rows if not r.attempt], verifier),
                    chosen=cuts.get(system, {}).get(seed),
                )
                for seed, rows in seeds.items()
            )
            for system, seeds in read.items()
        },
        ceilings=frozenset(
            name for name in named if run.manifest.systems[name].use.endswith("_oracle")
        ),
        copies={name: s.of for name, s in named.items() if s.of is not None},
        colours={system: colours[system] for system in named},
    )


def _asked(samples: Sequence[Sample]) -> Asked:
    width = max((len(_numbers(s.target.value)) for s in samples if isinstance(s.target, Answer)), default=1)  # fmt: skip
    y = np.full((len(samples), width), np.nan)
    truth = np.empty(len(samples), dtype=object)
    for i, sample in enumerate(samples):
        match sample.target:
            case Answer(value):
                truth[i], y[i] = VALUE, _numbers(value)
            case Bottom(reason):
                truth[i] = reason
            case None:
                truth[i] = VALUE
    return Asked(
        ids=tuple(s.id for s in samples),
        x=tuple(_numbers(s.input) for s in samples),
        y=y,
        truth=truth,
        groups=np.array([s.cluster for s in samples], dtype=object),
        tags=tuple(s.tags for s in samples),
        reasons=tuple(sorted({str(t) for t in truth if t != VALUE})),
        samples=tuple(samples),
    )


def _said(system: str, seed: int, asked: Asked, records: Sequence[Record], verifier: Any) -> Said:
    place = {name: i for i, name in enumerate(asked.ids)}
    n = len(asked.ids)
    value, sure = np.full_like(asked.y, np.nan), np.full(n, np.nan)
    word, outcome = np.full(n, CRASHED, dtype=object), np.full(n, CRASHED, dtype=object)
    checks: list[Mapping[str, float]] = [{}] * n
    there, right = (np.zeros(n, dtype=np.bool_) for _ in range(2))
    proposals: list[tuple[int, Answer]] = []
    for record in records:
        i = place[record.sample]
        said, verdict = record.said, record.verdict
        there[i] = verdict.outcome is not Outcome.CRASHED
        outcome[i], checks[i] = verdict.outcome.value, verdict.scores
        right[i] = verdict.outcome is Outcome.CORRECT
        answer: Answer | None = None
        match said:
            case Answer():
                word[i], answer = VALUE, said
            case Bottom(reason, answer):
                word[i] = reason if reason in asked.reasons else NO_REASON
            case Failed():
                word[i] = FAILED
        if answer is None:
            continue
        numbers = _numbers(answer.value)
        if len(numbers) == value.shape[1]:
            value[i] = numbers
        sure[i] = np.nan if answer.confidence is None else answer.confidence
        if isinstance(said, Bottom) and asked.truth[i] == VALUE:
            proposals.append((i, answer))
    for i, check in _checked(asked, proposals, verifier):
        right[i] = bool(check.passed)
    return Said(
        system=system,
        seed=seed,
        asked=there,
        word=word,
        value=value,
        sure=sure,
        outcome=outcome,
        checks=tuple(checks),
        right=right,
    )


def _checked(
    asked: Asked, proposals: Sequence[tuple[int, Answer]], verifier: Any
) -> list[tuple[int, Check]]:
    """Check what would have been said: a threshold that is lower would have let it through."""
    if verifier is None or not proposals:
        return []
    batch = [(asked.samples[i], Reply(asked.ids[i], answer)) for i, answer in proposals]
    found = zip(proposals, verifier.check(batch), strict=True)
    return [(i, check) for (i, _), check in found if isinstance(check, Check)]


def _verifier(use: str, options: Mapping[str, Any]) -> Any:
    """Return what checks a value of a task; None for tables, whose tolerance is in their own units."""
    match use:
        case "science.dose" | "science.dose-classic":
            return WithinDecades(DECADES)
        case "science.rf":
            return WithinShare(OF_A_RESPONSE)
        case "science.rf-classic":
            return WithinClassicShare(classic_rf.SHARE)
        case "science.ik":
            return TipWithin(float(str(options.get("tolerance", OF_A_MOVE))))
        case "science.ik-classic":
            return WithinClassicShare(classic_ik.SHARE)
        case _:
            return None


def _numbers(value: object) -> tuple[float, ...]:
    """Return the numbers of an input or a value; none where it holds others."""
    parts = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in parts):
        return ()
    return tuple(float(v) for v in parts if isinstance(v, int | float))
