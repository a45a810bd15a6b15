"""Claims, fronts and cascades of a plan may name only what the plan has."""

from __future__ import annotations

from ..analysis.metrics import QUANTILES, undirected
from ..core.claim import Claim
from ..core.errors import PlanError
from ..core.metric import Better, Over
from .claims import claims_of, too_narrow
from .document import KeyPath
from .overrides import nearest
from .plan import LoadedPlan
from .resolved import ResolvedSystem, ResolvedTask


def check_claims(
    loaded: LoadedPlan, tasks: dict[str, ResolvedTask], systems: dict[str, ResolvedSystem]
) -> tuple[Claim, ...]:
    """Return the claims of a plan; every name in them must be one of the plan's."""
    for i, ref in enumerate(loaded.plan.claims):

        def wrong(key: str, what: str, hint: str, code: str, at: int = i) -> PlanError:
            return PlanError(what, where=loaded.where("claims", at, key), hint=hint, code=code)

        if not ref.task and len(tasks) > 1:
            raise wrong("id", f"claim {ref.id!r} names no task", "add `task: ...`", "A104")
        task = ref.task or next(iter(tasks))
        if task not in tasks:
            raise wrong("task", f"no task is called {task!r}", nearest(task, list(tasks)), "A103")
        for key, name in (("system", ref.system), ("against", ref.against)):
            if name is not None and name not in systems:
                hint = nearest(name, list(systems))
                raise wrong(key, f"no system is called {name!r}", hint, "A103")
        if ref.against == ref.system:
            raise wrong("against", "a system cannot stand against itself", "name another", "A104")
        names = [*tasks[task].claimable, *QUANTILES]
        if ref.metric not in names:
            what = f"no metric of {task} is called {ref.metric!r}"
            raise wrong("metric", what, nearest(ref.metric, names), "A103")
        _check_over(loaded, i, systems)
        if what := too_narrow(ref, tasks[task].claimable.get(ref.metric)):
            raise wrong("within", what, "write `within: 1.25` for at most a quarter apart", "A104")
    return claims_of(loaded)


def _check_over(loaded: LoadedPlan, index: int, systems: dict[str, ResolvedSystem]) -> None:
    ref = loaded.plan.claims[index]
    names = [ref.system] + ([ref.against] if ref.against else [])
    if Over.SEEDS in ref.generalises and not any(len(systems[n].seeds) > 1 for n in names):
        raise PlanError(
            f"claim {ref.id!r} speaks of seeds, but there is one seed only of {' and '.join(names)}",
            where=loaded.where("claims", index, "over"),
            hint="give the plan more seeds, or leave seeds out of `over`",
            code="A104",
        )


def check_thresholds(loaded: LoadedPlan, tasks: dict[str, ResolvedTask]) -> None:
    """Raise ``PlanError`` A103 unless a metric that chooses a threshold is one of every task, A104 unless one can be best."""
    for i, system in enumerate(loaded.plan.systems):
        wanted = system.abstain.metric if system.abstain else None
        for task in tasks.values():
            names = [metric.name for metric in task.task.metrics]
            if wanted is not None and wanted not in names:
                raise PlanError(
                    f"no metric of {task.name} is called {wanted!r}",
                    where=loaded.where("systems", i, "abstain", "metric"),
                    hint=nearest(wanted, names),
                    code="A103",
                )
            if wanted is not None and task.metrics[wanted].better is Better.NONE:
                raise undirected(wanted, loaded.where("systems", i, "abstain", "metric"))


def check_fronts(loaded: LoadedPlan, tasks: dict[str, ResolvedTask]) -> None:
    """Raise ``PlanError`` A103 unless every metric of fronts and ship is one of a task, A104 unless one can be best."""
    names = {*QUANTILES, *(n for t in tasks.values() for n in t.metrics)}
    wanted: list[tuple[KeyPath, str]] = [
        (("fronts", i, j), metric)
        for i, front in enumerate(loaded.plan.fronts)
        for j, metric in enumerate(front)
    ]
    # The defaults of `ship` are for tasks that have outcomes; what the plan says must exist.
    ship = loaded.plan.ship
    said = sorted(ship.model_fields_set & {"metric", "cheapest"})
    wanted += [(("ship", key), getattr(ship, key)) for key in said]
    for place, metric in wanted:
        if metric not in names:
            raise PlanError(
                f"no metric is called {metric!r}",
                where=loaded.where(*place),
                hint=nearest(metric, sorted(names)),
                code="A103",
            )
        there = [t.metrics[metric] for t in tasks.values() if metric in t.metrics]
        if any(one.better is Better.NONE for one in there):
            raise undirected(metric, loaded.where(*place))


def check_cascades(loaded: LoadedPlan, systems: dict[str, ResolvedSystem]) -> None:
    """Raise ``PlanError`` A103 unless every system of a cascade is one of the plan's."""
    for i, ref in enumerate(loaded.plan.cascades):
        for j, name in enumerate(ref.order):
            if name not in systems:
                raise PlanError(
                    f"no system is called {name!r}",
                    where=loaded.where("cascades", i, "order", j),
                    hint=nearest(name, list(systems)),
                    code="A103",
                )
