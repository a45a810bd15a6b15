"""``assay intent rails`` and ``assay intent e2e``: canonical requests, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.pages import Page, check_folder, progress, wrong_option


def e2e(
    *,
    out: Path,
    runs: int = 3,
    size: int = 2000,
    mapper: Path | None = None,
    min_accuracy: float | None = None,
) -> Page:
    """Handle canonical and generated requests from prompt to ledger, and say what was right.

    The canonical ones are asked several ways, each in a process of its own: together and one by
    one, on one and two threads; whole outputs must be identical.  The generated ones are a sealed
    run.  Writes summary.json and report.md; exit status 1 where outputs differ or accuracy is not
    shown to reach the minimum.

    Parameters
    ----------
    out
        The folder to write to.
    runs
        Ways to ask the canonical requests.
    size
        Generated requests; 0 for none.
    mapper
        A folder that `assay intent train` wrote; without it the DeFi mapper, trained on first use.
    min_accuracy
        Of the canonical requests the share, of the generated ones the lower end of the interval.
    """
    from assay.estimates import spell

    from ..e2e.measure import SYSTEMS, end_to_end, report, summary
    from ..e2e.task import MOST
    from ..grammar.domain import load_domain
    from ..serving.chosen import mapper_for

    _check(runs, min_accuracy, out)
    if not 0 <= size <= MOST:
        raise wrong_option(
            "--size", f"{size} is no number of requests", f"at most {MOST}; 0 leaves them out"
        )
    # Processes ask it below: what is wrong with it, and what its training says, is said here.
    mapper_for(load_domain("defi"), mapper, say=progress)
    found = end_to_end(runs=runs, size=size, mapper=mapper, out=out, say=progress)
    made = replace(found, min_accuracy=min_accuracy)
    facts = summary(made)
    files = _write(out, facts, report(made))
    lines: list[str | tuple[str, ...]] = [
        f"canonical: {facts['ok']} of {facts['total']} decided right (these requests only)",
        f"carried out although they must not be: {spell(made.invented)}",
        "whole outputs identical in these configurations"
        if not made.differ
        else f"whole outputs DIFFER: {', '.join(made.differ)}",
        *(("", str(way)) for way, _ in made.asked),
    ]
    if made.run is not None:
        lines += ["", ("generated", "right", "carried out", "invented")]
        for system in SYSTEMS:
            names = ("accuracy", "coverage", "invention_rate")
            lines.append((system, *(spell(made.run.estimate(m, system)) for m in names)))
    lines += ["", f"Wrote {' and '.join(map(str, files))}"]
    return Page(lines=lines, facts=facts, code=0 if made.passed else 1)


def rails(
    *,
    out: Path,
    runs: int = 3,
    min_accuracy: float = 1.0,
) -> Page:
    """Put the canonical situations through the rails, several times, and check every reason.

    Decision, rule and numbers must be as written by hand, and whole outputs the same every time.
    Writes summary.json and report.md; exit status 1 below the minimum or where outputs differ.

    Parameters
    ----------
    out
        The folder to write to.
    runs
        How often.
    min_accuracy
        Share of the situations that must be decided right, for the right rule.
    """
    from ..rails.canonical import run_canonical

    _check(runs, min_accuracy, out)
    results = [run_canonical() for _ in range(runs)]
    first = results[0]
    passed = sum(one.passed for one in first)
    differ = [
        together[0].case.id
        for together in zip(*results, strict=True)
        if len({json.dumps(one.output, sort_keys=True, default=str) for one in together}) > 1
    ]
    rules: dict[str, int] = {}
    for one in first:
        rules[one.said] = rules.get(one.said, 0) + 1
    wrong = [one for one in first if not one.passed]
    accuracy = passed / len(first)
    good = accuracy >= min_accuracy and not differ
    facts: dict[str, Any] = {
        "schema": "assay.intent.rails/1",
        "bench": "rails",
        "runs": runs,
        "total": len(first),
        "ok": passed,
        "ok_acc": accuracy,
        "outputs_differ": differ,
        "said": dict(sorted(rules.items())),
        "passed": good,
        "cases": [
            {
                "id": one.case.id,
                "prompt": one.case.prompt,
                "expected": one.case.expect,
                "said": one.said,
                "wrong": list(one.wrong),
            }
            for one in first
        ],
    }
    head = f"{passed} of {len(first)} canonical situations decided right, rule and numbers included"
    times = "1 run" if runs == 1 else f"{runs} runs"
    lines = [
        "# Rails: canonical situations",
        "",
        f"{head} (these situations only); {times}, "
        + (f"outputs differ on {', '.join(differ)}." if differ else "whole outputs identical."),
        "",
        "| said | situations |",
        "|---|---|",
        *(f"| {said} | {count} |" for said, count in sorted(rules.items())),
        "",
        *(f"* {one.case.id}: {'; '.join(one.wrong)}" for one in wrong),
    ]
    files = _write(out, facts, "\n".join(lines) + "\n")
    shown: list[str | tuple[str, ...]] = [
        f"{head}; {times}, outputs {'DIFFER' if differ else 'identical'}",
        *((one.case.id, "; ".join(one.wrong)) for one in wrong),
        f"Wrote {' and '.join(map(str, files))}",
    ]
    return Page(lines=shown, facts=facts, code=0 if good else 1)


def _check(runs: int, min_accuracy: float | None, out: Path) -> None:
    check_folder(out)
    if runs < 1:
        raise wrong_option("--runs", f"{runs} runs nothing", "3 is usual")
    if min_accuracy is not None and not 0 <= min_accuracy <= 1:
        raise wrong_option("--min-accuracy", f"{min_accuracy:g} is no share", "0 to 1: 0.98, say")


def _write(out: Path, facts: Mapping[str, Any], page: str) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    texts = {"summary.json": json.dumps(facts, indent=2, default=str) + "\n", "report.md": page}
    for name, text in texts.items():
        (out / name).write_text(text, "utf-8")
    return [out / name for name in texts]
