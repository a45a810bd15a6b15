"""Check a plan whole: every name, number and file, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..analysis.prices import PriceTable
from ..core.artifact import Artifact
from ..core.claim import Claim
from ..core.errors import PlanError
from ..core.metric import Origin
from ..core.system import Loads
from ..store.canon import digest_value
from ..store.samples import fingerprint
from .keys import SystemRef
from .named import check_cascades, check_claims, check_fronts, check_thresholds
from .overrides import nearest
from .plan import LoadedPlan, plain
from .plugins import make_recipe, make_task
from .prices import load_prices, require_known
from .resolved import ResolvedSystem, ResolvedTask
from .stoppable import require_stoppable

CONTROLS = ("silent", "random", "constant")


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

    @property
    def test_digests(self) -> dict[str, str]:
        """The fingerprint of every task's test split."""
        return {name: fingerprint(task.splits["test"]) for name, task in self.tasks.items()}


def resolve(
    loaded: LoadedPlan, *, files: Mapping[str, tuple[Artifact, ...]] | None = None
) -> Resolved:
    """Resolve a plan.

    With ``files``, what each system loads is taken from there by the system's name, and none is looked
    for: so that a run made elsewhere can be held against its plan where no model is.

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
        if system.of is None:
            systems[system.name] = _system(loaded, i, system, files)
    systems = _with_copies(loaded, systems)
    for name in CONTROLS:
        systems[name] = control(loaded, name)
    prices = load_prices(plan.prices, where=loaded.where("prices"), base=base)
    require_known(prices, systems, where=loaded.where("prices"))
    claims = check_claims(loaded, tasks, systems)
    check_fronts(loaded, tasks)
    check_thresholds(loaded, tasks)
    check_cascades(loaded, systems)
    require_stoppable(loaded, {name: task.claimable for name, task in tasks.items()}, claims)
    digest = digest_value(
        {
            "plan": plain(plan),
            "tasks": {n: [t.task.version, _fingerprints(t)] for n, t in tasks.items()},
            "systems": {n: s.digest for n, s in systems.items()},
        }
    )
    return Resolved(loaded, tasks, systems, claims, prices, digest)


def _system(
    loaded: LoadedPlan,
    index: int,
    ref: SystemRef,
    files: Mapping[str, tuple[Artifact, ...]] | None,
) -> ResolvedSystem:
    base = loaded.path.resolve().parent
    where = loaded.where("systems", index, "use")
    recipe = make_recipe(ref.use, ref.options, where=where, base=base)
    seeds = tuple(loaded.plan.seeds)
    artifacts: tuple[Artifact, ...] = ()
    if isinstance(recipe, Loads):
        artifacts = recipe.loads() if files is None else files.get(ref.name, ())
    return ResolvedSystem(
        name=ref.name,
        use=ref.use,
        recipe=recipe,
        options=dict(ref.options),
        seeds=seeds if recipe.seeded else seeds[:1],
        artifacts=artifacts,
        control=False,
        origin=Origin(ref.origin),
        limit=ref.limit,
        abstain=ref.abstain,
        hands_on=any(ref.name in c.order for c in loaded.plan.cascades),
    )


def _with_copies(
    loaded: LoadedPlan, systems: dict[str, ResolvedSystem]
) -> dict[str, ResolvedSystem]:
    """Return the systems in the plan's order, with those that have the replies of another."""
    refs = loaded.plan.systems
    lenders = {ref.of for ref in refs if ref.of is not None}
    found: dict[str, ResolvedSystem] = {}
    for i, ref in enumerate(refs):
        if ref.of is None:
            found[ref.name] = replace(systems[ref.name], lends=ref.name in lenders)
            continue
        if ref.of not in systems:
            raise PlanError(
                f"{ref.name} is of {ref.of!r}, and no system with a recipe is called so",
                where=loaded.where("systems", i, "of"),
                hint=nearest(ref.of, list(systems)),
                code="A103",
            )
        found[ref.name] = replace(
            systems[ref.of],
            name=ref.name,
            of=ref.of,
            abstain=ref.abstain,
            hands_on=any(ref.name in c.order for c in loaded.plan.cascades),
        )
    return found


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


def _fingerprints(task: ResolvedTask) -> dict[str, str]:
    return {split: fingerprint(samples) for split, samples in task.splits.items()}
