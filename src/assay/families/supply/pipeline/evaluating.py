"""The stages of all models together: one plan, one sealed run, its front, and room made after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from assay import PlanError, Run, Status, load_tasks
from assay.documents import nearest
from assay.kept import digest_of
from assay.plans import write_plan

from .desk import Desk, Facts, Stage, done
from .journal import Outcome, key_of
from .making import Brought, Made
from .tiers import Validation

if TYPE_CHECKING:
    from assay.engine.teller import Teller

OBJECTIVES = ("accuracy", "usd_per_1k", "latency_p50")
MOST_TIMED = 7
"""With fewer prompts, speed is measured on as few questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What the run came to."""

    run: Path
    evaluate: Outcome
    front: Outcome


def check_task(validation: Validation, *, limit: int | None, where: str) -> None:
    """Check the criteria and the number of prompts before anything is fetched.

    Raises ``PlanError`` A103 for a task or a metric that is not there, A104 for too few prompts.
    """
    tasks = load_tasks(validation.task)
    if not tasks:
        if validation.options:  # a task that needs options is made with the plan
            return
        raise PlanError(
            f"no task is called {validation.task!r}",
            where=where,
            hint=nearest(validation.task, list(load_tasks())),
            code="A103",
        )
    [task] = tasks.values()
    metrics = {metric.name: metric for metric in task.metrics}
    test = task.samples("test")
    for name in validation.criteria:
        if name not in metrics:
            raise PlanError(
                f"{task.name} has no metric {name!r}",
                where=where,
                hint=nearest(name, list(metrics)),
                code="A103",
            )
        tags = [c.removeprefix("tag:") for c in metrics[name].columns if c.startswith("tag:")]
        n = sum(all(tag in sample.tags for tag in tags) for sample in test)
        if min(n, limit or n) < validation.min_prompts:
            raise PlanError(
                f"{name} is about {min(n, limit or n)} prompts, and min_prompts is "
                f"{validation.min_prompts}",
                where="--limit" if limit and limit < n else where,
                hint="ask more prompts, or take the criterion out",
                code="A104",
            )


def evaluate(
    desk: Desk, brought: Sequence[Brought], *, limit: int | None, teller: Teller | None = None
) -> Evaluated | None:
    """Ask every accepted model the task, and draw the front; None where no model was accepted."""
    accepted = [made for each in brought for made in each.made if not made.gate.stopped]
    if not accepted:
        return None
    plan = plan_of(desk, accepted, limit=limit)
    says = _comment(brought)
    inputs = {
        "plan": plan,
        "says": says,
        "models": {made.name: made.converted["sha256"] for made in accepted},
    }
    run = desk.out / f"run-{key_of('evaluate', inputs)[:8]}"

    def ask() -> Facts:
        from assay import run as run_plan

        loaded = write_plan(desk.out / f"{run.name}.yaml", plan, says=says)
        made = run_plan(loaded, out=run, teller=teller)
        names = [system.name for system in made.loaded.plan.systems]
        accuracy = {name: made.estimate("accuracy", name).value for name in names}
        return {
            "run": run.name,
            "seal": digest_of(run / "SEAL").sha256,
            "claims": {f.claim.id: f.status.value for f in made.results.findings},
            "says": ", ".join(f"{name} {value:.2f}" for name, value in accuracy.items()),
        }

    evaluated = done(
        desk,
        Stage(
            name="evaluate",
            of="",
            inputs=inputs,
            do=ask,
            is_there=lambda facts: (
                (run / "SEAL").is_file() and digest_of(run / "SEAL").sha256 == facts["seal"]
            ),
        ),
    )
    if evaluated.stopped:
        return None

    def draw() -> Facts:
        found = Run.load(run).front(OBJECTIVES)
        names = {made.name for made in accepted}
        standing = {p.system: p.standing.value for p in found.points if p.system in names}
        on = [name for name, where in standing.items() if where == "on"]
        return {"standing": standing, "says": f"on it: {', '.join(on) or 'nobody'}"}

    front = done(
        desk, Stage(name="front", of="", inputs={"seal": evaluated.facts["seal"]}, do=draw)
    )
    return Evaluated(run=run, evaluate=evaluated, front=front)


def plan_of(desk: Desk, accepted: Sequence[Made], *, limit: int | None) -> dict[str, Any]:
    """Return the plan that asks every accepted model; each criterion is a census claim on it."""
    validation = desk.file.validation
    task: dict[str, Any] = {"use": validation.task, "name": "sanity"}
    if validation.options:
        task["options"] = dict(validation.options)
    if limit is not None:
        task["limit"] = limit
    few = limit is not None and limit < MOST_TIMED
    claims = [
        {
            "id": f"{made.name}-{metric}",
            "says": f"{made.name} reaches {metric.replace('_', ' ')} {least:g} on these prompts",
            "system": made.name,
            "metric": metric,
            "at_least": least,
            "over": [],
        }
        for made in accepted
        for metric, least in validation.criteria.items()
    ]
    return {
        "name": desk.file.name,
        "says": desk.file.says,
        "tasks": [task],
        "systems": [_system(desk, made) for made in accepted],
        "fronts": [list(OBJECTIVES)],
        **({"claims": claims} if claims else {}),
        "timing": {"processes": 1, "blocks": 2, "questions": 1}
        if few
        else {"processes": 3, "blocks": validation.blocks, "questions": 1},
        "limits": {"reply_s": max(120.0, 4 * validation.timeout_seconds)},
    }


def _system(desk: Desk, made: Made) -> dict[str, Any]:
    validation = desk.file.validation
    return {
        "name": made.name,
        "use": "lm.transformers",
        "options": {
            "model": str(made.path.relative_to(desk.out)),
            "chat": made.model.chat,
            "device": "cpu",
            "max_tokens": validation.max_tokens,
            "timeout_s": validation.timeout_seconds,
        },
    }


def _comment(brought: Sequence[Brought]) -> str:
    """Return the head of the plan: the run seals it, and with it what was stopped on the way."""
    stops = [stop for each in brought for stop in each.stops]
    lines = ["Written by `assay model pipeline`; the run of this plan seals these lines with it."]
    lines += [
        f"accepted {made.name}: sha256 {made.converted['sha256']}"
        for each in brought
        for made in each.made
        if not made.gate.stopped
    ]
    lines += [f"stopped {s.of} at {s.stage}: {' '.join(s.stopped.split())}" for s in stops]
    return "\n".join(lines)


def evict(desk: Desk, brought: Brought, evaluated: Evaluated) -> Outcome | None:
    """Let a model leave the cache when all of it has passed; None where it has not, or stays by wish."""
    from ..keeping.kept import Gone

    if not desk.file.evict or not passed(brought, evaluated) or brought.source is None:
        return None
    laid = desk.out.joinpath(*brought.source.relative_to(desk.out).parts[:2])

    def do() -> Facts:
        freed = 0
        for digest in brought.digests:
            gone = desk.cache.evict(digest)
            freed += gone.freed if isinstance(gone, Gone) else 0
        rmtree(laid, ignore_errors=True)
        return {"freed": freed, "says": f"{freed:,} bytes"}

    return done(
        desk,
        Stage(
            name="evict",
            of=brought.model.id,
            inputs={"seal": evaluated.evaluate.facts["seal"], "files": list(brought.digests)},
            do=do,
            is_there=lambda _: not laid.exists(),
        ),
    )


def passed(brought: Brought, evaluated: Evaluated) -> bool:
    """Whether nothing of a model was stopped, and no criterion of it is missed."""
    if brought.stops or not brought.made:
        return False
    claims = evaluated.evaluate.facts["claims"]
    names = [f"{made.name}-" for made in brought.made]
    return all(
        status == Status.SUPPORTED.value
        for claim, status in claims.items()
        if claim.startswith(tuple(names))
    )
