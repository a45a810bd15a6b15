"""``assay rust corpus``: what a corpus holds, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assay.pages import Page

if TYPE_CHECKING:
    from ..corpus.program import Program

SHOWN = 20
"""Faults that are shown; ``--json`` has all."""


def corpus(path: Path, /) -> Page:
    """Say how many programs a corpus has, how they are tested, how hard they are, what is wrong.

    Exit status 1 when a program is no Python, has no tests, comes twice, or may say something else
    each time it runs, or when a case becomes no test in Rust.

    Parameters
    ----------
    path
        A corpus (JSON Lines, folders of examples, HumanEval-X), a folder of Python files, or one.
    """
    from ..corpus.facts import look
    from ..corpus.reading import read_corpus
    from .levels import told

    facts = look(read_corpus(path))
    programs = [each.program for each in facts.programs]
    counts = {
        "programs": len(programs),
        "lines of Python": sum(program.lines for program in programs),
        "test cases": sum(len(program.cases) for program in programs),
        "programs with test cases": sum(bool(program.cases) for program in programs),
        "programs with Rust tests": sum(bool(program.rust_tests) for program in programs),
        "programs with Python tests": sum(bool(program.python_tests) for program in programs),
        "programs with a Rust answer": sum(bool(program.rust) for program in programs),
    }
    origins = {program.id: program.origin for program in programs}
    faults = [(each.program.id, fault) for each in facts.programs for fault in each.faults]
    faults += [(each.id, fault) for each in programs for fault in _without_rust(each)]
    faults += [(ids[0], f"is the same program as {', '.join(ids[1:])}") for ids in facts.duplicates]
    lines: list[str | tuple[str, ...]] = [f"{path} ({facts.corpus.form})", ""]
    lines += [(name, f"{count:,}") for name, count in counts.items()]
    lines += ["", *told(facts, verbose=False), ""]
    if faults:
        lines += [f"{len(faults):,} {'fault' if len(faults) == 1 else 'faults'}", ""]
        lines += faults[:SHOWN]
        if len(faults) > SHOWN:
            lines.append(f"and {len(faults) - SHOWN:,} more: --json has them all")
    else:
        lines.append("Nothing is wrong.")
    return Page(
        lines=lines,
        facts={
            "path": str(path),
            "form": facts.corpus.form,
            **{name.replace(" ", "_"): count for name, count in counts.items()},
            "levels": {level.number: count for level, count in facts.by_level.items()},
            "difficulties": facts.by_difficulty,
            "duplicates": [list(ids) for ids in facts.duplicates],
            "faults": [
                {"id": program, "where": origins[program], "fault": fault}
                for program, fault in faults
            ],
        },
        code=1 if faults else 0,
    )


def _without_rust(program: Program) -> list[str]:
    """Return which cases become no test in Rust, and why."""
    from assay import DataError

    from ..cases.tests import tests_of

    try:
        found = tests_of(program).unmapped if program.cases else ()
    except DataError:
        return []  # it is no Python, which is said already
    return [f"{f'case {n}' if n else 'its cases'}: {why}" for n, why in found]
