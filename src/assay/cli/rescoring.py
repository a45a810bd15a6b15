"""``assay rescore``: verify a run's answers again, asking no system."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .page import Line, Page, faint

SHOWN = 20
"""Answers that are named; all are with --json."""


def rescore(run: Path, /, *, out: Path | None = None) -> Page:
    """Verify every answer of a run again, with the verifier that is installed now.

    No system is asked. Exit status 1 when an answer comes to something else than the run says;
    with --out, 0 once the new run is sealed.

    Args:
        run: A run's folder.
        out: Make a new run there: the same answers and times, the new verdicts, sealed.
    """
    from ..publish.rescore import require_known_tasks
    from ..publish.rescore import rescore as verify_again
    from ..publish.run import Run
    from ..store.outputs import check_output

    check_output("--out", out)
    loaded = Run.load(run)
    require_known_tasks(loaded)
    found = verify_again(loaded, out=out)
    changed = found.changed
    moves = Counter((c.before.value, c.after.value) for c in changed)
    lines: list[Line] = [
        f"{found.verified} answers verified again, no system asked: "
        + (f"{len(changed)} come to something else" if changed else "all come to the same")
    ]
    lines += [f"  {n} x {before} -> {after}" for (before, after), n in moves.most_common()]
    for one in changed[:SHOWN]:
        again = f", attempt {one.attempt}" if one.attempt else ""
        lines.append(faint(f"  {one.cell}  {one.sample}{again}: {one.before} -> {one.after}"))
    if len(changed) > SHOWN:
        lines.append(faint(f"  and {len(changed) - SHOWN} more; --json names all"))
    if found.run is not None:
        lines.append(f"{found.run.path}: sealed, with the new verdicts")
    elif changed:
        lines.append(f"make a run of the new verdicts with: assay rescore {run} --out DIR")
    return Page(
        lines=lines,
        facts={
            "verified": found.verified,
            "changed": [
                {
                    "cell": str(c.cell),
                    "sample": c.sample,
                    "attempt": c.attempt,
                    "before": c.before.value,
                    "after": c.after.value,
                }
                for c in changed
            ],
            "run": None if found.run is None else str(found.run.path),
        },
        code=1 if changed and found.run is None else 0,
    )
