"""``assay rust adequacy``: whether the tests of a corpus can tell wrong programs from right ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay import DataError
from assay.estimates import share, spell
from assay.machines import usable_cpus
from assay.pages import Page, progress, wrong_option

from .verify import check_timeout

if TYPE_CHECKING:
    from ..adequacy import Adequacy

SHOWN = 20
"""Survivors that are named; ``--json`` has all."""


def adequacy(
    path: Path,
    /,
    *,
    differential: int = 0,
    workers: int | None = None,
    timeout: float = 20.0,
) -> Page:
    """Try each right answer, and wrong programs made of it, with the tests of a corpus.

    Exit status 1 when a right answer does not pass, or the tests of a program tell no mutant from it.

    Parameters
    ----------
    path
        A corpus with right answers (rust_code, or NAME.rs beside NAME.py).
    differential
        Calls of each Python original with generated arguments, which the right answer must answer
        alike, and which test the mutants as well.
    workers
        Programs at once; without it, as many as there are cores.
    timeout
        Seconds for each build, and again for the tests.
    """
    from ..adequacy import adequacy as tried
    from ..corpus.reading import read_corpus
    from ..rust.verify import Workbench

    if workers is not None and workers < 1:
        raise wrong_option("--workers", f"{workers} is no number of programs", "give 1 or more")
    if differential < 0:
        raise wrong_option("--differential", f"{differential} is no number", "give 0 or more")
    check_timeout(timeout)
    corpus = read_corpus(path)
    if not any(each.rust for each in corpus.programs):
        raise DataError(
            f"none of {len(corpus.programs):,} programs has a right answer",
            where=str(path),
            hint="give rust_code, or NAME.rs beside NAME.py",
        )
    bench = Workbench.of(timeout)
    at_once = workers or usable_cpus()
    found = tried(corpus.programs, bench, workers=at_once, differential=differential, say=progress)
    sound = all(each.sound for each in found if each.program.rust)
    return Page(lines=_told(path, found), facts=_facts(path, found), code=0 if sound else 1)


def _told(path: Path, found: list[Adequacy]) -> list[str | tuple[str, ...]]:
    gold = [each for each in found if each.program.rust]
    passing = [each for each in gold if each.gold is not None and each.gold.passed]
    lines: list[str | tuple[str, ...]] = [
        f"{path}: {len(found):,} programs, {len(gold):,} with a right answer",
        "",
        ("right answers that pass", f"{len(passing):,} of {len(gold):,}"),
    ]
    lines += _compared(gold)
    kills: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for each in found:
        for one in each.tried:
            made[one.mutant.fault] += one.counts
            kills[one.mutant.fault] += one.killed
    if made.total():
        groups = [each.program.id for each in found for one in each.tried if one.counts]
        hits = [one.killed for each in found for one in each.tried if one.counts]
        rate = spell(share("kill rate", hits, groups=groups))
        lines.append(("mutants that fail", f"{kills.total():,} of {made.total():,}: {rate}"))
        lines.append("")
        lines += [
            (fault, f"{kills[fault]:,} of {made[fault]:,}", f"{kills[fault] / made[fault]:.0%}")
            for fault in made
            if made[fault]
        ]
    lines += ["", *(_row(each) for each in passing)]
    lines += [(each.program.id, each.why) for each in found if each.why and each.program.rust]
    alive = [(e, t) for e in passing for t in e.tried if t.counts and not t.killed]
    if alive:
        lines += ["", f"{len(alive):,} mutants pass, and may compute the same:"]
        lines += [(e.program.id, t.mutant.fault, t.mutant.where) for e, t in alive[:SHOWN]]
        if len(alive) > SHOWN:
            lines.append(f"and {len(alive) - SHOWN:,} more: --json has them all")
    return lines


def _compared(gold: list[Adequacy]) -> list[str | tuple[str, ...]]:
    """Return what came of holding right answers to their originals."""
    held = [(each, each.compared) for each in gold if each.compared is not None]
    if not held:
        return []
    calls = [(each, c) for each, c in held if c.found.cases]
    alike = sum(each.gold is not None and each.gold.passed for each, _ in calls)
    count = sum(len(c.found.cases) for _, c in calls)
    only = sum(each.killed_by_generated for each, _ in calls)
    lines: list[str | tuple[str, ...]] = [
        (
            "right answers that do as their original",
            f"{alike:,} of {len(calls):,}, on {count:,} generated calls",
        ),
        ("mutants that only these calls tell apart", f"{only:,}"),
    ]
    why = Counter(_why_not(each) for each, c in held if not c.found.cases)
    lines += [(f"not compared: {each}", f"{n:,}") for each, n in why.most_common()]
    for each, _ in calls:
        lines += [(each.program.id, f"the original: {said}") for said in each.differences[:3]]
    return lines


def _why_not(each: Adequacy) -> str:
    found = each.compared.found if each.compared else None
    if found is not None and found.unsteady:
        return "it says something else each time"
    return found.why if found else ""


def _row(each: Adequacy) -> tuple[str, ...]:
    """Return what the tests of one program are worth."""
    if not each.mutants:
        return (each.program.id, "no mutant compiles: nothing is known of its tests", "")
    count = f"{each.killed:,} of {each.mutants:,} mutants fail"
    rate = f"{each.killed / each.mutants:.0%}"
    return (each.program.id, count, rate if each.killed else f"{rate}: its tests kill no mutant")


def _facts(path: Path, found: list[Adequacy]) -> dict[str, Any]:
    return {
        "path": str(path),
        "programs": [
            {
                "id": each.program.id,
                "gold": str(each.gold.stand) if each.gold else None,
                "why": each.why,
                "mutants": each.mutants,
                "killed": each.killed,
                "generated": len(each.compared.found.cases) if each.compared else 0,
                "not_compared": _why_not(each),
                "differences": each.differences,
                "killed_by_generated": each.killed_by_generated,
                "survivors": [
                    {"fault": str(t.mutant.fault), "where": t.mutant.where}
                    for t in each.tried
                    if t.counts and not t.killed
                ],
            }
            for each in found
        ],
    }
