"""``assay report`` and ``assay compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failures import usage
from .page import Line, Page, Span, Style, columns, faint, strong

if TYPE_CHECKING:
    from ..publish.compare import Comparison, Diff


def report(
    run: Path,
    /,
    *,
    baseline: Path | None = None,
    output: Path | None = None,
    among: Path | None = None,
) -> Page:
    """Write the report of a run, one over every run in a folder, or one of a metric log or a bundle.

    Without --output everything in the run's derived/ is computed and written again.

    Args:
        run: A run's folder, a folder of runs, a metric log (.jsonl), or a bundle.
        baseline: An earlier run: the report then shows what changed.
        output: Where to write one file instead: .md, .html or .json; of a run also a log, .jsonl.
        among: Where the run of a bundle is looked for; without it, near the bundle.
    """
    if output is not None and output.suffix not in (".md", ".html", ".json", ".jsonl"):
        raise usage(
            f"--output is written as .md, .html, .json or .jsonl, not as "
            f"{output.suffix or 'no suffix'!r}",
            "end the file's name in one of them",
        )
    from ..publish.bundle import is_bundle
    from ..publish.merge import is_run
    from ..store.outputs import check_output
    from .reporting import report_folder, report_log, report_run

    check_output("--output", output)
    if is_bundle(run):
        from .bundles import report_bundle

        if baseline is not None:
            raise usage("--baseline is for the report of a run", f"{run} is a bundle: leave it out")
        return report_bundle(run, among, output)
    if among is not None:
        raise usage("--among is for the report of a bundle", "leave it out")
    if run.is_file() or run.suffix == ".jsonl":
        return report_log(run, baseline, output)
    write = report_run if is_run(run) else report_folder
    return write(run, baseline, output)


def compare(*runs: Path) -> Page:
    """Show what changed between runs, paired sample by sample.

    Args:
        runs: The run, then one or more earlier ones to compare it with.
    """
    from ..publish.compare import compare as compare_runs
    from ..publish.run import Run

    if len(runs) < 2:
        raise usage("assay compare needs two runs", "name the new run, then the earlier one")
    first, *others = [Run.load(path) for path in runs]
    return _comparison_page(compare_runs(first, others))


def _comparison_page(found: Comparison) -> Page:
    from ..publish.compare import WHY_LEFT_OUT
    from ..publish.derive import estimate_facts

    rows: list[tuple[str | Span, ...]] = [
        tuple(map(faint, ("task", "system", "metric", "change", "common", "p", "")))
    ]
    rows += [_diff_row(diff, several=len(found.baselines) > 1) for diff in found.diffs]
    lines: list[Line] = [
        (strong(found.run), f" against {', '.join(found.baselines)}"),
        *columns(rows),
        "",
        faint("Changes are the run minus the earlier one, on common samples, with 95 % intervals;"),
        faint(
            "p is two-sided, after Benjamini-Hochberg over all lines: of those called changed, about"
        ),
        faint(
            "one in twenty may not be.  Times and costs are left out: they belong to their day and"
        ),
        faint("machine."),
    ]
    if not all(diff.same_test for diff in found.diffs):
        lines.append(
            "The runs did not ask the same test samples: only the common ones are compared."
        )
    changed = [d for d in found.diffs if d.changed]
    worse = sum(d.worse for d in changed)
    lines += ["", f"{len(changed)} of {len(found.diffs)} changed, {worse} for the worse."]
    facts: dict[str, Any] = {
        "run": found.run,
        "baselines": list(found.baselines),
        "diffs": [
            {
                "task": d.task,
                "system": d.system,
                "baseline": d.baseline,
                **estimate_facts(d.estimate),
                "p": d.p,
                "p_adjusted": d.adjusted,
                "changed": d.changed,
                "worse": d.worse,
                "same_test": d.same_test,
                "complete": d.complete,
            }
            for d in found.diffs
        ],
        "left_out": [{"metric": name, "why": WHY_LEFT_OUT} for name in found.left_out],
    }
    return Page(lines=lines, facts=facts)


def _diff_row(diff: Diff, *, several: bool) -> tuple[str | Span, ...]:
    from ..publish.changes import kind
    from ..publish.words import Scale, asked, reason, value_and_ends

    if diff.estimate.value is None:
        change = f"not measured ({reason(diff.estimate)})"
    else:
        change = value_and_ends(diff.estimate, Scale.CHANGE)
    p = "" if diff.adjusted is None else f"{diff.adjusted:.3g}"
    word = Span("", Style.PLAIN)
    if diff.changed:
        looks = {"worse": Style.BAD, "better": Style.GOOD}
        word = Span(kind(diff), looks.get(kind(diff), Style.PLAIN))
    against = faint(f"against {diff.baseline}") if several else ""
    return (diff.task, diff.system, diff.metric, change, asked(diff.estimate), p, word, against)
