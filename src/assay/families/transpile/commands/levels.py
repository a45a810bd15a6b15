"""``assay rust levels``: which of the ten levels each program of a corpus has, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from cyclopts import Parameter

from assay.pages import Page

if TYPE_CHECKING:
    from ..corpus.facts import Facts, Looked

Flag: TypeAlias = Annotated[bool, Parameter(negative="")]

BAR = 30
"""Characters of the longest bar."""

NAMED = 5
"""Programs that are named for each level; --verbose names all."""


def levels(path: Path, /, *, verbose: Flag = False) -> Page:
    """Say which of the ten Py2Rs levels each Python program has: that of its highest construct.

    Parameters
    ----------
    path
        A corpus (JSON Lines, folders of examples, HumanEval-X), a folder of Python files, or one.
    verbose
        Also name every program, with the constructs that decide.
    """
    from ..corpus.facts import look
    from ..corpus.reading import read_corpus

    facts = look(read_corpus(path))
    return Page(lines=told(facts, verbose=verbose), facts=_facts(path, facts))


def told(facts: Facts, *, verbose: bool) -> list[str | tuple[str, ...]]:
    """Return bars for the levels, shares of difficulty, coverage, and ten circles."""
    from ..levels import LEVELS, WEIGHTS

    total = sum(facts.by_level.values())
    lines: list[str | tuple[str, ...]] = [
        f"Levels (Py2Rs, {total:,} {'program' if total == 1 else 'programs'})",
        "",
    ]
    for level, count in facts.by_level.items():
        bar = "█" * (-(-count * BAR // total) if total else 0)
        share = f"{count} {'program' if count == 1 else 'programs'}"
        lines.append(
            (f"L{level.number}", level.name, level.difficulty, bar, share, f"weight {level.weight}")
        )
    lines += ["", "Difficulty", ""]
    for difficulty, count in facts.by_difficulty.items():
        lines.append((difficulty, f"{count:,}", f"{count / total:.1%}" if total else "-"))
    covered = [level for level, count in facts.by_level.items() if count]
    lines += [
        "",
        f"Levels covered: {len(covered)} of {len(LEVELS)}",
        f"Weight covered: {facts.covered:g} of {WEIGHTS:g} ({facts.covered / WEIGHTS:.1%})",
        "",
        "● has programs, ○ has none",
        "Levels 1-10: " + "".join("●" if n else "○" for n in facts.by_level.values()),
    ]
    unread = [each for each in facts.programs if each.level is None]
    if unread:
        lines += ["", f"Not classified: {len(unread):,}"]
        lines += [
            (each.program.id, each.faults[-1]) for each in (unread if verbose else unread[:NAMED])
        ]
    if verbose:
        lines += ["", *(_why(each) for each in facts.programs if each.level)]
    return lines


def _why(each: Looked) -> tuple[str, ...]:
    assert each.level is not None
    number = each.level.level.number
    reasons = [f"{r.what} (line {r.line})" for r in each.level.reasons if r.number == number]
    return (each.program.id, f"L{number}", ", ".join(reasons[:3]) or "it only prints, if that")


def _facts(path: Path, facts: Facts) -> dict[str, Any]:
    return {
        "path": str(path),
        "levels": [
            {"number": level.number, "name": level.name, "weight": level.weight, "programs": count}
            for level, count in facts.by_level.items()
        ],
        "weight_covered": facts.covered,
        "samples": [
            {
                "id": each.program.id,
                "level": each.level.level.number if each.level else None,
                "difficulty": each.level.level.difficulty if each.level else None,
                "reasons": [
                    {"level": r.number, "what": r.what, "line": r.line} for r in each.level.reasons
                ]
                if each.level
                else [],
            }
            for each in facts.programs
        ],
    }
