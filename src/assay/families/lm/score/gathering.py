"""What sealed runs hold of each category: which systems, on which tasks, and why not on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay import PlanError, Run
from assay.runs import Joint, redrawn

from .draws import RESAMPLES, Draws
from .members import Floats, Membership, membership
from .scoring import Member
from .speeds import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One system of the runs."""

    name: str
    control: bool
    origin: str
    loaded: Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Systems and tasks of some runs."""

    entries: tuple[Entry, ...]
    members: tuple[Member, ...]
    why: Mapping[str, Mapping[str, str]]
    """System to task to what keeps it from counting."""

    left_out: Mapping[str, str]
    """Task to why it counts in no category."""


def gather(runs: Sequence[Run], *, only: Sequence[str] = ()) -> Gathered:
    """Read the tasks of every category from sealed runs, each resampled alike for all systems.

    One system may be in several runs, with other tasks in each.  Raises ``PlanError`` A104 where systems were asked
    other samples or other versions of a task, where two systems have one name, or one was asked a task twice;
    A103 for a name in ``only`` that is not there.
    """
    entries = _entries(runs, only)
    taken: dict[str, Membership] = {}
    asked: dict[str, dict[str, tuple[Run, str]]] = {}
    options: dict[str, Mapping[str, Any]] = {}
    left_out: dict[str, str] = {}
    for run in runs:
        for ref in run.loaded.plan.tasks:
            task = ref.name or ref.use
            found = membership(ref.use, ref.options)
            if found is None:
                left_out[task] = "it is of no category"
                continue
            taken[task], options[task] = found, ref.options
            among = asked.setdefault(task, {})
            for name in run.manifest.systems:
                if name not in entries:
                    continue
                if name in among and not entries[name].control:
                    _refuse(
                        f"{name} was asked {task} in two runs",
                        "give the run that is to be looked at",
                    )
                among.setdefault(name, (run, name))
    _require_apart(asked)
    members: list[Member] = []
    why: dict[str, dict[str, str]] = {name: {} for name in entries}
    for task in sorted(asked):
        if not asked[task]:
            continue
        joint = redrawn(task, asked[task], resamples=RESAMPLES)
        of = taken[task]
        if of.harmless is None and (joint.chance is None or joint.chance >= 1):
            left_out[task] = _unknown(joint)
            continue
        lost = _lost(task, joint, asked[task])
        for system, said in lost.items():
            why[system][task] = said
        members.append(_member(task, of, joint, lost, options[task]))
    return Gathered(
        entries=tuple(entries.values()), members=tuple(members), why=why, left_out=left_out
    )


def _entries(runs: Sequence[Run], only: Sequence[str]) -> dict[str, Entry]:
    known: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    there = [pair for run in runs for pair in run.manifest.systems.items()]
    for name, facts in there:
        if only and name not in only and not facts.control:
            continue
        if known.setdefault(name, facts.digest) != facts.digest and not facts.control:
            _refuse(
                f"two systems are called {name}, and are not the same: they differ in recipe, options or files",
                "score each run by itself, or give one another name in its plan",
            )
        loaded = Loaded(
            use=facts.use,
            options=facts.options,
            digests=frozenset(file.digest for file in facts.files),
        )
        entry = Entry(name=name, control=facts.control, origin=facts.origin.value, loaded=loaded)
        entries.setdefault(name, entry)
    tested = sorted({name for name, facts in there if not facts.control})
    for name in only:
        if name not in tested:
            raise PlanError(
                f"no system under test is called {name!r}",
                where="--system",
                hint=f"there are: {', '.join(tested)}",
                code="A103",
            )
    return entries


def _require_apart(asked: Mapping[str, Mapping[str, tuple[Run, str]]]) -> None:
    """Raise where two tasks hold the same questions: they would count twice."""
    seen: dict[tuple[str, str], str] = {}
    for task in sorted(asked):
        for run, _ in asked[task].values():
            facts = run.manifest.tasks[task]
            other = seen.setdefault((facts.use, facts.splits["test"].digest), task)
            if other != task:
                _refuse(f"{other} and {task} are the same questions", "give one of them")


def _lost(task: str, joint: Joint, asked: Mapping[str, tuple[Run, str]]) -> dict[str, str]:
    lost = {}
    for at, system in enumerate(joint.systems):
        run, name = asked[system]
        if not run.results.cases[task].tables[name].complete:
            lost[system] = "replies were not observed (crashes are left)"
        elif np.isnan(joint.values[at]) or np.isnan(joint.draws[:, at]).mean() > 0.5:
            lost[system] = "it gave nothing that can be measured"
    return lost


def _unknown(joint: Joint) -> str:
    if joint.chance is None:
        return f"nobody can say what {joint.metric.name} comes to by chance on these samples"
    return "whoever knows nothing is always right"


def _member(
    task: str,
    of: Membership,
    joint: Joint,
    lost: Mapping[str, str],
    options: Mapping[str, Any],
) -> Member:
    worth = _worth(of, joint.values, joint.chance)
    chances = joint.chances[:, None]
    draws, smoothed = (_worth(of, each, chances) for each in (joint.draws, joint.smoothed))
    named = str(options.get("task", ""))
    there = [(at, name) for at, name in enumerate(joint.systems) if name not in lost]
    return Member(
        task=task,
        of=of,
        metric=joint.metric.name,
        chance=joint.chance if of.harmless is None else None,
        values={name: float(joint.values[at]) for at, name in there},
        worth={name: float(worth[at]) for at, name in there},
        draws={
            name: Draws.of(draws[:, at], smoothed[:, at], groups=joint.df + 1) for at, name in there
        },
        n=joint.n,
        n_groups=joint.n_groups,
        df=joint.df,
        says=named if named not in ("", of.name, task) else "",
    )


def _worth(of: Membership, values: Floats, chance: float | Floats | None) -> Floats:
    if of.harmless is not None:
        return of.harmless(values)
    assert chance is not None
    worth: Floats = (values - chance) / (1 - chance)
    return worth


def _refuse(what: str, hint: str) -> None:
    raise PlanError(what, where="RUN", hint=hint, code="A104")
