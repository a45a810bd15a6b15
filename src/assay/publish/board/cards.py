"""Make, write and read the card of a sealed run.

*Covered*: numbers come from records alone, what crashed or was not asked has a reason in the place of a number, systems
that were not asked the same stand apart.  *Not covered*: whether the run was made as its provenance says; sign it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ...analysis.case import Case
from ...analysis.fronts import p_of_beating
from ...core.claim import Finding
from ...core.errors import DataError, PluginError, SealError
from ...core.metric import Estimate
from ...engine.plugins import known, load
from ...store.canon import digest_file, digest_value, parsed, pretty, write_whole
from ...store.manifest import first_fault
from ..run import Run
from ..words import claim_scale, value_and_ends
from .card import (
    SCHEMA,
    ArchiveCard,
    Beats,
    Card,
    ClaimCard,
    ColumnFacts,
    FileCard,
    Measured,
    Part,
    ScoreCard,
    SystemCard,
    TaskCard,
)
from .columns import BoardColumn
from .curves import curves_of
from .files import read_file
from .hardware import hardware_of
from .measuring import (
    Sitting,
    columns_of,
    measured,
    number_of,
    objectives_of,
    restricted,
    sitting_of,
)

SHOWN = 0.05
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Which model of the board a system is."""

    model: str
    quantisation: str | None = None
    mapped: Literal["digest", "plan", "hand"] = "hand"


def card_of(
    run: Run,
    *,
    placed: Mapping[str, Placing] | None = None,
    suite: Mapping[str, str] | None = None,
    archive: ArchiveCard | None = None,
) -> Card:
    """Return the card of a sealed run: a function of its sealed files, of what is given, and of the plugins.

    Raises what ``Run.results`` does; ``PluginError`` A400 for a plugin of ``assay.board`` that is broken.
    """
    manifest, facts, results = run.manifest, run.provenance, run.results
    last: Mapping[str, Any] = facts.attempts[-1] if facts.attempts else {}
    hardware = hardware_of(facts.machine)
    commit = facts.git.get("commit")
    sittings = _sittings(run)
    parts = tuple(_parts(run, sittings))
    used = {asked for part in parts for asked in part.asked.values()}
    return Card(
        seal=seal_of(run),
        run=manifest.run,
        plan=manifest.name,
        says=manifest.says,
        plan_digest=manifest.plan,
        suite=None if suite is None else dict(suite),
        date=_date(last),
        assay=str(last.get("assay", "")),
        machine=hardware.says,
        hardware=hardware,
        packages=dict(manifest.packages),
        commit=commit if isinstance(commit, str) else None,
        prices=results.prices.says(),
        stopped=run.loaded.plan.stop is not None,
        records=sum(cell.n for cell in facts.cells),
        tasks={name: _task(run, case) for name, case in results.cases.items()},
        systems={name: _system(run, name, (placed or {}).get(name)) for name in manifest.systems},
        asked={s.digest: s.asked for (_, s) in sorted(sittings.items()) if s.digest in used},
        parts=parts,
        claims=tuple(_claim(results.cases[f.claim.task], f) for f in results.findings),
        beats=tuple(_beats(case) for case in results.cases.values() if case.sequences is None),
        curves=tuple(curve for case in results.cases.values() for curve in curves_of(case)),
        scores=tuple(_scores(run)),
        archive=archive,
    )


def seal_of(run: Run) -> str:
    """Return the sha256 of a run's SEAL: what names it on the board."""
    return digest_file(run.dir.seal).removeprefix("sha256:")


def card_bytes(card: Card) -> bytes:
    """Return a card as it is stored; equal cards have equal bytes."""
    return pretty(card.model_dump(mode="json"))


def write_card(card: Card, path: Path) -> None:
    """Write a card, whole or not at all."""
    write_whole(path, card_bytes(card))


