"""What a run and a plan come to, on one screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..core.claim import Status
from ..publish import grounds
from ..publish.decisions import decision_sentence
from ..publish.derive import decision_facts, finding_facts
from ..publish.phrases import caveats, cut_notes, decides, digests_only, vacuous_words, wanted
from ..publish.stopped import stopped_facts, stopped_sentences
from ..publish.words import (
    claim_scale,
    label,
    value_and_ends,
)
from .fitting import starred, table
from .page import Line, Page, Span, Style, columns, faint, strong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.case import Case
    from ..core.claim import Finding
    from ..publish.results import Results
    from ..publish.run import Run

LOOKS = {
    Status.SUPPORTED: Style.GOOD,
    Status.REFUTED: Style.BAD,
    Status.UNDECIDED: Style.UNSURE,
}
COST = ("usd_per_1k", "latency_p50")
REPORTED = ("reported_usd_per_1k", "reported_latency_mean")
"""What stands there of a run that another tool asked, where its log says it."""


def run_page(run: Run) -> Page:
    """Return what a run decides; its last line is the decision."""
    results = run.results
    lines: list[Line] = []
    if len(run.provenance.attempts) > 1:
        lines += [f"Resumed: this run took {len(run.provenance.attempts)} attempts.", ""]
    if said := stopped_sentences(results):
        lines += [*(f"{one[0].upper()}{one[1:]}." for one in said), ""]
    lines += finding_lines(results)
    for task in results.cases:
        lines += system_lines(results, task)
    if _is_priced(results):
        lines += [faint(results.prices.says()), ""]
    if note := digests_only(run.manifest):
        lines += [note, ""]
    report = run.dir.derived / "report.html"
    if not report.is_file():
        report = report.with_suffix(".md")
    lines += [f"Report: {report}   Check it: assay verify {run.path}", ""]
    sentences = (*caveats(run.manifest), *cut_notes(results.cases))
    read_with = [Span(f"{one}.", Style.UNSURE) for one in sentences]
    lines += [*ground_lines(results, str(run.path)), *read_with, *decision_lines(results)]
    summary = json.loads((run.dir.derived / "summary.json").read_bytes())
    facts = {
        "run": str(run.path),
        "report": str(report),
        "attempts": len(run.provenance.attempts),
        "digests_only": [n for n, t in run.manifest.tasks.items() if not t.redistributable],
        "findings": [finding_facts(f) for f in results.findings],
        "systems": summary["systems"],
        "caveats": summary["caveats"],
        "decision": decision_facts(results),
        **stopped_facts(results),
    }
    return Page(lines=lines, facts=facts)


def _is_priced(results: Results) -> bool:
    """Whether any number rests on the price table."""
    return any(
        case.estimate(system, COST[0]).value is not None
        for case in results.cases.values()
        for system in case.rivals
    )


def finding_lines(results: Results) -> list[Line]:
    """Return each claim with its status and its number."""
    if not results.findings:
        return []
    lines: list[Line] = [strong("Claims"), *rows_of(results, results.findings)]
    lines += [
        Span(f"  the claims on {system} mean little: {vacuous_words(system, found)}", Style.UNSURE)
        for system, found in results.vacuous.items()
    ]
    return [*lines, ""]


def rows_of(results: Results, findings: Sequence[Finding]) -> list[Line]:
    """Return findings as a table, and below it what would decide those that are undecided."""
    rows = [_finding(f, results.cases[f.claim.task]) for f in findings]
    return [
        *table(rows),
        *(
            faint(f"  {finding.claim.id}: {said}")
            for finding in findings
            if finding.status is Status.UNDECIDED
            and (said := "; ".join(filter(None, (decides(finding), *finding.notes[:1]))))
        ),
    ]


def _finding(finding: Finding, case: Case) -> tuple[str | Span, ...]:
    claim = finding.claim
    contrast = case.contrast(claim.metric)
    scale = claim_scale(claim, contrast)
    return (
        Span(finding.status.value, LOOKS[finding.status]),
        claim.id,
        f"{value_and_ends(finding.estimate, scale)}, needed {wanted(claim, contrast)}",
        faint(claim.says),
    )


def system_lines(results: Results, task: str) -> list[Line]:
    """Return the systems of a task with their numbers, controls last."""
    case = results.cases[task]
    shown = list(case.metrics)[:1] + [m for m in ("coverage", "risk") if m in case.metrics]
    shown = list(dict.fromkeys(shown))
    costs = COST if case.timed else tuple(m for m in REPORTED if m in case.metrics)
    rows: list[tuple[str | Span, ...]] = [
        tuple(faint(word) for word in ("", *map(label, (*shown, *costs))))
    ]
    order = [s.name for s in results.loaded.plan.systems if s.name not in case.controls]
    for system in [*order, *sorted(case.controls)]:
        control = system in case.controls
        cells = [value_and_ends(case.estimate(system, m)) for m in shown]
        cells += [_cost(case, system, m) for m in costs]
        name = f"{system} (control)" if control else system
        rows.append(tuple(map(faint, (name, *cells))) if control else (name, *cells))
    test = results.manifest.tasks[task].splits["test"]
    counted = f"{_n(test.samples, 'sample')} in {_n(test.groups, 'group')}"
    if results.stopping is not None:
        told_of = results.stopping.tasks[task]
        counted = (
            f"{told_of.questions:,} of {told_of.of_questions:,} samples in {told_of.groups:,} of "
            f"{told_of.of_groups:,} groups"
        )
    told = f"  {counted}; intervals of 95 %"
    rows, star = starred(rows)
    sentences = (*caveats(results.manifest, task), *cut_notes(results.cases, task))
    read_with = [Span(f"  {one}", Style.UNSURE) for one in sentences]
    return [(strong(f"Systems on {task}"), faint(told)), *read_with, *table(rows), *star, ""]


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _cost(case: Case, system: str, metric: str) -> str:
    if metric in COST and system not in case.timed:
        return "-"
    estimate = case.estimate(system, metric)
    return "-" if estimate.value is None else value_and_ends(estimate)


def ground_lines(results: Results, run: str) -> list[Line]:
    """Return how sure each decision is, what it saves, and what would change it.

    ``run`` is the run's folder as it was named: commands to type name it so, too.
    """
    lines: list[Line] = []
    for tasks in grounds.alike(results):
        name = f" on {', '.join(tasks)}" if len(results.decisions) > 1 else ""
        if said := grounds.sure_of(results, tasks):
            lines += [strong(f"How sure{name}"), *(f"  {line}" for line in said)]
        if saved := grounds.saves(results, tasks[0]):
            lines += [(strong("What it saves"), f"  {saved}")]
        changes = grounds.commands(results, tasks[0], run)
        rows = [(says, faint(command)) for says, command in changes]
        lines += [strong(f"What would change our mind{name}"), *columns(rows), ""] if rows else []
    return lines


def decision_lines(results: Results) -> list[Line]:
    """Return one sentence for each task, or for several that come to the same."""
    several = len(results.decisions) > 1
    return [
        strong(f"{', '.join(tasks)}: {sentence}" if several else sentence)
        for tasks in grounds.alike(results)
        for sentence in (decision_sentence(results.decisions[tasks[0]]),)
    ]
