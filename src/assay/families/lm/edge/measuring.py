"""Models measured in turn: several processes one after another, and in each the order rotates."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from .job import Job, Ready, Timed
from .process import Process
from .stamps import Answered, Silent, Stamp
from .subject import Subject

PROCESSES = 3
"""How often everything is started anew: what one process happened to get is not what the next one gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How models are measured."""

    prompt: int
    """Tokens, the opening ones included."""

    generate: int
    repeats: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one model, or why nothing was."""

    subject: Subject
    loads_s: tuple[float, ...] = ()
    """One for each process."""

    answers: tuple[Answered, ...] = ()
    peak_bytes: int | None = None
    prompt_sha256: str = ""
    no_energy: str | None = None
    why: str | None = None
    """Why nothing is measured.  The numbers of what broke off half-way are not kept."""

    def share(self, threads: int) -> float | None:
        """Return which share of so many cores it had: well below 1, it waited for others."""
        seconds = sum(each.stamps[-1].seconds for each in self.answers)
        return sum(each.cpu_s for each in self.answers) / (seconds * threads) if seconds else None


@dataclass(slots=True)
class _Taken:
    loads_s: list[float] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    peaks: list[int | None] = field(default_factory=list)
    ready: Ready | None = None
    why: str | None = None


class Started(Protocol):
    """A model that is loaded and warm, in a process of its own."""

    ready: Ready

    def answer(self) -> Timed:
        """Return the times of one answer.  Raises ``Silent``."""
        ...

    def end(self) -> None:
        """End its process."""
        ...


def measure(
    subjects: Sequence[Subject],
    setting: Setting,
    *,
    tell: Callable[[str], None],
    start: Callable[[Job], Started] = Process,
) -> tuple[Measured, ...]:
    """Measure every model, one answer at a time, all of them by turns.

    A model that breaks, hangs or says nothing is not measured and says why; the others go on.
    """
    taken = [_Taken() for _ in subjects]
    for number, count in enumerate(_shares(setting.repeats)):
        with ExitStack() as stack:
            running: dict[int, Started] = {}
            for at, subject in enumerate(subjects):
                if taken[at].why is not None:
                    continue
                tell(f"process {number + 1}: {subject.says}")
                try:
                    process = start(_job(subject, setting))
                except Silent as fault:
                    taken[at].why = fault.what
                    continue
                stack.callback(process.end)
                running[at] = process
                taken[at].ready = process.ready
                taken[at].loads_s.append(process.ready.load_s)
            for block in range(count):
                for at in _rotated(list(running), block):
                    _ask(running, at, taken[at])
    return tuple(_measured(one, each) for one, each in zip(subjects, taken, strict=True))


def load_average() -> tuple[float, ...] | None:
    """Return how many processes wanted a core in the last 1, 5 and 15 minutes; None where unknown."""
    try:
        return tuple(round(each, 2) for each in os.getloadavg())
    except OSError:
        return None


def _ask(running: dict[int, Started], at: int, taken: _Taken) -> None:
    try:
        timed = running[at].answer()
    except Silent as fault:
        taken.why = fault.what
        del running[at]
        return
    stamps = tuple(Stamp(seconds, tokens) for seconds, tokens in timed.stamps)
    taken.answers.append(Answered(stamps=stamps, cpu_s=timed.cpu_s, joules=timed.joules))
    taken.peaks.append(timed.peak_bytes)


def _measured(subject: Subject, taken: _Taken) -> Measured:
    if taken.why is not None or taken.ready is None:
        return Measured(subject=subject, why=taken.why or "it was not asked")
    peaks = [peak for peak in taken.peaks if peak is not None]
    return Measured(
        subject=subject,
        loads_s=tuple(taken.loads_s),
        answers=tuple(taken.answers),
        peak_bytes=max(peaks) if len(peaks) == len(taken.peaks) and peaks else None,
        prompt_sha256=taken.ready.prompt_sha256,
        no_energy=taken.ready.no_energy,
    )


def _job(subject: Subject, setting: Setting) -> Job:
    return Job(
        runtime=subject.runtime,
        path=str(subject.path),
        threads=setting.threads,
        dtype=subject.dtype,
        prompt=setting.prompt,
        generate=setting.generate,
    )


def _shares(repeats: int) -> list[int]:
    """Return how many answers each process gives.

    >>> _shares(21), _shares(5), _shares(1)
    ([7, 7, 7], [2, 2, 1], [1])
    """
    count = min(PROCESSES, repeats)
    return [repeats // count + (n < repeats % count) for n in range(count)]


def _rotated(order: list[int], by: int) -> list[int]:
    by %= max(len(order), 1)
    return order[by:] + order[:by]
