"""Everything that is computed from a sealed run, in one value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..analysis.cascade import Sweep, sweep
from ..analysis.case import Case
from ..analysis.claims import weigh
from ..analysis.decision import Decision, decide
from ..analysis.flags import flags
from ..analysis.fronts import draw_front
from ..analysis.points import Points
from ..analysis.prices import PriceTable
from ..analysis.stopping import Sequences
from ..analysis.table import Table, priced
from ..analysis.temperature import temperature
from ..analysis.thresholds import Calibration, Chosen, choose, withhold
from ..analysis.timed import Timed, make_timed
from ..analysis.vacuity import Vacuous, vacuous
from ..core.claim import Claim, Correction, Finding
from ..core.front import Front
from ..core.metric import Metric
from ..core.policy import Person
from ..core.sample import Sample
from ..engine.facts import rule_of
from ..engine.keys import CascadeRef
from ..engine.plan import LoadedPlan
from ..stats.inference import Undefined
from ..store.columns import CellColumns, answers_of
from ..store.decisions import digest_of_line
from ..store.journal import first_tries, lines_of, read_lines
from ..store.kept import columns_of
from ..store.manifest import Manifest, Stopping, read_doc
from ..store.rundir import RunDir, cell_of
from ..store.samples import each_sample
from ..store.seal import journals, read_seal
from ..store.timed import read_timing
from .tables import known_of, tables_of


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
    metrics: Mapping[str, Sequence[Metric]],
    claims: Sequence[Claim],
    prices: PriceTable,
    *,
    keep: bool = True,
) -> Results:
    """Compute everything that a sealed run says.  Nothing here calls a model.

    Without ``keep`` every journal is read itself, and nothing that is kept of it.
    """
    by_task: dict[str, dict[str, dict[str, dict[int, CellColumns]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    passes = {
        task: {int(p.stem): read_timing(p) for p in (run.root / "timing" / task).glob("*.jsonl")}
        for task in manifest.tasks
    }
    first: dict[tuple[str, str], dict[str, str]] = {}
    said: dict[str, dict[tuple[str, str, int], NDArray[np.object_]]] = defaultdict(dict)
    shared = _Shared()
    digests = read_seal(run).files if keep else {}
    for path in journals(run):
        cell = cell_of(run.root, path)
        columns = columns_of(run, path, digests.get(str(path.relative_to(run.root))))
        by_task[cell.task][cell.system][cell.split][cell.seed] = shared.texts(columns)
        if manifest.systems[cell.system].per == "class":
            said[cell.task][cell.system, cell.split, cell.seed] = answers_of(list(read_lines(path)))
        if cell.split == "test" and cell.seed == manifest.systems[cell.system].seeds[0]:
            asked_again = {x.sample for lines in passes[cell.task].values() for x in lines}
            asked = lines_of(path, asked_again) if asked_again else ()
            tries = first_tries(asked)
            first[cell.task, cell.system] = {x.decided.sample: digest_of_line(x) for x in tries}
    cases = {}
    # JSON sorts the manifest; tables keep the plan's order, controls last.
    named = [system.name for system in loaded.plan.systems]
    order = [*named, *sorted(manifest.systems.keys() - set(named))]
    for task in manifest.tasks:
        timed = {
            system: one
            for system in order
            if (one := make_timed(system, passes[task], first.get((task, system), {}), prices))
        }
        ordered = {system: by_task[task][system] for system in order}
        known = known_of(run, task)
        tables = {
            system: tables_of(manifest, system, ordered[system], known, said[task])
            for system in order
        }
        case = _case(manifest, task, metrics[task], tables, timed)
        paid = {system: priced(table, prices) for system, table in case.tables.items()}
        followed = None
        if loaded.plan.stop:
            groups = [s.cluster for s in each_sample(run.samples(task, "test"))]
            followed = Sequences.of(groups, rng=manifest.rng)
        cases[task] = replace(case, tables=paid, sequences=followed)
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


class _Shared:
    """Cells that were asked the same share one tuple of ids, and one of groups."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def texts(self, columns: CellColumns) -> CellColumns:
        samples, groups = (self._known.setdefault(t, t) for t in (columns.samples, columns.groups))
        return replace(columns, samples=samples, groups=groups)


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


def _case(
    manifest: Manifest,
    task: str,
    metrics: Sequence[Metric],
    made: Mapping[str, Mapping[str, Table]],
    timed: Mapping[str, Timed],
) -> Case:
    raw: dict[str, Table] = {}
    tables: dict[str, Table] = {}
    thresholds: dict[str, Mapping[int, Chosen]] = {}
    calibration: dict[str, Table] = {}
    temperatures: dict[str, float | Undefined] = {}
    for system, splits in made.items():
        raw[system] = tables[system] = splits["test"]
        if "calibration" in splits:
            calibration[system] = splits["calibration"]
        rule = rule_of(manifest.systems[system], {m.name: m for m in metrics})
        if rule is not None:
            records = Calibration(splits["tune"], splits["calibration"])
            thresholds[system] = choose(records, rule=rule, rng=manifest.rng)
            temperatures[system] = temperature(records)
            tables[system] = withhold(raw[system], thresholds[system])
    lenders = {s: f.of for s, f in manifest.systems.items() if f.of is not None}
    return Case(
        task=task,
        metrics={m.name: m for m in metrics},
        tables=tables,
        raw=raw,
        timed=timed,
        thresholds=thresholds,
        controls=frozenset(s for s, f in manifest.systems.items() if f.control),
        origins={s: f.origin for s, f in manifest.systems.items()},
        rng=manifest.rng,
        calibration=calibration,
        points=Points(thresholds=thresholds, calibration=calibration, of=lenders),
        temperatures=temperatures,
    )


def _with_reuse(finding: Finding, manifest: Manifest) -> Finding:
    if not (uses := manifest.earlier_uses.get(finding.claim.task, 0)):
        return finding
    systems = manifest.earlier_systems.get(finding.claim.task, 0)
    also = f", with {systems} systems," if systems else ""
    note = f"adaptive reuse: {uses} other plans{also} were scored on these test samples before"
    return replace(finding, notes=(*finding.notes, note))
