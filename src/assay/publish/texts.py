"""The short Markdown files among what is derived."""

from __future__ import annotations

import shlex
from typing import Any

from ..core.claim import Finding
from . import grounds
from .decisions import decision_sentence
from .markdown import code
from .phrases import CORRECTIONS, caveats, cut_notes, decides, vacuous_words
from .results import Results
from .stopped import stopped_sentences
from .words import (
    claim_scale,
    number,
    safe_markdown,
)


def summary_text(results: Results) -> str:
    """Return the decision and every headline number, as Markdown."""
    lines = [f"# {results.manifest.name}", ""]
    for task, decision in results.decisions.items():
        lines += [decision_sentence(decision), ""]
        if said := grounds.sure(results, task):
            lines += [*(f"- {safe_markdown(line)}" for line in said), ""]
    lines += [line for said in stopped_sentences(results) for line in (f"{_capital(said)}.", "")]
    for task, case in results.cases.items():
        lines += [f"## {task}", ""]
        for one in (*caveats(results.manifest, task), *cut_notes(results.cases, task)):
            lines += [f"{_capital(safe_markdown(one))}.", ""]
        for system in case.tables:
            shown = number(case.estimate(system, case.headline.name))
            kind = " (control)" if system in case.controls else ""
            lines.append(f"- {system}{kind}: {case.headline.name} {shown}")
        lines.append("")
    return "\n".join(lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def paired_text(rows: list[dict[str, Any]]) -> str:
    """Return the paired differences as a Markdown table."""
    lines = ["| task | system | against | metric | contrast | value | low | high | n |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        ends = ["" if r[k] is None else f"{r[k]:.4g}" for k in ("value", "low", "high")]
        cells = [r["task"], r["system"], r["against"], r["metric"], r["contrast"], *ends, r["n"]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _seeds(results: Results, finding: Finding) -> str:
    """Return the seeds that a claim rests on, by number."""
    claim = finding.claim
    seeds = sorted(
        {seed for name in claim.systems for seed in results.manifest.systems[name].seeds}
    )
    some = ", ".join(map(str, seeds[:20])) + (", ..." if len(seeds) > 20 else "")
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {some}"


def audit_text(results: Results) -> str:
    """Return each claim with what was asked, found and done, as Markdown."""
    lines = [f"# Claims of {results.manifest.name}", ""]
    for f in results.findings:
        c = f.claim
        scale = claim_scale(c, results.cases[c.task].contrast(c.metric))
        what = f"{c.metric} of {c.system}" + (f" against {c.against}" if c.against else "")
        lines += [
            f"## {c.id}: {f.status.value}",
            "",
            f"> {safe_markdown(c.says)}",
            "",
            f"- asked: {what} {c.relation.value} {c.bound:g} on {c.task}"
            + (" (the headline)" if c.headline else "")
            + (" (exploratory: added after the run was sealed)" if c.exploratory else ""),
            f"- found: {number(f.estimate, scale)}",
            f"- method: {f.estimate.method}",
            f"- records: {f.estimate.n} samples in {f.estimate.n_groups} groups, {_seeds(results, f)}",
            f"- generalises over: {', '.join(sorted(c.over)) or 'exactly these records'}",
        ]
        if f.p_support is not None and f.p_refute is not None:
            lines.append(
                f"- p for: {f.p_support:.3g}, p against: {f.p_refute:.3g}, "
                f"decided at {f.level:.3g} a side "
                f"({CORRECTIONS[results.loaded.plan.correction]})"
            )
        if more := decides(f):
            lines.append(f"- {more}")
        said_of_all = caveats(results.manifest, c.task)
        lines += [f"- note: {safe_markdown(note)}" for note in (*f.notes, *said_of_all)]
        lines.append("")
    changed = [word for one in results.manifest.overrides for word in ("--set", one)]
    again = code(shlex.join(["assay", "run", grounds.PLAN, *changed]))
    lines += [
        f"Computed again from the records: `assay verify {grounds.RUN}`; judged, with exit status 1 unless",
        f"every claim is supported: `assay gate {grounds.RUN}`; asked again, with the plan that this run was",
        f"made from: {again} (`plan.yaml` is a copy of it; paths in a plan start where it lies).",
        "",
    ]
    for system, found in results.vacuous.items():
        lines.append(f"The claims on {system} are vacuous: {vacuous_words(system, found)}.")
    return "\n".join(lines) + "\n"
