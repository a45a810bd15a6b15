"""``assay gate``: may a build go on?  The exit status is the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from cyclopts import Parameter
from cyclopts.types import NonNegativeFloat

from ..core.errors import PlanError
from .fitting import table
from .page import Line, Page, Span, Style, faint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..analysis.alarms import Alarms
    from ..publish.gate import Gate
    from ..publish.gated.judged import Judged


Family: TypeAlias = Literal["runs", "scientific", "performance"]
FAMILIES = {"runs": "runs", "scientific": "runs", "performance": "performance"}
"""What a gate can be of, by every name that it has."""

MARGIN = 0.01
"""How much worse a run may be where nobody says."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where the verdict is written besides."""

    junit: Path | None = None
    """Write the verdict as JUnit XML to this file."""

    sarif: Path | None = None
    """Write what fails as SARIF 2.1.0 to this file."""

    summary: Path | None = None
    """Append the verdict as Markdown to this file, as GITHUB_STEP_SUMMARY wants."""

    comment: Path | None = None
    """Write the body of a pull-request comment to this file."""

    annotations: Annotated[bool, Parameter(negative="")] = False
    """Also print what fails as GitHub's annotations."""


def gate(
    run: Path,
    /,
    *,
    baseline: Path | None = None,
    margin: NonNegativeFloat | None = None,
    family: Family = "runs",
    outputs: Outputs | None = None,
) -> Page:
    """Exit with 1 unless every claim is supported and no system's headline metric got worse.

    A number that merely is not significantly worse does not pass: it must be shown to be at most
    --margin worse.  With --family performance the first name is a file of `assay perf run`, and every
    benchmark of the baseline must be shown to take at most the margin longer.

    Args:
        run: A run's folder; with --family performance a file of `assay perf run`.
        baseline: What this run must not be worse than, system by system: a run's folder, or the
            file that `assay baseline set` wrote.
        margin: How much worse is still good enough, on each task's headline metric (0.01); of
            performance, as a share of the time (0.25).
        family: What is judged: runs, which are also called scientific, or performance.
        outputs: Where the verdict is written besides.
    """
    outputs = outputs or Outputs()
    _check(outputs)
    if family == "performance":
        found, verdict = _performance(run, baseline, margin)
    else:
        found, verdict = _run(run, baseline, MARGIN if margin is None else margin)
    _write(outputs, verdict)
    page = _gate_page(run, found, verdict.read_with, FAMILIES[family])
    return _with_annotations(page, verdict) if outputs.annotations else page


def _run(path: Path, baseline: Path | None, margin: float) -> tuple[Gate, Judged]:
    from ..publish.baselines import load_baseline
    from ..publish.gate import gate as judge
    from ..publish.gated.judged import judged
    from ..publish.phrases import caveats, cut_notes
    from ..publish.run import Run

    if path.is_file():
        raise PlanError(
            f"{path} is a file, and no run's folder",
            hint="a file of `assay perf run` is judged with --family performance",
            code="A106",
        )
    loaded = Run.load(path)
    before = load_baseline(baseline) if baseline else None
    found = judge(loaded, before, margin=margin)
    read_with = [*caveats(loaded.manifest), *cut_notes(loaded.results.cases), *found.besides]
    return found, judged(loaded, found, read_with, Path())


def _performance(path: Path, baseline: Path | None, margin: float | None) -> tuple[Gate, Judged]:
    from ..publish.perf.document import read
    from ..publish.perf.judging import MARGIN as SHARE
    from ..publish.perf.judging import judge, judged

    if baseline is None:
        raise PlanError(
            "nothing says what was fast enough",
            where="--baseline",
            hint="name a file of `assay perf run`, as `assay baseline set --family performance` keeps",
            code="A106",
        )
    now, then = read(path), read(baseline)
    found, read_with = judge(then, now, margin=SHARE if margin is None else margin)
    return found, judged(found, path, read_with)


NAMES = {"junit": "gate.xml", "sarif": "gate.sarif", "summary": "gate.md", "comment": "comment.md"}
"""Of each option that takes a file: what that could be called."""


def _check(outputs: Outputs) -> None:
    """Raise ``PlanError`` A106 before anything is computed, where a file cannot be one."""
    from ..store.outputs import check_output

    for option, name in NAMES.items():
        path: Path | None = getattr(outputs, option)
        check_output(f"--{option}", path)
        if path is not None and path.is_dir():
            hint = f"name a file, as {path / name}"
            raise PlanError(f"{path} is a folder", where=f"--{option}", hint=hint, code="A106")


def _write(outputs: Outputs, verdict: Judged) -> None:
    from ..publish.gated.comments import comment, summary
    from ..publish.gated.junit import junit
    from ..publish.gated.sarif import sarif
    from ..store.canon import disk_errors, write_whole

    for path, text in (
        (outputs.junit, junit),
        (outputs.sarif, sarif),
        (outputs.comment, comment),
    ):
        if path is not None:
            write_whole(path, text(verdict).encode())
    if outputs.summary is not None:
        with disk_errors(outputs.summary):
            outputs.summary.parent.mkdir(parents=True, exist_ok=True)
            with outputs.summary.open("ab") as file:
                file.write(summary(verdict).encode())


def _with_annotations(page: Page, verdict: Judged) -> Page:
    """Return the page with annotations above it, between marks that keep its own words from acting.

    A runner obeys every line that begins with two colons, and names of a plan are in the page.
    """
    from ..publish.gated.annotations import annotated

    lines, word = annotated(verdict), token_hex(16)
    shown = [*lines, f"::stop-commands::{word}", *page.lines, f"::{word}::"]
    return Page(lines=shown, facts={**page.facts, "annotations": lines}, code=page.code)


def _gate_page(run: Path, found: Gate, read_with: Sequence[str], family: str) -> Page:
    from ..publish.derive import estimate_facts
    from ..publish.words import value_and_ends

    rows: list[tuple[str | Span, ...]] = []
    for check in found.checks:
        word = Span("pass", Style.GOOD) if check.passes else Span("fail", Style.BAD)
        shown = value_and_ends(check.estimate, check.scale) if check.estimate else ""
        rows.append((word, check.source.value, check.name, check.why, faint(shown)))
    facts = {
        "run": str(run),
        "family": family,
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
