"""``assay ls`` and ``assay doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .fitting import table
from .page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engine.doctor import Symptom

What = Literal[
    "runs", "tests", "tasks", "recipes", "formats", "imports", "benchmarks", "prices", "metrics"
]


def ls(what: What | None = None, /, *, runs: Path = Path("runs")) -> Page:
    """List runs, or what is installed.

    Args:
        what: runs, tests (the test questions that they used), tasks, recipes, formats (of
            model files), imports (logs that `assay import` reads), benchmarks (suites that `assay perf run`
            times), prices or metrics.  Without it, everything.
        runs: The folder that holds the runs.
    """
    from .listing import installed, metrics, price_tables, runs_below, tests_below

    lists: dict[str, Callable[[], list[dict[str, str]]]] = {
        "tasks": lambda: installed("assay.tasks"),
        "recipes": lambda: installed("assay.recipes"),
        "formats": lambda: installed("assay.formats"),
        "imports": lambda: installed("assay.imports"),
        "benchmarks": lambda: installed("assay.benchmarks"),
        "prices": price_tables,
        "metrics": metrics,
        "runs": lambda: runs_below(runs),
        "tests": lambda: tests_below(runs),
    }
    lines: list[Line] = []
    facts: dict[str, Any] = {}
    for name, listed in lists.items():
        if what not in (None, name):
            continue
        rows = listed()
        facts[name] = rows
        shown = table([_row(row) for row in rows]) if rows else [faint("  none")]
        lines += [strong(f"{name} below {runs}" if name in ("runs", "tests") else name), *shown, ""]
    return Page(lines=lines[:-1], facts=facts)


def doctor(*, plans: Path = Path("plans")) -> Page:
    """Check what this machine has: Python, space, packages, model files, and what plans need.

    Exit status 1 when something is missing that a plan in --plans needs.

    Args:
        plans: A plan, or a folder of plans.
    """
    from ..engine.doctor import Health, examine

    named = _plans_in(plans) if plans.is_dir() else [plans] if plans.exists() else []
    found = examine(named, Path.cwd())
    missing = sum(s.health is Health.MISSING for s in found)
    lines: list[Line] = []
    for group in dict.fromkeys(s.group for s in found):
        rows = [_symptom(s) for s in found if s.group == group]
        lines += [strong(group), *table(rows), ""]
    if missing:
        lines.append(Span(f"{missing} missing; each line says what to do.", Style.BAD))
    else:
        lines.append(Span("Nothing that is needed is missing.", Style.GOOD))
    facts = {
        "healthy": not missing,
        "findings": [
            {
                "group": s.group,
                "name": s.name,
                "health": s.health.value,
                "found": s.found,
                "hint": s.hint,
            }
            for s in found
        ],
    }
    return Page(lines=lines, facts=facts, code=1 if missing else 0)


def _plans_in(folder: Path) -> list[Path]:
    """Return the plans of a folder: files with tasks and systems; plugins have YAML files of their own."""
    return [
        path
        for path in sorted(folder.glob("*.yaml"))
        if path.is_file()
        and any(line.startswith((b"tasks:", b"systems:")) for line in _beginning(path).splitlines())
    ]


def _beginning(path: Path) -> bytes:
    """Return as much of a file as a plan has."""
    from ..engine.document import MAX_BYTES

    with path.open("rb") as file:
        return file.read(MAX_BYTES)


DIGEST = len("sha256:") + 12
"""Characters of a digest that people need to tell two apart; --json has the whole of it."""


def _row(row: dict[str, str]) -> tuple[str | Span, ...]:
    name, *others = row.values()
    if name.startswith("sha256:"):
        name = name[:DIGEST]
    looks = {
        "sealed, not verified": Style.PLAIN,
        "sealed, newer files": Style.UNSURE,
        "unfinished": Style.UNSURE,
        "changed since sealed": Style.BAD,
        "broken": Style.BAD,
    }
    return (name, *(Span(o, looks[o]) if o in looks else o for o in others))


def _symptom(symptom: Symptom) -> tuple[str | Span, ...]:
    look = {"ok": Style.GOOD, "note": Style.FAINT, "missing": Style.BAD}[symptom.health.value]
    hint = f"  try: {symptom.hint}" if symptom.hint else ""
    return (Span(symptom.health.value, look), symptom.name, symptom.found + hint)
