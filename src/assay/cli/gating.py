"""``assay gate``: may a build go on?  The exit status is the answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts.types import NonNegativeFloat

from .fitting import table
from .page import Line, Page, Span, Style, faint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..analysis.alarms import Alarms
    from ..publish.gate import Gate


def gate(run: Path, /, *, baseline: Path | None = None, margin: NonNegativeFloat = 0.01) -> Page:
    """Exit with 1 unless every claim of the plan is supported and nothing got worse.

    A number that merely is not significantly worse does not pass: it must be shown to be at most
    --margin worse.

    Args:
        run: A run's folder.
        baseline: What this run must not be worse than, system by system: a run's folder, or the
            file that `assay baseline set` wrote.
        margin: How much worse is still good enough, on each task's headline metric.
    """
    from ..publish.baselines import load_baseline
    from ..publish.gate import gate as judge
    from ..publish.phrases import caveats, cut_notes
    from ..publish.run import Run

    judged = Run.load(run)
    found = judge(judged, load_baseline(baseline) if baseline else None, margin=margin)
    read_with = [*caveats(judged.manifest), *cut_notes(judged.results.cases)]
    return _gate_page(run, found, read_with)


def _gate_page(run: Path, found: Gate, read_with: Sequence[str]) -> Page:
    from ..publish.derive import estimate_facts
    from ..publish.words import value_and_ends

    rows: list[tuple[str | Span, ...]] = []
    for check in found.checks:
        word = Span("pass", Style.GOOD) if check.passes else Span("fail", Style.BAD)
        shown = value_and_ends(check.estimate, check.scale) if check.estimate else ""
        rows.append((word, check.source.value, check.name, check.why, faint(shown)))
    facts = {
        "run": str(run),
        "passes": found.passes,
        "false_alarms": _alarm_facts(found.alarms),
        "caveats": list(read_with),
        "checks": [
            {
                "source": c.source.value,
                "name": c.name,
                "passes": c.passes,
                "why": c.why,
                "estimate": estimate_facts(c.estimate) if c.estimate else None,
            }
            for c in found.checks
        ],
    }
    look = Style.GOOD if found.passes else Style.BAD
    said: list[Line] = [Span(f"{one}.", Style.UNSURE) for one in read_with]
    if told := found.alarms_told:
        said.append(faint(told))
    lines = [*table(rows), *said, Span(found.verdict, look)]
    return Page(lines=lines, facts=facts, code=0 if found.passes else 1)


def _alarm_facts(alarms: Alarms | None) -> Mapping[str, object] | None:
    if alarms is None or alarms.rate is None:
        return {"why_not": alarms.why_not} if alarms else None
    low, high = alarms.rate.ends
    return {
        "closed": alarms.rate.count,
        "trials": alarms.rate.trials,
        "rate": alarms.rate.value,
        "low": low,
        "high": high,
    }
