"""The decision and the findings of a run: what a report says first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.claim import Claim, Finding, Status
from ..core.metric import Contrast, Over
from ..store.seal import read_seal
from . import browser, grounds
from .decisions import decision_sentence, prices_words
from .document import Block, Card, Cards, Para, Section, Span, Verdict, cell
from .phrases import CORRECTIONS, caveats, cut_notes, decides, vacuous_words, wanted
from .results import Results
from .stopped import stopped_note
from .words import (
    Scale,
    at_most,
    claim_scale,
    label,
    number,
    scale_of,
)

if TYPE_CHECKING:
    from .run import Run

SPEAKS = {Over.SAMPLES: "other questions of this kind", Over.SEEDS: "other seeds"}


def decision(results: Results) -> Section:
    """Return what to ship on every task."""
    blocks = [verdict(results, *tasks) for tasks in grounds.alike(results)]
    priced = any(case.timed for case in results.cases.values())
    note = (prices_note(results),) if priced else ()
    sentences = (*caveats(results.manifest), *cut_notes(results.cases))
    said = [Para(one, "warning") for one in sentences]
    return Section("decision", "Decision", (*blocks, *said, *stopped_note(results), *note))


def verdict(results: Results, task: str, *alike: str) -> Verdict:
    """Return what to ship on a task, and on those that are alike, with the numbers that say so."""
    d = results.decisions[task]
    shown = []
    if d.answers is not None:
        shown.append(("answers, of everything asked", cell(d.answers, scale=Scale.PERCENT)))
    if d.wrong is not None and d.wrong_at_most is not None:
        bound = f"at most {at_most(d.wrong_at_most)}"
        shown.append(
            (
                "wrong, of its answers (95 % bound)",
                Span(bound, "cell", note=f"measured {number(d.wrong, Scale.PERCENT)}"),
            )
        )
    if d.system is not None:
        dollars = results.cases[task].estimate(d.system, "usd_per_1k")
        shown.append(("dollars for 1,000 questions", cell(dollars)))
    if d.times_cheaper is not None and d.times_cheaper.value is not None:
        ratio = cell(d.times_cheaper, scale=Scale.TIMES)
        word = "faster" if scale_of(d.times_cheaper.metric) is Scale.SECONDS else "cheaper"
        shown.append((f"{word} than {d.cheaper_than}", ratio))
    return Verdict(
        task=", ".join((task, *alike)),
        system=d.system,
        headline=decision_sentence(replace(d, would_change=())),
        figures=tuple(shown),
        because=d.why if d.system else "",
        sure=grounds.sure_of(results, (task, *alike)),
        saves=grounds.saves(results, task),
        change=grounds.commands(results, task),
    )


def prices_note(results: Results) -> Para:
    """Return the assumption that stands beside every dollar, and how to change it."""
    if results.stopping is not None:
        return Para(prices_words(results.prices), "note")
    command = Span(f"assay front {grounds.RUN} --prices FILE", "code")
    return Para((f"{prices_words(results.prices)} Change them with ", command, "."), "note")


def findings(run: Run) -> Section:
    """Return every claim of the plan, decided."""
    results = run.results
    if not results.findings:
        return Section("findings", "Findings", (Para("The plan makes no claims.", "note"),))
    tally = (f"{sum(f.status is s for f in results.findings)} {s.value}" for s in Status)
    blocks: list[Block] = [
        Para(
            f"{', '.join(tally)}. The claims of the plan are decided together, with at most a 5 % "
            "chance that any of them is wrongly called supported or refuted "
            f"({CORRECTIONS[results.loaded.plan.correction]}); each interval is printed at the "
            "level that decided it."
        ),
        Cards(tuple(_card(results, finding) for finding in results.findings)),
    ]
    if left := read_seal(run.dir).incomplete:
        blocks.append(
            Para(
                f"Replies are missing that were never observed ({', '.join(left)}): a claim on "
                "them is decided only if it holds with each of them at its worst and at its best."
            )
        )
    return Section("findings", "Findings", tuple(blocks))


def asks(claim: Claim, contrast: Contrast) -> str:
    """Return what a claim asks for: ``right, mapper minus keywords: at least 0.05``."""
    bound = wanted(claim, contrast)
    if claim.against is None:
        return f"{label(claim.metric)}, {claim.system}: {bound}"
    joined = "over" if contrast is Contrast.RATIO else "minus"
    return f"{label(claim.metric)}, {claim.system} {joined} {claim.against}: {bound}"


def _card(results: Results, finding: Finding) -> Card:
    claim = finding.claim
    contrast = results.cases[claim.task].contrast(claim.metric)
    place = list(results.cases).index(claim.task)
    if claim.against is None:
        href = browser.behind(place, claim.system, claim.metric)
    else:
        href = browser.link(place, claim.system, against=claim.against)
    notes = [note for note in finding.notes if note != finding.estimate.method]
    if found := results.vacuous.get(claim.system):
        notes.append(f"vacuous: {vacuous_words(claim.system, found)}")
    notes += caveats(results.manifest, claim.task)
    over = " and ".join(SPEAKS[o] for o in sorted(finding.estimate.over))
    return Card(
        id=claim.id,
        status=finding.status.value,
        says=claim.says,
        asks=asks(claim, contrast),
        found=cell(finding.estimate, href=href, scale=claim_scale(claim, contrast)),
        decides=decides(finding),
        speaks_of=over or "these questions only",
        method=finding.estimate.method,
        notes=tuple(notes),
        exploratory=claim.exploratory,
    )
