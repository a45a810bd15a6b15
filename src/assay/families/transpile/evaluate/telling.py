"""What an evaluation came to: lines for people, and the file that ``--output`` names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import Report, Run
from assay.estimates import spell
from assay.pages import check_file, wrong_option

from .planning import Planned

SUFFIXES = (".json", ".md")
COSTS = ("usd_per_1k", "latency_p50")
FILES = ("summary", "claims", "fronts", "paired")
"""What a run has derived, and an evaluation in JSON repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A plan that was written, and the run that was made of it."""

    planned: Planned
    plan: Path
    run: Run


def check_output(path: Path | None) -> None:
    """Raise ``PlanError`` A106 for a file that cannot be written, before anything runs."""
    if path is None:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise wrong_option("--output", f"{path} is neither .json nor .md", "end it in one of them")
    if path.is_dir():
        raise wrong_option("--output", f"{path} is a folder", "name a file")
    check_file("--output", path)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise wrong_option("--output", f"there is no folder {path.parent}", "make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise wrong_option("--output", f"{path} cannot be written", "name a file of yours")


def notes_of(done: Done) -> list[str]:
    """Return what whoever reads the numbers has to know, the systems that drew nothing among it."""
    systems = done.run.manifest.systems
    once = [n for n, s in systems.items() if not s.seeded and not s.control]
    told = [n for n in once if systems[n].use == "lm.command"]
    once = [n for n in once if n not in told]
    drawn = [n for n, s in systems.items() if s.seeded and not s.control]
    found = []
    if once:
        verb = "is deterministic and was" if len(once) == 1 else "are deterministic and were"
        found.append(f"{', '.join(once)} {verb} asked once: more runs would repeat the first")
    if told:
        found.append(
            f"{', '.join(told)}: asked once, as if deterministic; whether a program draws is its own "
            "affair, and its luck is in no interval"
        )
    if drawn:
        runs = done.planned.runs
        found.append(
            f"{', '.join(drawn)}: {runs} {'run' if runs == 1 else 'runs'}, each with its seed"
        )
    return [*found, *done.planned.notes]


def lines_of(done: Sequence[Done]) -> list[str | tuple[str, ...]]:
    """Return the lines of a page: a table for each task, notes, and last the decisions."""
    lines: list[str | tuple[str, ...]] = []
    for each in done:
        for task in each.run.manifest.tasks:
            lines += _table(each, task)
        lines += [*notes_of(each), "", f"Plan: {each.plan}", f"Run:  {each.run.path}", ""]
    for each in done:
        for task, decision in each.run.decision.items():
            lines.append(f"{task}: {decision['says']}")
    return lines


def _table(done: Done, task: str) -> Iterator[str | tuple[str, ...]]:
    run, metrics = done.run, (done.planned.metric, *COSTS)
    yield f"{task}  ({run.manifest.tasks[task].splits['test'].samples:,} questions; intervals of 95 %)"
    yield ("", *metrics)
    # Controls last: they are there to be beaten.
    for system, facts in sorted(run.manifest.systems.items(), key=lambda pair: pair[1].control):
        name = f"{system} (control)" if facts.control else system
        yield (name, *(spell(run.estimate(metric, system, task=task)) for metric in metrics))
    yield ""


def facts_of(done: Sequence[Done]) -> dict[str, Any]:
    """Return an evaluation as plain values: for each plan what its run derived, and the notes."""
    return {
        "evaluations": [
            {
                "plan": str(each.plan),
                "run": str(each.run.path),
                "tasks": list(each.run.manifest.tasks),
                "metric": each.planned.metric,
                "runs": each.planned.runs,
                "asked": {n: len(s.seeds) for n, s in each.run.manifest.systems.items()},
                "notes": notes_of(each),
                **{
                    name: json.loads((each.run.path / "derived" / f"{name}.json").read_bytes())
                    for name in FILES
                },
            }
            for each in done
        ]
    }


def write_output(path: Path, done: Sequence[Done]) -> None:
    """Write an evaluation: as JSON, or as Markdown with the report of each run.

    Raises ``PlanError`` A106 where the disk says no; the runs are kept.
    """
    text = (
        json.dumps(facts_of(done), indent=2, allow_nan=False) + "\n"
        if path.suffix.lower() == ".json"
        else _markdown(path, done)
    )
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise wrong_option(
            "--output",
            f"{path} cannot be written: {error.strerror or error}",
            "the runs are kept: `assay report` writes their reports",
        ) from None


def _markdown(path: Path, done: Sequence[Done]) -> str:
    tasks = [task for each in done for task in each.run.manifest.tasks]
    parts = [f"# Evaluation of {', '.join(tasks)}", ""]
    for each in done:
        lies = os.path.relpath(each.run.path / "derived", path.absolute().parent)
        report = _lower(Report(each.run).markdown()).replace("](figures/", f"]({lies}/figures/")
        head, _, rest = report.partition("\n")
        notes = "".join(f"- {_plain(note)}\n" for note in notes_of(each))
        parts += [head, "", "### How it was asked", "", notes, rest.strip(), ""]
    return "\n".join(parts)


def _lower(markdown: str) -> str:
    """Return Markdown with each heading one level lower; what is fenced stays as it is."""
    fenced, lines = False, []
    for line in markdown.splitlines():
        fenced ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not fenced else line)
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>#|$])", r"\\\1", text)
