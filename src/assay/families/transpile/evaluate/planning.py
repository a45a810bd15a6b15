"""Plans made of task files and contestants: one for all tasks that are asked in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import PlanError
from assay.pages import wrong_option

from ..taskfile import RUNS, TaskFile
from .asking import Wanted, Way, kind_of, path_from, task_of, way_of
from .systems import Contestant
from .targets import claims_of

RULES = {"name": "rules", "use": "transpile.rules"}
"""The cheap baseline of every compiler task."""

PATIENCE = 2.0
"""How many times the timeout of an answer the engine waits before it gives a system up."""

LOOK = 7
"""With fewer samples, speed is measured on as few questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan that is to be written."""

    name: str
    plan: dict[str, Any]
    says: str
    """A comment for the head of its file."""

    metric: str
    runs: int
    notes: tuple[str, ...] = ()
    """What whoever reads the results has to know."""


@dataclass(slots=True)
class _Group:
    tasks: list[dict[str, Any]] = field(default_factory=list)
    files: list[TaskFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plans_of(
    files: Sequence[TaskFile], contestants: Sequence[Contestant], wanted: Wanted
) -> list[Planned]:
    """Return the plans of task files, in the order of the files.

    Raises ``PlanError`` A103 for a template that names what the rows have not, A106 where nobody is
    there to be asked; ``DataError`` A200 for a source that cannot be read.
    """
    groups: dict[Way, _Group] = {}
    for file in files:
        kind, why = kind_of(file)
        made, notes = task_of(file, kind, wanted)
        group = groups.setdefault(way_of(file, kind, wanted), _Group())
        group.tasks.append(made)
        group.files.append(file)
        told = [*([why] if why else []), *notes, *file.unused(), *_unasked(file, contestants)]
        group.notes += [f"{file.path}: {each}" for each in told]
    if wanted.corpus is not None and not any(way.kind == "compiler" for way in groups):
        hint = "leave it out, or write `type: compiler` under `ground_truth` of a task"
        raise wrong_option("--corpus", "no task is judged by the compiler", hint)
    names: set[str] = set()
    found = []
    for way, group in groups.items():
        found.append(_plan(way, group, contestants, wanted, names))
    return found


def _unasked(file: TaskFile, contestants: Sequence[Contestant]) -> list[str]:
    asked = {each.name for each in contestants if each.rival}
    left = [each.id for each in file.file.baselines if each.id not in asked]
    if not left:
        return []
    return [f"not asked: the baselines {', '.join(left)} (--baselines {','.join(left)})"]


def _plan(
    way: Way,
    group: _Group,
    contestants: Sequence[Contestant],
    wanted: Wanted,
    taken: set[str],
) -> Planned:
    systems = [_system(each, way, wanted.folder) for each in contestants]
    if way.kind == "compiler":
        systems.insert(0, dict(RULES))
    if not systems:
        hint = "give --models, --baselines, or both"
        raise wrong_option("--models", f"nobody is there to be asked {group.files[0].name}", hint)
    _check_ids(group.files)
    name = _plan_name(group, taken)
    claims, notes = claims_of(group.files, contestants)
    if way.runs < RUNS:
        notes.append(
            f"{way.runs} runs of what is drawn: fewer than {RUNS} say little of another seed"
        )
    plan: dict[str, Any] = {
        "name": name,
        "says": "; ".join(f.file.task.description or f.name for f in group.files),
        "seeds": list(range(way.runs)),
        "tasks": group.tasks,
        "systems": systems,
        "fronts": [[way.metric, "usd_per_1k", "latency_p50"]],
        "claims": claims,
        "timing": _timing(wanted.samples),
        "ship": {"metric": way.metric, **({"margin": 1.0} if way.metric == "bleu" else {})},
        "limits": {"reply_s": max(120.0, PATIENCE * way.timeout_s)},
    }
    return Planned(
        name=name,
        plan={key: value for key, value in plan.items() if value not in ([], "")},
        says=_head(group.files),
        metric=way.metric,
        runs=way.runs,
        notes=(*group.notes, *notes),
    )


def _timing(samples: int | None) -> dict[str, int]:
    """Return how speed is measured: a look at a few samples is not to wait for twenty questions more."""
    if samples is None or samples >= LOOK:
        return {"questions": 1}
    return {"processes": 1, "blocks": max(samples, 2), "questions": 1}


def _check_ids(files: Sequence[TaskFile]) -> None:
    known: dict[str, TaskFile] = {}
    for file in files:
        if (first := known.setdefault(file.name, file)) is not file:
            raise PlanError(
                f"the id {file.name!r} is that of {first.path}, too",
                where=file.read.where("task", "id"),
                hint="give every task an id of its own",
                code="A104",
            )


def _system(each: Contestant, way: Way, folder: Path) -> dict[str, Any]:
    options: dict[str, Any] = dict(each.options)
    if each.path is not None:
        options["model"] = path_from(folder, each.path)
    options |= {
        "temperature": way.temperature,
        "max_tokens": way.max_tokens,
        "timeout_s": way.timeout_s,
    }
    if way.context is not None and each.use == "lm.gguf":
        options["context"] = way.context
    return {"name": each.name, "use": each.use, "options": options}


def _plan_name(group: _Group, taken: set[str]) -> str:
    first, more = group.files[0].name, len(group.files) - 1
    name = f"evaluate-{first}" + (f"-and-{more}-more" if more else "")
    while name in taken:
        name += "+"
    taken.add(name)
    return name


def _head(files: Sequence[TaskFile]) -> str:
    lines = ["Written by `assay rust evaluate` from"]
    for file in files:
        about = file.file.task
        said = [f"version {about.version}"] if about.version else []
        said += [about.domain] if about.domain else []
        lines.append(f"  {file.path}" + (f" ({', '.join(said)})" if said else ""))
    return "\n".join([*lines, "`assay run` runs it again; change a copy, and it is another plan."])
