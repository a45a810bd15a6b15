"""Check a plan whole: every name, number and file, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..analysis.attempts import attempt_metrics
from ..analysis.metrics import QUANTILES, determinism, latency_mean, usd_per_1k, usd_per_correct
from ..analysis.prices import PriceTable
from ..analysis.sureness import SURENESS
from ..core.artifact import Artifact
from ..core.claim import Claim
from ..core.errors import PlanError
from ..core.metric import Metric, Origin, Over
from ..core.sample import SPLITS, Sample
from ..core.system import Draws, Loads, Recipe
from ..core.task import Task
from ..store.canon import digest_value
from ..store.samples import fingerprint
from .choose import take
from .claims import claims_of, too_narrow
from .document import KeyPath
from .keys import Abstain, SystemRef, TaskRef
from .overrides import nearest
from .plan import LoadedPlan
from .plugins import make_recipe, make_task
from .policy import system_digest
from .prices import load_prices, require_known
from .splits import check_splits
from .stoppable import require_stoppable

CONTROLS = ("silent", "random", "constant")
TIMED = (usd_per_1k, usd_per_correct, latency_mean, determinism)


@dataclass(frozen=True)
class ResolvedTask:
    """A task of the plan, with its samples at hand."""

    name: str
    ref: TaskRef
    task: Task
    seed: int

    @cached_property
    def splits(self) -> dict[str, list[Sample]]:
        """Every split, checked: unique ids, no group in two splits."""
        made = {split: list(self.task.samples(split)) for split in SPLITS}
        check_splits(self.name, made)
        if self.ref.limit is not None:
            made["test"] = take(made["test"], self.ref.limit, seed=self.seed)
        return made

    def asked(self, split: str, limit: int | None) -> list[Sample]:
        """Return the samples that a system with this limit is asked."""
        samples = self.splits[split]
        if limit is None or limit >= len(samples):
            return samples
        return take(samples, limit, seed=self.seed)

    def attempts(self, recipe: Recipe) -> int:
        """Return how often a system is asked each test question: once, if it does not draw."""
        return self.ref.attempts if isinstance(recipe, Draws) and recipe.draws else 1

    @property
    def own_metrics(self) -> tuple[Metric, ...]:
        """The task's metrics, and those of asking it several times."""
        return metrics_of(self.task, self.ref)

    @property
    def metrics(self) -> dict[str, Metric]:
        """Every metric that can be named on this task."""
        return {m.name: m for m in (*self.own_metrics, *TIMED)}

    @property
    def claimable(self) -> dict[str, Metric]:
        """Those, and what may be claimed of a confidence."""
        return SURENESS | self.metrics


def metrics_of(task: Task, ref: TaskRef) -> tuple[Metric, ...]:
    """Return the metrics of a task in a plan: its own, and those of asking it several times."""
    return (*task.metrics, *attempt_metrics(ref.attempts))


@dataclass(frozen=True, slots=True)
class ResolvedSystem:
    """A system of the plan, with its recipe and files at hand."""

    name: str
    use: str
    recipe: Recipe
    options: dict[str, object]
    seeds: tuple[int, ...]
    artifacts: tuple[Artifact, ...]
    control: bool
    origin: Origin
    limit: int | None = None
    abstain: Abstain | None = None
    hands_on: bool = False
    """Whether a cascade of the plan asks it."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that it is asked: calibration only where a threshold is chosen on it."""
        if self.abstain:
            return ("tune", "calibration", "test")
        return ("calibration", "test") if self.hands_on else ("test",)

    def limit_of(self, split: str) -> int | None:
        """Return the limit of a split: a threshold is chosen on every calibration question."""
        limited = ("test",) if self.abstain else ("test", "calibration")
        return self.limit if split in limited else None

    @property
    def digest(self) -> str:
        """Names what runs: the recipe, its options, and the bytes that it loads."""
        return system_digest(self.use, self.options, self.artifacts)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A plan in which nothing is left to be looked up."""

    loaded: LoadedPlan
    tasks: dict[str, ResolvedTask]
    systems: dict[str, ResolvedSystem]
    claims: tuple[Claim, ...]
    prices: PriceTable
    digest: str
    """Equal digests ask the same questions of the same systems: a run can be resumed."""

    @property
    def rng(self) -> int:
        """Seed of sampling and resampling, from the plan's name and seeds."""
        return int(digest_value([self.loaded.plan.name, self.loaded.plan.seeds])[7:15], 16)


