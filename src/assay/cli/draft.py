"""The text of a first plan, and what was found in the file that it is made from."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from ..core.errors import DataError, PlanError, PluginError
from ..core.reply import Bottom
from ..core.sample import Sample
from ..core.system import Loads
from ..engine.plugins import known, make_recipe, make_task
from .plan_text import plan_text

EXAMPLE = """\
# A first plan.  It runs as it is, needs no model, and takes a few seconds:
#     assay run {name}.yaml
# Every key is explained in docs/plan.md; an unknown one is an error, never ignored.
name: {name}
says: Can counting words tell four errands apart, and does it know when nothing is asked?

# Systems that depend on chance are built and asked once per seed.
seeds: [0, 1, 2]

# What an hour of a machine costs; `assay ls prices` lists tables, and a file works too.
prices: laptop

# The questions.  `assay ls tasks` lists what is installed; `assay init --from prompts.csv` uses yours.
tasks:
  - use: toy.errands
    # limit: 200             # ask fewer: whole groups, drawn fairly

# What is asked.  Three control systems (silent, random, constant) always run beside them.
systems:
  - name: votes
    use: toy.votes
    abstain: {{max_risk: 0.1}} # decline when unsure, so that at most 10 % of the answers are wrong
  - name: last-word
    use: toy.last_word

# Pictures of what can be had together: nothing beats a system that is on the front.
fronts: [[accuracy, usd_per_1k, latency_p50]]

# Latency and cost are measured one question at a time, in processes of their own.
timing: {{processes: 3, blocks: 7, questions: 2}}

# Sentences to be decided: supported, refuted or undecided.
claims:
  - id: better
    says: Counting words is more accurate than looking at the last word
    system: votes
    against: last-word
    metric: accuracy
    at_least: 0.0            # of the difference votes minus last-word
    over: [samples, seeds]   # it should hold for other questions and other seeds too
  - id: rarely-invents
    says: It answers at most one in ten of the requests that ask for nothing
    system: votes
    metric: invention_rate
    at_most: 0.1
"""

BLANK = "(write "
"""How a line of a template begins that nobody has filled in."""

RISKS = (0.02, 0.05, 0.1, 0.2)
DELTA = 0.05
MOST_HEADER = 100_000
"""Characters of a header."""

LIKELY_ANSWERED = 0.6
"""Share of calibration groups that a threshold is expected to leave answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a system is to do: which label a request has."""

    says: str
    labels: tuple[str, ...]
    has_none: bool = True
    """Whether some requests have no right label."""

    risk: float = 0.1
    """At most this share of the answers may be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan's text, with what was found and what should be said about it."""

    text: str
    found: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def draft_example(name: str) -> Draft:
    """Return a small plan with a comment for every part."""
    return Draft(text=EXAMPLE.format(name=name))


def draft_from(source: Path, plan: Path, *, prompt: str, label: str) -> Draft:
    """Return a plan for a file of labelled prompts; ``plan`` is where it will stand.

    Raises ``DataError`` for whatever keeps the file from being used, before anything is written.
    """
    columns = {"prompt": prompt, "label": label}
    header = _header(source)
    if header and not {prompt, label} <= set(header):
        lacking = [name for name in (prompt, label) if name not in header]
        hint = "say which columns to read: --prompt COLUMN --label COLUMN"
        if any(";" in name or "\t" in name for name in header):
            hint = "save the file with commas between the columns, not semicolons or tabs"
        raise DataError(
            f"no column is called {lacking[0]!r}; there are {', '.join(map(repr, header[:12]))}",
            where=f"{source}:1",
            hint=hint,
        )
    columns |= {name: name for name in ("group", "split") if name in header}
    found, alike = _facts(source, columns)
    splits, caveat = _splits(source, columns)
    risk = _max_risk(splits["calibration"])
    ready, notes = _systems()
    notes += alike
    if caveat:
        columns["leaks"] = "allow"
        notes.append(f"{caveat}; the plan says `leaks: allow`, and every number will say so.")
    if risk is None:
        notes.append(
            "Too few prompts to choose a threshold on: no system declines when it is unsure."
        )
    has_none = any(isinstance(s.target, Bottom) for s in splits["test"])
    options = {"path": os.path.relpath(source, plan.parent)} | {
        key: column for key, column in columns.items() if key != column or key in ("group", "split")
    }
    says = f"Which label does a request of {source.name} have, and what does it cost to tell?"
    text = plan_text(
        plan.stem, options, ready, says=says, risk=risk, at_most=0.1, has_none=has_none
    )
    return Draft(text=text, found=found, notes=tuple(notes))


