"""Everything that is computed from a sealed run, in one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..analysis.cascade import Sweep, sweep
from ..analysis.case import Case
from ..analysis.claims import weigh
from ..analysis.decision import Decision, decide
from ..analysis.flags import flags
from ..analysis.fronts import draw_front
from ..analysis.prices import PriceTable
from ..analysis.vacuity import Vacuous, vacuous
from ..core.claim import Claim, Correction, Finding
from ..core.errors import SealError
from ..core.front import Front
from ..core.policy import Person
from ..core.sample import Sample
from ..engine.keys import CascadeRef
from ..engine.plan import LoadedPlan
from ..store.manifest import Manifest, Stopping, read_doc
from ..store.rundir import RunDir
from ..store.samples import each_sample
from .tables import CHANGED


@dataclass(frozen=True)
class Results:
    """A run, computed.  Equal sealed files and equal packages give equal results."""

    manifest: Manifest
    loaded: LoadedPlan
    prices: PriceTable
    cases: Mapping[str, Case]
    findings: tuple[Finding, ...]
    decisions: Mapping[str, Decision]
    vacuous: Mapping[str, Vacuous]
    """Systems whose claims a control satisfies too."""

    flags: Mapping[tuple[str, str, str], str]
    """(task, system, metric) to the control that does as well."""

    samples: Mapping[str, tuple[Sample, ...]]
    """Test samples by task."""

    stopping: Stopping | None = None
    """Where a run stopped that may stop early; None for every other."""

    @cached_property
    def fronts(self) -> tuple[Front, ...]:
        """Every front of the plan, on every task that has its objectives."""
        return tuple(
            draw_front(case, objectives)
            for case in self.cases.values()
            for objectives in self.loaded.plan.fronts
            if all(case.knows(objective) for objective in objectives)
        )

    @cached_property
    def sweeps(self) -> tuple[Sweep, ...]:
        """Every cascade of the plan, on every task."""
        plan = self.loaded.plan
        return tuple(
            sweep_case(case, ref.order, person=_person(ref), margin=_margin(ref, plan.ship.margin))
            for case in self.cases.values()
            for ref in plan.cascades
        )


def compute(
    run: RunDir,
    manifest: Manifest,
    loaded: LoadedPlan,
    cases: Mapping[str, Case],
    claims: Sequence[Claim],
    prices: PriceTable,
) -> Results:
    """Compute everything that the cases of a sealed run say.  Nothing here calls a model."""
    _require_named(claims, cases, where=str(run.plan))
    correction = Correction(loaded.plan.correction)
    findings = weigh([cases[c.task].evidence(c) for c in claims], correction=correction)
    findings = [_with_reuse(f, manifest) for f in findings]
    ship = loaded.plan.ship
    decisions = {
        task: decide(
            case,
            [f for f in findings if f.claim.task == task],
            metric=ship.metric if ship.metric in case.metrics else case.headline.name,
            margin=ship.margin,
            cheapest=ship.cheapest,
        )
        for task, case in cases.items()
    }
    return Results(
        manifest=manifest,
        loaded=loaded,
        prices=prices,
        cases=cases,
        findings=tuple(findings),
        decisions=decisions,
        vacuous=vacuous(cases, claims),
        flags=flags(cases),
        samples=_TestSamples(run, manifest.tasks),
        stopping=read_doc(Stopping, run.stopping) if loaded.plan.stop else None,
    )


def _require_named(claims: Sequence[Claim], cases: Mapping[str, Case], *, where: str) -> None:
    """Raise ``SealError`` A300 for a claim on what the run does not have; no plan that was asked holds one."""
    for claim in claims:
        case = cases.get(claim.task)
        strange = [s for s in claim.systems if s not in case.tables] if case else [claim.task]
        if strange:
            what = f"claim {claim.id!r} is on {strange[0]!r}, which the run does not have"
            raise SealError(what, where=where, hint=CHANGED)


class _TestSamples(Mapping[str, tuple[Sample, ...]]):
    """The test samples of each task, read when they are first looked at: few numbers need them."""

    def __init__(self, run: RunDir, tasks: Iterable[str]) -> None:
        self._run, self._tasks = run, tuple(tasks)
        self._read: dict[str, tuple[Sample, ...]] = {}

    def __getitem__(self, task: str) -> tuple[Sample, ...]:
        if task not in self._tasks:
            raise KeyError(task)
        if task not in self._read:
            self._read[task] = tuple(each_sample(self._run.samples(task, "test")))
        return self._read[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)


def sweep_case(
    case: Case, order: Sequence[str], *, person: Person | None = None, margin: float = 0.0
) -> Sweep:
    """Try every threshold of a cascade on the records of one task.

    Raises ``PlanError`` A103 for an unknown system, A104 where the records cannot serve.
    """
    return sweep(
        case.raw,
        case.calibration,
        case.timed,
        order=order,
        person=person,
        margin=margin,
        rng=case.rng,
        task=case.task,
    )


def _margin(ref: CascadeRef, default: float) -> float:
    return default if ref.margin is None else ref.margin


def _person(ref: CascadeRef) -> Person | None:
    return None if ref.person is None else Person(usd=ref.person.usd, right=ref.person.right)


def _with_reuse(finding: Finding, manifest: Manifest) -> Finding:
    if not (uses := manifest.earlier_uses.get(finding.claim.task, 0)):
        return finding
    systems = manifest.earlier_systems.get(finding.claim.task, 0)
    also = f", with {systems} system{'s' if systems > 1 else ''}," if systems else ""
    plans = "1 other plan" if uses == 1 else f"{uses} other plans"
    were = "was" if uses == 1 else "were"
    note = f"adaptive reuse: {plans}{also} {were} scored on these test samples before"
    return replace(finding, notes=(*finding.notes, note))