def read_card(path: Path) -> Card:
    """Read a card.

    Raises ``SealError`` A302 where another schema version wrote it, ``DataError`` A200 where it is damaged.
    """
    hint = "remove it, and make it again: assay board add RUN"
    try:
        raw: Any = parsed(read_file(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"this card is not JSON: {error}", where=str(path), hint=hint) from None
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA:
        said = "none" if version is None else repr(version)
        raise SealError(
            f"a card of schema version {said}, but this assay reads version {SCHEMA}",
            where=str(path),
            hint="read it with the assay that wrote it, or add the run again",
            code="A302",
        )
    try:
        return Card.model_validate(raw)
    except ValidationError as error:
        place, said = first_fault(error)
        raise DataError(f"{place}: {said}", where=str(path), hint=hint) from None


def _sittings(run: Run) -> dict[tuple[str, str], Sitting]:
    """Return what each system was asked on each task."""
    known_already: dict[tuple[str, tuple[str, ...]], Sitting] = {}
    found = {}
    for task, case in run.results.cases.items():
        for system, table in case.tables.items():
            key = task, table.samples
            if key not in known_already:
                known_already[key] = sitting_of(task, table)
            found[task, system] = known_already[key]
    return found


def _parts(run: Run, sittings: Mapping[tuple[str, str], Sitting]) -> Iterator[Part]:
    """Yield systems that were asked the same, in the plan's order, each with the controls on the same samples."""
    cases = run.results.cases
    first = next(iter(cases.values()))
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for system in first.rivals:
        asked = (sittings[task, system].digest for task in cases)
        alike[first.origins[system].value, *asked].append(system)
    for (origin, *_), systems in alike.items():
        here = {task: sittings[task, systems[0]] for task in cases}
        rows: dict[str, dict[str, Measured]] = {}
        for task, case in cases.items():
            controls = [
                c for c in sorted(case.controls) if {*here[task].ids} <= {*case.tables[c].samples}
            ]
            alone = restricted(case, controls, here[task].ids)
            for system in systems:
                rows.setdefault(system, {})[task] = measured(case, system, here[task])
            for control in controls:
                rows.setdefault(control, {})[task] = measured(alone, control, here[task])
        yield Part(origin=origin, asked={task: s.digest for task, s in here.items()}, systems=rows)


def _task(run: Run, case: Case) -> TaskCard:
    facts = run.manifest.tasks[case.task]
    asked = {r.name or r.use: [r.options, r.attempts] for r in run.loaded.plan.tasks}
    return TaskCard(
        use=facts.use,
        version=facts.version,
        says=facts.says,
        headline=case.headline.name,
        test=facts.splits["test"].digest,
        settings=digest_value(asked[case.task]),
        caveats=facts.caveats,
        columns=columns_of(case),
    )


def _system(run: Run, name: str, placing: Placing | None) -> SystemCard:
    facts = run.manifest.systems[name]
    files = {f.digest: f for f in facts.files}
    return SystemCard(
        use=facts.use,
        options=facts.options,
        origin=facts.origin.value,
        control=facts.control,
        digest=facts.digest,
        seeds=len(facts.seeds),
        files=tuple(
            FileCard(
                digest=f.digest,
                kind=f.kind,
                size=f.size,
                license=f.license,
                source=f.source,
                made=bool(f.parents),
            )
            for _, f in sorted(files.items())
        ),
        model=placing.model if placing else None,
        quantisation=placing.quantisation if placing else None,
        mapped=placing.mapped if placing else "",
    )


def _claim(case: Case, finding: Finding) -> ClaimCard:
    claim = finding.claim
    scale = claim_scale(claim, case.contrast(claim.metric))
    return ClaimCard(
        id=claim.id,
        says=claim.says,
        status=finding.status.value,
        text=value_and_ends(finding.estimate, scale),
        task=claim.task,
        system=claim.system,
        against=claim.against,
        metric=claim.metric,
        relation=claim.relation.value,
        bound=claim.bound,
        exploratory=claim.exploratory,
    )


def _beats(case: Case) -> Beats:
    """Return what is shown on the front of a task; pairs that were not asked the same show nothing."""
    objectives = objectives_of(case.headline.name)
    found = []
    for one, other in permutations(case.rivals, 2):
        same = {*case.tables[one].samples} == {*case.tables[other].samples}
        p = p_of_beating(case, one, other, objectives) if same else None
        if p is not None and p <= SHOWN:
            found.append((one, other, float(f"{p:.12g}")))
    return Beats(task=case.task, objectives=objectives, pairs=tuple(found))


def _scores(run: Run) -> Iterator[ScoreCard]:
    for name in sorted(known("assay.board")):
        for column in load("assay.board", name)(run):
            if not isinstance(column, BoardColumn):
                kind = type(column).__name__
                raise PluginError(f"the board column {name!r} is {kind}, no BoardColumn")
            low, high = (each if abs(each) < float("inf") else None for each in column.bounds)
            yield ScoreCard.model_validate(
                {
                    "source": name,
                    "column": ColumnFacts.model_validate(
                        {
                            "metric": column.metric,
                            "label": column.label,
                            "says": column.says,
                            "unit": column.unit,
                            "better": column.better.value,
                            "bounds": (low, high),
                            "ratio": False,
                            "group": column.group,
                        }
                    ),
                    "cells": {
                        system: number_of(cell) if isinstance(cell, Estimate) else cell
                        for system, cell in column.cells.items()
                    },
                }
            )


def _date(attempt: Mapping[str, Any]) -> str:
    found = _DATE.match(str(attempt.get("sealed", "")))
    return found[0] if found else ""