def resolve(loaded: LoadedPlan) -> Resolved:
    """Resolve a plan.

    Raises ``PlanError`` A103 for a name that does not exist, A104 for a contradiction;
    ``PluginError`` A401 / A403 for an extra or a model file that is missing; ``DataError`` A201
    for samples that leak.
    """
    plan = loaded.plan
    base = loaded.path.resolve().parent
    rng = int(digest_value([plan.name, plan.seeds])[7:15], 16)
    tasks: dict[str, ResolvedTask] = {}
    for i, ref in enumerate(plan.tasks):
        where = loaded.where("tasks", i, "use")
        task = make_task(ref.use, ref.options, where=where, base=base)
        name = ref.name or ref.use
        tasks[name] = ResolvedTask(name, ref, task, rng)
    systems: dict[str, ResolvedSystem] = {}
    for i, system in enumerate(plan.systems):
        if system.name in CONTROLS:
            raise PlanError(
                f"{system.name!r} is the name of a control; controls run beside every plan",
                where=loaded.where("systems", i),
                hint="choose another name",
                code="A104",
            )
        systems[system.name] = _system(loaded, i, system)
    for name in CONTROLS:
        systems[name] = control(loaded, name)
    prices = load_prices(plan.prices, where=loaded.where("prices"), base=base)
    require_known(prices, systems, where=loaded.where("prices"))
    claims = check_claims(loaded, tasks, systems)
    check_fronts(loaded, tasks)
    _check_cascades(loaded, systems)
    require_stoppable(loaded, {name: task.claimable for name, task in tasks.items()}, claims)
    digest = digest_value(
        {
            "plan": plan.model_dump(mode="json"),
            "tasks": {n: [t.task.version, _fingerprints(t)] for n, t in tasks.items()},
            "systems": {n: s.digest for n, s in systems.items()},
        }
    )
    return Resolved(loaded, tasks, systems, claims, prices, digest)


def _system(loaded: LoadedPlan, index: int, ref: SystemRef) -> ResolvedSystem:
    base = loaded.path.resolve().parent
    where = loaded.where("systems", index, "use")
    recipe = make_recipe(ref.use, ref.options, where=where, base=base)
    seeds = tuple(loaded.plan.seeds)
    return ResolvedSystem(
        name=ref.name,
        use=ref.use,
        recipe=recipe,
        options=dict(ref.options),
        seeds=seeds if recipe.seeded else seeds[:1],
        artifacts=recipe.loads() if isinstance(recipe, Loads) else (),
        control=False,
        origin=Origin(ref.origin),
        limit=ref.limit,
        abstain=ref.abstain,
        hands_on=any(ref.name in c.order for c in loaded.plan.cascades),
    )


def control(loaded: LoadedPlan, name: str) -> ResolvedSystem:
    """Return a control, which stands beside every plan."""
    base = loaded.path.resolve().parent
    recipe = make_recipe(f"control.{name}", {}, where="controls", base=base)
    seeds = tuple(loaded.plan.seeds)
    return ResolvedSystem(
        name=name,
        use=f"control.{name}",
        recipe=recipe,
        options={},
        seeds=seeds if recipe.seeded else seeds[:1],
        artifacts=(),
        control=True,
        origin=Origin.MEASURED,
    )


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


def check_fronts(loaded: LoadedPlan, tasks: dict[str, ResolvedTask]) -> None:
    """Raise ``PlanError`` A103 unless every metric of fronts and ship is one of a task."""
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


def _check_cascades(loaded: LoadedPlan, systems: dict[str, ResolvedSystem]) -> None:
    for i, ref in enumerate(loaded.plan.cascades):
        for j, name in enumerate(ref.order):
            if name not in systems:
                raise PlanError(
                    f"no system is called {name!r}",
                    where=loaded.where("cascades", i, "order", j),
                    hint=nearest(name, list(systems)),
                    code="A103",
                )


def _fingerprints(task: ResolvedTask) -> dict[str, str]:
    return {split: fingerprint(samples) for split, samples in task.splits.items()}
