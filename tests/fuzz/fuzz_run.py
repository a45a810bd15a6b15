"""Feed a run's documents to whatever reads a run: see driver.py.

Somebody changed a document and sealed the run again, with every digest right: what stands behind the
seal is reached.  The files of an input take the place of those of a small run.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import driver

with driver.instrumented(
    __name__, "assay.store", "assay.publish", "assay.analysis", "assay.engine"
):
    from assay.engine.document import read_document
    from assay.publish.board.cards import card_of
    from assay.publish.report import Report
    from assay.publish.run import Run
    from assay.store.journal import decisions_of, read_lines
    from assay.store.rundir import RunDir, cell_of
    from assay.store.seal import journals, read_seal, seal

from assay import Answer, Bottom, Failed, Sample
from publish.harm import CONTROLS, TASK, Writing, write_run

HOME = driver.new_folder()
WHOLE = 16
"""One input in so many is also reported and made a card of."""


def template() -> Path:
    """Write a run of two systems beside controls, once."""
    root = HOME / "template"
    if root.exists():
        return root

    def say(i: int, seed: int) -> Answer | Bottom | Failed:
        if i % 11 == 0:
            return Failed("slow")
        sure = (i % 7) / 7
        return (
            Bottom("low", Answer("swap", sure))
            if i % 5 == seed
            else Answer("swap" if i % 3 else "stake", sure)
        )

    samples = [
        Sample(id=f"s{i}", input={"n": i}, target=Answer("swap") if i % 4 else Bottom("none"), group=f"g{i // 2}", tags=frozenset({"even"} if i % 2 else ()))
        for i in range(48)
    ]  # fmt: skip
    claim = {
        "id": "c",
        "says": "a is right",
        "system": "a",
        "metric": "accuracy",
        "at_least": 0.1,
        "over": ["samples", "seeds"],
    }
    said = {
        "a": say,
        "b": lambda i, seed: say(i + 1, seed),
        **{name: lambda _i, _seed: Bottom("no") for name in CONTROLS},
    }
    write_run(root, Writing(samples=samples, replies=said, max_risk={"a": 0.3}, claims=[claim]))
    return root


def seeds() -> list[bytes]:
    """Return each document of the run."""
    root = template()
    names = ["manifest.json", "provenance.json", "SEAL", f"records/{TASK}/a/0-test.cell.json"]
    made = [driver.bundle({name: json.loads((root / name).read_bytes())}) for name in names]
    for name in (
        f"records/{TASK}/a/0-test.jsonl",
        f"records/{TASK}/a/1-calibration.jsonl",
        f"samples/{TASK}/test.jsonl",
        f"timing/{TASK}/0.jsonl",
    ):
        lines = [json.loads(line) for line in (root / name).read_bytes().splitlines()]
        made.append(driver.bundle({name: lines}))
    made.append(driver.bundle({"plan.yaml": (root / "plan.yaml").read_text("utf-8")}))
    made.append(driver.bundle({"plan.yaml": read_document(root / "plan.yaml").value}))
    number = {"task": TASK, "system": "a", "metric": "acc", "value": 0.5, "source": "s"}
    made.append(driver.bundle({"published.json": {"schema_version": 1, "numbers": [number]}}))
    stopped = {
        "looks": [10, 20],
        "look": 1,
        "groups": 10,
        "of_groups": 12,
        "questions": 20,
        "of_questions": 24,
        "decided": True,
    }
    made.append(
        driver.bundle(
            {
                "stopping.json": {
                    "schema_version": 1,
                    "rule": "when_decided",
                    "tasks": {TASK: stopped},
                }
            }
        )
    )
    return made


def read(data: bytes) -> None:
    """Put the files of an input into the run, seal it, and read it to the end."""
    root = HOME / "run"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template(), root)
    names = {str(path.relative_to(root)) for path in driver.unbundled(data, root)}
    if "SEAL" not in names:
        sealed_again(RunDir(root))
    run = Run.load(root)
    for system in run.manifest.systems:
        for one in run.manifest.tasks:
            run.estimate("accuracy", system, task=one)
    if sum(data) % WHOLE == 0:
        Report(run).markdown()
        card_of(run)


def sealed_again(run: RunDir) -> None:
    """Seal a run whatever it holds, as somebody would who forges one."""
    decisions, crashed = {}, []
    for path in journals(run):
        found = decisions_of(read_lines(path))
        decisions[str(path.relative_to(run.root))] = found.digest
        if found.crashed:
            crashed.append(str(cell_of(run.root, path)))
    seal(run, decisions=decisions, incomplete=tuple(crashed))
    read_seal(run)


HARNESS = driver.Harness(read=read, seeds=seeds, quick=8)

if __name__ == "__main__":
    driver.main(HARNESS)
