"""What the records of a sealed run say of each task, before anything is claimed of them.

It costs what reading them costs: thresholds are chosen, and nothing is resampled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ..analysis.case import Case
from ..analysis.points import Points
from ..analysis.prices import PriceTable
from ..analysis.rules import Rule
from ..analysis.stopping import Sequences
from ..analysis.table import Table, priced
from ..analysis.temperature import temperature
from ..analysis.thresholds import Calibration, Chosen, choose, withhold
from ..analysis.timed import Timed, make_timed
from ..core.errors import SealError
from ..core.metric import Metric
from ..engine.facts import rule_of
from ..engine.keys import Abstain
from ..engine.plan import LoadedPlan
from ..stats.inference import Undefined
from ..store.columns import CellColumns, answers_of
from ..store.decisions import digest_of_line
from ..store.journal import first_tries, lines_of, read_lines
from ..store.kept import columns_of
from ..store.manifest import Manifest, SystemFacts, first_fault
from ..store.rundir import RunDir, cell_of
from ..store.samples import each_sample
from ..store.seal import journals, read_seal
from ..store.timed import read_timing
from .tables import CHANGED, known_of, tables_of


def cases_of(
    run: RunDir,
    manifest: Manifest,
    loaded: LoadedPlan,
    metrics: Mapping[str, Sequence[Metric]],
    prices: PriceTable,
    *,
    keep: bool = True,
) -> dict[str, Case]:
    """Return the case of each task of a sealed run.  Nothing here calls a model.

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
    if strange := next((name for name in named if name not in manifest.systems), None):
        raise SealError(
            f"the plan has {strange}, and the manifest does not", where=str(run.plan), hint=CHANGED
        )
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
    return cases


class _Shared:
    """Cells that were asked the same share one tuple of ids, and one of groups."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def texts(self, columns: CellColumns) -> CellColumns:
        samples, groups = (self._known.setdefault(t, t) for t in (columns.samples, columns.groups))
        return replace(columns, samples=samples, groups=groups)


def _rule(facts: SystemFacts, metrics: Sequence[Metric], *, where: str) -> Rule | None:
    """Return how a threshold is chosen; raise ``SealError`` A300 for what no plan could have asked."""
    known = {m.name: m for m in metrics}
    aims = {name: getattr(facts, name) for name in ("max_risk", "coverage", "utility", "metric")}
    said = {name: aim for name, aim in aims.items() if aim is not None}
    if not said:
        return None
    if facts.max_risk is not None:
        said["delta"] = facts.delta
    try:
        Abstain.model_validate({**said, "per": facts.per})
    except ValidationError as error:
        what = ": ".join(filter(None, first_fault(error)))
        raise SealError(
            f"no threshold is chosen like this: {what}", where=where, hint=CHANGED
        ) from None
    if facts.metric is not None and facts.metric not in known:
        what = f"a threshold is chosen by {facts.metric}, which the task does not measure"
        raise SealError(what, where=where, hint=CHANGED)
    return rule_of(facts, known)


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
        rule = _rule(manifest.systems[system], metrics, where=f"systems.{system} of the manifest")
        needed = ("test",) if rule is None else ("tune", "calibration", "test")
        if lacks := [split for split in needed if split not in splits]:
            raise SealError(
                f"the manifest has {system}, and there are no records of it on the {lacks[0]} split",
                where=f"the records of {system} on {task}",
                hint=CHANGED,
            )
        raw[system] = tables[system] = splits["test"]
        if "calibration" in splits:
            calibration[system] = splits["calibration"]
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
