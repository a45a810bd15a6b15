"""What a user asks to be varied when systems are asked again, and how many answers it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import PlanError
from ..engine.document import parse_document
from ..stats import clusters
from .meant import task_meant
from .rerun import Again, ask_again
from .setups import OF_ALL, Setup
from .stopped import require_one_look

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """One system on one task, asked again with something set otherwise."""

    task: str
    system: str
    says: str
    """What was set: ``batch=8``; ``batch`` for any of its values."""

    changed: int
    asked: int
    ends: tuple[float, float] | None
    """The two-sided 95 % interval of the share, groups of questions as groups; None where it has none."""

    moved: Mapping[str, float]
    """The most that each kind of score changed by."""

    why_not: str = ""
    """Why it could not be asked; empty when it was."""


def setups_of(words: Sequence[str]) -> list[Setup]:
    """Return the setups that words such as ``batch=1,8,32`` ask for.

    Values are YAML.  Raises ``PlanError`` A106 for words that are none.

    >>> [setup.says for setup in setups_of(["batch=1,8", "dtype=bfloat16"])]
    ['batch=1', 'batch=8', 'dtype=bfloat16']
    """
    found: list[Setup] = []
    for word in words:
        axis, sign, listed = word.partition("=")
        if not (axis and sign and all(part.strip() for part in listed.split(","))):
            what = f"--vary needs something and its values, not {word!r}"
            raise PlanError(what, hint="for example --vary batch=1,8,32", code="A106")
        for text in listed.split(","):
            value = parse_document(text, Path(f"--vary {axis}")).value
            if axis in OF_ALL and (type(value) is not int or value < 1):
                what = f"--vary {axis}={text} is no whole number from 1 on"
                raise PlanError(what, hint=f"for example --vary {axis}=1,8", code="A106")
            found.append(Setup(axis=axis, value=value))
    return found


def vary(
    run: Run,
    words: Sequence[str],
    *,
    count: int = 100,
    task: str | None = None,
    systems: Sequence[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Varied]:
    """Ask questions again as words such as ``batch=1,8,32`` say; count the answers that are others than in the run.

    What was recorded is what every setting is compared with.  Without ``systems``, all.  Where something has several values, one
    more line counts the answers that any of them changed.

    Raises ``PlanError`` A103 for a name that is not there, A106 for words that are none, or that no
    system can follow.

    *Not to be trusted when* a system draws its answers (a temperature above 0) on other grounds than
    the question's seed.
    """
    require_one_look(run, "how often systems decide otherwise")
    task = task_meant(run.manifest, task, where=str(run.path))
    setups = setups_of(words)
    for name in systems or ():
        if name not in run.manifest.systems:
            known = ", ".join(run.results.cases[task].rivals)
            what, hint = f"no system is called {name!r}", f"there are: {known}"
            raise PlanError(what, where=str(run.path), hint=hint, code="A103")
    again = ask_again(run, count, setups=setups, tasks=[task], systems=systems, tell=tell)
    if again and all(one.why_not for one in again):
        raise PlanError(
            f"nothing can be varied so: {again[0].system}: {again[0].why_not}",
            where=f"--vary {again[0].setup.says}",
            hint="name an option of the recipe, or batch, at_once, threads or use",
            code="A106",
        )
    groups = {sample.id: sample.cluster for sample in run.results.samples[task]}
    found: list[Varied] = []
    for system in dict.fromkeys(one.system for one in again):
        for axis in dict.fromkeys(setup.axis for setup in setups):
            here = [a for a in again if a.system == system and a.setup.axis in (axis, "")]
            found += _counted(here, axis, groups)
    return found


def _counted(again: Sequence[Again], axis: str, groups: Mapping[str, str]) -> Iterator[Varied]:
    whys = {one.why_not for one in again}
    if len(again) > 1 and len(whys) == 1 and whys != {""}:
        yield _varied(again, axis, groups)
        return
    for one in again:
        yield _varied([one], one.setup.says if one.setup.axis else axis, groups)
    asked = [one for one in again if not one.why_not]
    if len(asked) > 1:
        yield _varied(asked, f"any {axis}", groups)


def _varied(again: Sequence[Again], says: str, groups: Mapping[str, str]) -> Varied:
    first = again[0]
    differ = {name for one in again for name in one.differ}
    changed = np.array([float(name in differ) for name in first.samples])
    ends = None
    if first.samples:
        codes = np.unique([groups[name] for name in first.samples], return_inverse=True)[1]
        ends = clusters.share(changed, np.ones(len(changed)), groups=codes).interval(0.95)
    moved: dict[str, float] = {}
    for one in again:
        for kind, most in one.moved.items():
            moved[kind] = max(most, moved.get(kind, 0.0))
    return Varied(
        task=first.task,
        system=first.system,
        says=says,
        changed=len(differ),
        asked=len(first.samples),
        ends=ends,
        moved=moved,
        why_not=first.why_not,
    )


def facts_of(varied: Varied) -> dict[str, Any]:
    """Return plain values."""
    low, high = varied.ends or (None, None)
    return {
        "system": varied.system,
        "varied": varied.says,
        "changed": varied.changed,
        "asked": varied.asked,
        "low": low,
        "high": high,
        "moved": dict(varied.moved),
        "why_not": varied.why_not or None,
    }