def draft_job(job: Job, plan: Path, data: Path) -> Draft:
    """Return a plan for a job of which there is no data yet; ``data`` is the file that will hold it."""
    ready, notes = _systems()
    options = {"path": os.path.relpath(data, plan.parent), "group": "group"}
    text = plan_text(
        plan.stem,
        options,
        ready,
        says=job.says,
        risk=job.risk,
        at_most=job.risk,
        has_none=job.has_none,
    )
    return Draft(text=text, notes=tuple(notes))


def template_of(job: Job) -> str:
    """Return the text of a file to fill in: a line for each label that says what to write there.

    >>> print(template_of(Job(says="x", labels=("pay", "call"), has_none=True)), end="")
    prompt,label,group
    (write a request here whose label is pay),pay,1
    (write a request here whose label is call),call,2
    (write a request here that has no label),none,3
    """
    lines = [(f"{BLANK}a request here whose label is {label})", label) for label in job.labels]
    if job.has_none:
        lines.append((f"{BLANK}a request here that has no label)", "none"))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("prompt", "label", "group"))
    writer.writerows((prompt, label, i) for i, (prompt, label) in enumerate(lines, 1))
    return out.getvalue()


def _facts(source: Path, columns: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what a file holds, and what may not be meant."""
    # The task's own module says what a file holds; it is reached as every plugin is.
    module = import_module(known("assay.tasks")["intent.csv"].module)
    facts: Any = module.facts(source, **columns)
    labels = [f"{name} ({count})" for name, count in list(facts.labels.items())[:8]]
    more = f" and {len(facts.labels) - 8} more" if len(facts.labels) > 8 else ""
    notes = [
        f"{' and '.join(map(ascii, each))} read alike, and are labels apart: mend the file if one is meant."
        if len(each) > 1
        else f"The label {each[0]!a} shows nothing: leave it empty where the right answer is to decline."
        for each in facts.alike[:8]
    ]
    return {
        "prompts": f"{facts.rows:,}",
        "labels": f"{len(facts.labels)}: {', '.join(labels)}{more}",
        "without an answer": f"{facts.no_answer:,}",
        "groups": f"{facts.groups:,} that are independent of each other",
        "duplicates left out": f"{facts.duplicates:,}",
    }, notes


def _splits(
    source: Path, columns: Mapping[str, str]
) -> tuple[dict[str, Sequence[Sample]], str | None]:
    """Return what is asked, and why the file's own split is not held out where it is not."""

    def parts(**more: str) -> dict[str, Sequence[Sample]]:
        options = {"path": str(source.absolute()), **columns, **more}
        task = make_task("intent.csv", options, where=str(source), base=Path.cwd())
        return {split: task.samples(split) for split in ("calibration", "test")}

    try:
        return parts(), None
    except DataError as error:
        if error.code != "A201" or "split" not in columns:
            raise
        return parts(leaks="allow"), error.what


def _header(source: Path) -> list[str]:
    """Return the names of the columns; empty where they cannot be read, which is told later."""
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline(MOST_HEADER)
    except FileNotFoundError:
        raise DataError(
            "there is no such file", where=str(source), hint="check the path behind --from"
        ) from None
    except (OSError, UnicodeDecodeError):
        return []
    try:
        if source.suffix.lower() == ".jsonl":
            row = json.loads(first)
            return list(row) if isinstance(row, dict) else []
        return [name.strip() for name in next(csv.reader([first]), [])]
    except (ValueError, csv.Error, RecursionError):
        return []


def _max_risk(calibration: Sequence[Sample]) -> float | None:
    """Return the strictest risk that so many groups can promise if nothing goes wrong."""
    groups = LIKELY_ANSWERED * len({s.cluster for s in calibration})
    for risk in RISKS:
        if groups >= math.log(DELTA) / math.log1p(-risk):
            return risk
    return None


def _systems() -> tuple[list[str], list[str]]:
    """Return which of the usual systems can be built here, and a note for each that cannot."""
    ready, notes = [], []
    for use in ("intent.tfidf", "intent.mapper"):
        try:
            recipe = make_recipe(use, {}, where=use, base=Path.cwd())
            if isinstance(recipe, Loads):
                recipe.loads()
        except (PlanError, PluginError, DataError) as error:
            hint = f"; {error.hint}" if error.hint else ""
            notes.append(f"{use} is left out: {error.what}{hint}")
        else:
            ready.append(use.partition(".")[2])
    if not ready:
        # Written all the same: installing the extra is all that it needs.
        ready = ["tfidf", "mapper"]
    return ready, notes
