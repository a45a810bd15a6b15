"""One page over many runs: a section per task, every run's systems, every run linked."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from ..core.errors import AssayError, SealError
from . import html, markdown
from .decisions import decision_sentence
from .document import Block, Document, Inline, Para, Row, Section, Span, Table, cell, heading
from .findings import prices_note
from .phrases import decides
from .run import Run
from .words import claim_scale

COSTS = ("usd_per_1k", "latency_p50")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A folder that looks like a run, and why nothing of it is shown."""

    path: str
    why: str
    code: str


@dataclass(frozen=True)
class Merged:
    """A report over several runs."""

    root: Path
    """Links are relative to it: the report belongs into this folder."""

    runs: tuple[Run, ...]
    broken: tuple[Broken, ...]

    def markdown(self) -> str:
        """Return the report as Markdown."""
        return markdown.render(self.document)

    def html(self) -> str:
        """Return the report as one self-contained page."""
        return html.render(self.document)

    @cached_property
    def document(self) -> Document:
        """The report before it is Markdown or a page."""
        tasks: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
        for run in self.runs:
            for name, facts in run.manifest.tasks.items():
                tasks[name, facts.version, facts.splits["test"].digest].append(run)
        made = [self._runs()]
        names = [name for name, _, _ in tasks]
        for i, ((name, version, digest), runs) in enumerate(tasks.items()):
            # Runs that were asked other questions stand in a section of their own.
            other = names.count(name) > 1
            title = f"{name}, version {version}, questions {digest[7:15]}" if other else name
            made.append(Section(f"task-{i}", title, tuple(self._task(name, runs))))
        if self.broken:
            made.append(self._left_out())
        read = f"{len(self.runs)} {'run' if len(self.runs) == 1 else 'runs'}"
        left = f", and {len(self.broken)} that cannot be shown" if self.broken else ""
        says = f"{read}{left}. Numbers of different runs stand side by side; they are not paired."
        line = Span(self.root.resolve().name, "code")
        return Document(title="Runs", says=says, line=line, sections=tuple(made))

    def _runs(self) -> Section:
        rows = []
        for run in self.runs:
            done = run.provenance.attempts[-1].get("sealed") if run.provenance.attempts else None
            said = " ".join(decision_sentence(d) for d in run.results.decisions.values())
            rows.append(
                Row(
                    (
                        self._link(run),
                        run.manifest.name,
                        said,
                        str(done or "unknown")[:16].replace("T", " "),
                    )
                )
            )
        header = ("run", "plan", "decision", "sealed")
        table = Table(says="Every sealed run that was found.", header=header, rows=tuple(rows))
        return Section("runs", "Runs", (table,))

    def _task(self, task: str, runs: Sequence[Run]) -> Iterator[Block]:
        metrics = {n: m for run in runs for n, m in run.results.cases[task].metrics.items()}
        names = [*metrics, *COSTS]
        rows = []
        for run in runs:
            case = run.results.cases[task]
            rows.append(Row((self._link(run),), "group"))
            plan = [s.name for s in run.loaded.plan.systems if s.name not in case.controls]
            for system in [*plan, *sorted(case.controls)]:
                numbers = (
                    cell(case.estimate(system, name))
                    if name in case.metrics or name in COSTS
                    else Span("not of this task", "muted")
                    for name in names
                )
                control = system in case.controls
                kind = "control" if control else ""
                chosen = system == run.results.decisions[task].system
                origin = case.origins[system].value + (", control" if control else "")
                rows.append(
                    Row((Span(system, "name", note=origin), *numbers), "chosen" if chosen else kind)
                )
        yield Para(runs[0].manifest.tasks[task].says)
        yield Table(
            says="Intervals are two-sided 95 % over questions of this kind, seeds pooled; what "
            "never or always happened has a one-sided 95 % bound instead.",
            header=("system", *(heading(metrics.get(name), name) for name in names)),
            rows=tuple(rows),
        )
        if claims := tuple(self._claims(task, runs)):
            header = ("claim", "status", "found", "would decide it")
            says = "Each run's claims, decided among themselves."
            yield Table(says=says, header=header, rows=claims)
        for run in runs:
            if run.results.cases[task].timed:
                yield prices_note(run.results)

    def _claims(self, task: str, runs: Sequence[Run]) -> Iterator[Row]:
        for run in runs:
            for finding in run.results.findings:
                claim = finding.claim
                if claim.task != task:
                    continue
                scale = claim_scale(claim, run.results.cases[task].contrast(claim.metric))
                status = Span(finding.status.value, finding.status.value)
                says = Span(claim.says, "plain", note=f"{run.manifest.run}: {claim.id}")
                why = "; ".join(filter(None, (decides(finding), *finding.notes)))
                yield Row((says, status, cell(finding.estimate, scale=scale), why))

    def _left_out(self) -> Section:
        rows = tuple(Row((Span(b.path, "code"), Span(b.code, "code"), b.why)) for b in self.broken)
        says = "Nothing is computed from these; assay explain CODE says more of a code."
        table = Table(says=says, header=("folder", "code", "why"), rows=rows)
        return Section("left-out", "Not shown", (table,))

    def _link(self, run: Run) -> Inline:
        folder = quote(os.path.relpath(run.path, self.root).replace(os.sep, "/"))
        return Span(run.manifest.run, "name", f"{folder}/derived/report.html")


def merge(paths: Path | str | Sequence[Path | str]) -> Merged:
    """Return one report over every run in or below some folders.

    Runs that are not sealed, or were changed, are listed with the reason.  Raises ``SealError``:
    A303 when there is no run, and that of ``Run.load`` when the only path is itself a broken run.
    """
    given = [paths] if isinstance(paths, Path | str) else list(paths)
    tops = [Path(path) for path in given]
    if len(tops) == 1 and is_run(tops[0]):
        return Merged(tops[0], (Run.load(tops[0]),), ())
    root = Path(os.path.commonpath([top.resolve() for top in tops])) if tops else Path()
    runs, broken = [], []
    for folder in find(tops):
        try:
            run = Run.load(folder)
            _ = run.results
        except AssayError as error:
            where = os.path.relpath(folder, root)
            broken.append(Broken(path=where, why=error.what, code=error.code))
        else:
            runs.append(run)
    if not runs and not broken:
        raise SealError(
            "there is no run in or below this folder",
            where=", ".join(map(str, tops)),
            hint="name a folder that holds runs; `assay run` writes to runs/",
            code="A303",
        )
    return Merged(root, tuple(runs), tuple(broken))


def is_run(folder: Path) -> bool:
    """Whether a folder looks like a run, sealed or not."""
    return (folder / "manifest.json").is_file() or (folder / "SEAL").is_file()


def find(tops: Sequence[Path]) -> list[Path]:
    """Return every folder in or below some folders that looks like a run, sorted."""
    found = {top.resolve() for top in tops if is_run(top)}
    for top in tops:
        for name in ("manifest.json", "SEAL"):
            found |= {file.parent.resolve() for file in top.rglob(name)}
    return sorted(found)
