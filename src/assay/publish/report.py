"""The report of a sealed run: the same words as Markdown and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..core.errors import PluginError
from ..engine.plugins import known, load
from . import browser, findings, html, markdown
from .changes import changes
from .document import Block, Browser, Document, Figure, Fold, Para, Section, Span
from .drawing import Drawing
from .phrases import digests_only
from .provenance import provenance
from .published import published
from .sections import Look, sections

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True)
class Report:
    """The report of a run; with a baseline, also what changed since then.

    A function of the sealed files and the installed packages: no clock, no absolute path.

    >>> from assay import Run
    >>> Report(Run.load("runs/nowhere")).markdown()
    Traceback (most recent call last):
    assay.core.errors.SealError: A303 this is not a run directory: it has no manifest.json
      at: runs/nowhere
      try: name a folder that `assay run` made; `assay ls` lists them
    """

    run: Run
    baseline: Run | None = None

    def markdown(self) -> str:
        """Return the report as Markdown; its figures lie below ``figures/``."""
        return markdown.render(self.document)

    def html(self) -> str:
        """Return the report as one self-contained page."""
        return html.render(self.document)

    def files(self) -> dict[str, bytes]:
        """Return every file of the report by its path below ``derived/``.

        Raises ``PluginError`` A400 where two figures have one path.
        """
        drawn: dict[str, bytes] = {}
        for one in drawings(self.document.sections):
            if drawn.setdefault(one.file, svg := one.svg.encode()) != svg:
                raise PluginError(f"two figures of one report are called {one.file}")
        return {
            "report.md": self.markdown().encode(),
            "report.html": self.html().encode(),
            **drawn,
        }

    @cached_property
    def document(self) -> Document:
        """The report before it is Markdown or a page."""
        results, manifest = self.run.results, self.run.manifest
        looks = list(self._looks())
        made = [findings.decision(results), findings.findings(self.run)]
        if self.baseline is not None:
            made.append(changes(self.run, self.baseline))
        for i, look in enumerate(looks):
            parts = sections(look)
            if len(looks) == 1:
                made += parts
            else:
                says = Para(manifest.tasks[look.case.task].says)
                made.append(Section(f"task-{i}", look.case.task, (says, *parts)))
        made += published(self.run)
        made += self.added
        if looks:
            made.append(self._samples(looks))
        made.append(provenance(self.run))
        n = sum(t.outcome.size for c in results.cases.values() for t in c.tables.values())
        counted = f"{len(manifest.systems)} systems, {n:,} replies to test questions"
        line = (Span(manifest.run, "code"), f" · {', '.join(manifest.tasks)} · {counted}")
        return Document(title=manifest.name, says=manifest.says, line=line, sections=tuple(made))

    @cached_property
    def added(self) -> tuple[Section, ...]:
        """The sections of plugins that have something to say of this run, by name of the plugin."""
        made = {
            name: load("assay.sections", name)(self.run) for name in sorted(known("assay.sections"))
        }
        for name, section in made.items():
            if section is not None and not isinstance(section, Section):
                raise PluginError(f"the section {name!r} is {type(section).__name__}, no Section")
        return tuple(section for section in made.values() if section is not None)

    def _looks(self) -> Iterator[Look]:
        run, results = self.run, self.run.results
        plan = [s.name for s in run.loaded.plan.systems]
        order = [*plan, *(s for s in run.manifest.systems if s not in plan)]
        for i, (task, case) in enumerate(results.cases.items()):
            seen = browser.look(run.dir, case, results.samples[task], order)
            folder = f"figures/{task}" if len(results.cases) > 1 else "figures"
            yield Look(results, case, i, seen, folder)

    def _samples(self, looks: list[Look]) -> Section:
        samples = self.run.results.samples
        budget = browser.BUDGET // len(looks)
        data = (
            browser.pack(look.case, samples[look.case.task], look.seen, budget=budget)
            for look in looks
        )
        note = digests_only(self.run.manifest)
        blocks = (Para(note, "note"),) if note else ()
        return Section("samples", "Samples", (*blocks, Browser(tuple(data))))


def drawings(blocks: tuple[Block, ...]) -> Iterator[Drawing]:
    """Yield every figure below some blocks."""
    for block in blocks:
        match block:
            case Figure(drawing):
                yield drawing
            case Section() | Fold():
                yield from drawings(block.blocks)
