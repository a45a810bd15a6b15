"""What describes an imported run: its plan, manifest, provenance and seal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ...core.errors import DataError, PlanError
from ...core.metric import Origin
from ...engine import reported
from ...engine.document import parse_document
from ...engine.execute import NUMBERS_COME_FROM
from ...engine.facts import system_facts
from ...engine.foreign import Log
from ...engine.keys import Plan
from ...engine.ledger import count_systems, count_uses
from ...engine.named import check_claims, check_fronts
from ...engine.plan import LoadedPlan, plain
from ...engine.prices import from_prices, load_prices
from ...engine.resolve import control
from ...engine.resolved import ResolvedSystem, ResolvedTask
from ...store.canon import digest_file, digest_value, write_whole
from ...store.machine import packages
from ...store.manifest import (
    ArtifactFacts,
    Manifest,
    Provenance,
    PublishedFacts,
    PublishedNumbers,
    SystemFacts,
    TaskFacts,
    write_doc,
)
from ...store.seal import seal
from .metrics import lower_in, task_of, what_is_known
from .names import file_name
from .settings import Choice, explain
from .spool import SILENT, Asked, Spool


class Making:
    """A manifest, a plan and a seal, from rows that are written already."""

    manifest: Manifest

    def __init__(self, spool: Spool, log: Log, path: Path, choice: Choice) -> None:
        self.spool, self.log, self.choice = spool, log, choice
        self.numbers = self._numbers()
        if not spool.asked and not self.numbers:
            raise DataError(
                "there is no record in it"
                + (" that was asked for" if choice.tasks or choice.systems else ""),
                where=str(path),
                hint="check the path, and --task and --system",
            )
        self.files = tuple(
            ArtifactFacts(
                digest=digest_file(file),
                kind="log",
                size=file.stat().st_size,
                source=file.name,
                made_by=log.tool,
            )
            for file in log.files
        )
        self.splits = {task: spool.splits(task) for task in spool.asked}
        self.cells = spool.finish()
        self.loaded = self._plan(path)
        self.tasks = {
            ref.name: ResolvedTask(ref.name, ref, task_of(ref.options), 0)
            for ref in self.loaded.plan.tasks
        }
        self.systems = self._systems()
        self._check_names()
        self.digest = digest_value(
            {
                "plan": plain(self.loaded.plan),
                "tasks": {t: s["test"].digest for t, s in self.splits.items()},
                "systems": {n: s.digest for n, s in self.systems.items()},
            }
        )

    def _numbers(self) -> tuple[PublishedFacts, ...]:
        return tuple(
            PublishedFacts(
                task=cell.task,
                system=cell.system,
                metric=metric,
                value=said.value,
                source=said.source,
            )
            for cell, metric, said in self.log.numbers()
            if (not self.choice.tasks or cell.task in self.choice.tasks)
            and (not self.choice.systems or cell.system in self.choice.systems)
        )

    def _plan(self, path: Path) -> LoadedPlan:
        settings = self.choice.settings
        given: dict[str, Any] = dict(settings.value) if settings else {}
        name = path.resolve().name
        asked = self.spool.asked
        seeds = sorted({cell.seed for cell in self.spool.seen}) or [0]
        plan: dict[str, Any] = {
            "name": given.pop("name", file_name(path.stem or name)),
            "says": given.pop("says", f"What {self.log.tool} reported in {name}"),
            "seeds": seeds,
            "tasks": [
                {"use": reported.TASK, "name": task, "options": options}
                for task, options in self._task_options().items()
            ],
            "systems": [
                {
                    "name": system,
                    "use": reported.SYSTEM,
                    "options": {"name": text, "tool": self.log.tool},
                    "origin": Origin.REPORTED.value,
                }
                for text, system in sorted(
                    self._system_names().items(),
                    key=lambda one: bool(set(one) & set(self.choice.controls)),
                )
            ],
            **given,
        }
        self._defaults(plan, asked)
        text = "# Written by `assay import`: other tools asked these systems, nobody can again.\n"
        text += yaml.safe_dump(plan, sort_keys=False, allow_unicode=True, width=100)
        here = settings or parse_document(text, Path("plan.yaml"))
        try:
            model = Plan.model_validate(plan)
        except ValidationError as error:
            raise explain(error, here) from None
        return LoadedPlan(plan=model, text=text, path=here.path, document=here)

    def _task_options(self) -> dict[str, dict[str, Any]]:
        names = self.spool.task_names
        versions = {names.of(t, ""): v for t, v in self.log.versions.items()}
        found = {
            task: what_is_known(asked, lower_in(task, self.log.lower, names.known))
            | {"version": versions.get(task, "1")}
            for task, asked in self.spool.asked.items()
        }
        for number in self.numbers:
            nothing = {"metrics": ["accuracy"], "scores": {}, "version": "1"}
            found.setdefault(names.of(number.task, ""), nothing)
        return found

    def _system_names(self) -> dict[str, str]:
        names = self.spool.system_names
        for number in self.numbers:
            names.of(number.system, "")
        there = {cell.system for cell in self.spool.seen} | {
            names.of(number.system, "") for number in self.numbers
        }
        return {text: made for text, made in names.known.items() if made in there}

    def _defaults(self, plan: dict[str, Any], asked: dict[str, Asked]) -> None:
        """Draw a front, and pick the cheapest, on what every task has."""
        spent = set.intersection(*(a.spent for a in asked.values())) if asked else set()
        costs = [reported.SPENT[c].name for c in ("billed_usd", "latency_s") if c in spent]
        if costs and "fronts" not in plan:
            first = {task["options"]["metrics"][0] for task in plan["tasks"]}
            plan["fronts"] = [[metric, cost] for metric in sorted(first) for cost in costs]
        ship = plan.get("ship") or {}
        if costs and isinstance(ship, dict) and "cheapest" not in ship:
            plan["ship"] = {**ship, "cheapest": costs[0]}

    def _systems(self) -> dict[str, ResolvedSystem]:
        found = {}
        for ref in self.loaded.plan.systems:
            seeds = sorted({c.seed for c in self.spool.seen if c.system == ref.name}) or [0]
            found[ref.name] = ResolvedSystem(
                name=ref.name,
                use=ref.use,
                recipe=reported.ReportedSystem(),
                options=dict(ref.options),
                seeds=tuple(seeds),
                artifacts=(),
                control=ref.name in self._controls(),
                origin=Origin.REPORTED,
            )
        if self.spool.asked:
            found[SILENT] = control(self.loaded, SILENT)
        return found

    def _controls(self) -> set[str]:
        known = self.spool.system_names.known
        made = {known.get(name, name) for name in self.choice.controls}
        for name in made - {s.name for s in self.loaded.plan.systems}:
            hint = f"it has {', '.join(s.name for s in self.loaded.plan.systems)}"
            raise PlanError(f"the log has no system {name!r}", hint=hint, code="A103")
        if made and len(made) == len(self.loaded.plan.systems):
            raise PlanError(
                "every system of the log is called a control",
                hint="leave one of them to be judged",
                code="A104",
            )
        return made

    def _check_names(self) -> None:
        with_records = {n: t for n, t in self.tasks.items() if n in self.spool.asked}
        if self.loaded.plan.claims and not with_records:
            raise PlanError(
                "no claim can be made: the log holds aggregates without records",
                where=self.loaded.where("claims"),
                hint="import the log with its samples",
                code="A104",
            )
        check_claims(self.loaded, with_records, self.systems)
        check_fronts(self.loaded, self.tasks)

    def write(self, run: str, root: Path, begun: datetime, clock: Callable[[], datetime]) -> int:
        """Write what describes the run, and seal it."""
        folder, loaded = self.spool.run, self.loaded
        write_whole(folder.plan, loaded.text.encode("utf-8"))
        versions = packages()
        test = {task: splits["test"].digest for task, splits in self.splits.items()}
        self.manifest = Manifest(
            run=run,
            name=loaded.plan.name,
            says=loaded.plan.says,
            plan=self.digest,
            seeds=tuple(loaded.plan.seeds),
            rng=int(digest_value([loaded.plan.name, loaded.plan.seeds])[7:15], 16),
            tasks={task: self._task_facts(task) for task in self.spool.asked},
            systems={name: self._system_facts(s) for name, s in self.systems.items()},
            prices=from_prices(load_prices(loaded.plan.prices, base=loaded.path.resolve().parent)),
            packages={n: versions[n] for n in NUMBERS_COME_FROM if n in versions},
            earlier_systems=count_systems(root, self.digest, test),
            earlier_uses=count_uses(root, self.digest, test),
        )
        write_doc(folder.manifest, self.manifest)
        if self.numbers:
            write_doc(folder.published, PublishedNumbers(numbers=self.numbers))
        attempt = {
            "started": begun.isoformat(),
            "sealed": clock().astimezone(UTC).isoformat(),
            "assay": metadata.version("assay-eval"),
        }
        write_doc(
            folder.provenance,
            Provenance(
                machine={"asked elsewhere, by": self.log.tool},
                packages=packages(),
                git={},
                threads={},
                attempts=(dict(attempt),),
                cells=tuple(self.cells),
            ),
        )
        cells = {f"records/{c.task}/{c.system}/{c.seed}-{c.split}": c for c in self.cells}
        seal(
            folder,
            decisions={f"{path}.jsonl": c.decisions for path, c in cells.items()},
            incomplete=tuple(path[8:] for path, c in sorted(cells.items()) if c.crashes),
        )
        return len(self.numbers)

    def _task_facts(self, task: str) -> TaskFacts:
        resolved = self.tasks[task]
        return TaskFacts(
            use=reported.TASK,
            version=resolved.task.version,
            says=resolved.task.says,
            headline=resolved.task.metrics[0].name,
            splits=self.splits[task],
        )

    def _system_facts(self, system: ResolvedSystem) -> SystemFacts:
        facts = system_facts(system)
        if system.origin is not Origin.REPORTED:
            return facts
        used = {"use": facts.use, "options": facts.options, "files": [f.digest for f in self.files]}
        return facts.model_copy(update={"files": self.files, "digest": digest_value(used)})

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and what is missing."""
        lacking = [
            f"{system} lacks {gone:,} of the {everything:,} samples of {task}: it is compared on "
            "those that it has"
            for task, system, gone, everything in self.spool.missing()
            if system != SILENT
        ]
        alone: tuple[str, ...] = ()
        if self.spool.asked and not self.choice.controls:
            alone = (
                "the only control is silence; if the log has a system that knows nothing, name it with --control",
            )
        names = [f"{text!r} is called {made}" for text, made in self.spool.renamed()]
        return (*self.log.notes, *lacking, *names, *alone)
