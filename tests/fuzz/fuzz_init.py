"""Feed ``assay init`` answers at the terminal and files of somebody's own: see driver.py.

A plan comes out that ``assay plan`` reads, or an error; the template's labels are those that were answered.
"""

from __future__ import annotations

import io
import itertools
import json
import sys
from contextlib import redirect_stderr
from pathlib import Path

import driver

with driver.instrumented(
    __name__,
    "assay.cli.interview",
    "assay.cli.draft",
    "assay.cli.plan_text",
    "assay.families.intent.table",
):
    from assay.cli.draft import draft_from, draft_job, template_of
    from assay.cli.interview import ask_job, name_of
    from assay.engine.plan import load_plan
    from assay.families.intent.table import Columns, read_rows

HOME = driver.new_folder()


def seeds() -> list[bytes]:
    """Return answers, and a small file of each form."""
    things = [
        "apple",
        "bridge",
        "candle",
        "drum",
        "engine",
        "falcon",
        "garden",
        "hammer",
        "island",
        "jacket",
        "kettle",
        "ladder",
        "mirror",
        "needle",
        "orchid",
        "pillow",
    ]
    verbs = "send wash paint count open trade"
    rows = [
        {
            "prompt": f"{verb} {thing} {thing[::-1]}",
            "label": ("pay", "call", "none")[i % 3],
            "group": thing,
        }
        for i, (thing, verb) in enumerate(zip(things, itertools.cycle(verbs.split()), strict=False))
    ]
    csv = "prompt,label\n" + "".join(f'"do it, {row["prompt"]}",{row["label"]}\n' for row in rows)
    return [
        driver.bundle({"answers": ["Route tickets to a queue", "pay, call, pay me", "yes", "10"]}),
        driver.bundle({"answers": ["x", "a", "a,b", "perhaps", "no", "0", "2 %"]}),
        driver.bundle({"own.csv": csv}),
        driver.bundle({"own.jsonl": rows}),
    ]


def read(data: bytes) -> None:
    """Answer, or give a file; then read the plan that is written."""
    for path in HOME.iterdir():
        path.unlink()
    for path in driver.unbundled(data, HOME):
        if path.name == "answers":
            answered(path)
        elif path.name in ("own.csv", "own.jsonl"):
            written(draft_from(path, HOME / "p.yaml", prompt="prompt", label="label").text)


def answered(path: Path) -> None:
    """Say each line of a file to who asks."""
    try:
        lines = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return
    said = "\n".join(map(str, lines)) if isinstance(lines, list) else str(lines)
    before, sys.stdin = sys.stdin, io.StringIO(said)
    try:
        with redirect_stderr(io.StringIO()):
            job = ask_job()
    finally:
        sys.stdin = before
    if job is None:
        return
    template = HOME / f"{name_of(job.says)}.csv"
    template.write_bytes(template_of(job).encode("utf-8", "surrogatepass"))
    written(draft_job(job, HOME / "p.yaml", template).text)
    labels = {row.label for row in read_rows(template, Columns(group="group"))}
    assert labels == {*job.labels, *([""] if job.has_none else [])}


def written(text: str) -> None:
    """Read a plan that was drafted."""
    plan = HOME / "p.yaml"
    plan.write_bytes(text.encode("utf-8", "surrogatepass"))
    load_plan(plan)


HARNESS = driver.Harness(read=read, seeds=seeds, quick=12)

if __name__ == "__main__":
    driver.main(HARNESS)
