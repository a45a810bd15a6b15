"""Feed a run that nobody has checked to whoever looks at one: ``assay watch``, ``assay view``, ``assay ls``.  See driver.py.

Nothing is sealed again: a run in progress is damaged as it likes.
"""

from __future__ import annotations

import json
import shutil

import driver

with driver.instrumented(
    __name__,
    "assay.publish.watched",
    "assay.publish.viewing",
    "assay.store.tail",
    "assay.cli.watch_lines",
):
    from assay.cli.watch_lines import frame, moment_facts
    from assay.publish.viewing.pages import list_page, moment_sections, run_page
    from assay.publish.viewing.sealed import stored_sections
    from assay.publish.viewing.shelf import Shelf, stored
    from assay.publish.watched.watching import Watching
    from assay.store.rundir import RunDir

import fuzz_run

HOME = driver.new_folder()
TASK = fuzz_run.TASK


def seeds() -> list[bytes]:
    """Return the documents of a run that is being made, and what was derived of one."""
    root = fuzz_run.template()
    made = [
        driver.bundle({name: json.loads((root / name).read_bytes())})
        for name in ("manifest.json", "provenance.json", "SEAL")
    ]
    for name in (
        f"records/{TASK}/a/0-test.jsonl",
        f"records/{TASK}/a/1-calibration.jsonl",
        f"samples/{TASK}/test.jsonl",
    ):
        lines = [json.loads(line) for line in (root / name).read_bytes().splitlines()[:6]]
        made.append(driver.bundle({name: lines}))
    made.append(
        driver.bundle(
            {
                name: json.loads((root / name).read_bytes())
                for name in [f"records/{TASK}/a/0-test.cell.json"]
            }
        )
    )
    estimate = {"value": 0.5, "low": 0.4, "high": 0.6}
    summary = {"says": "Ship a.", "findings": {"c": "supported"}}
    claims = [{"id": "c", "says": "s", "status": "supported", "estimate": estimate}]
    attempts = [{"began": "2026-11-30T00:00:00+00:00", "ended": None, "kept": 3, "pid": 1}]
    made.append(driver.bundle({"derived/summary.json": summary, "derived/claims.json": claims}))
    made.append(driver.bundle({"work/attempts.json": attempts, "cache/attempts.json": attempts}))
    return made


def read(data: bytes) -> None:
    """Look at a run, and show what is seen."""
    runs = HOME / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    root = runs / "one"
    shutil.copytree(fuzz_run.template(), root)
    names = {str(path.relative_to(root)) for path in driver.unbundled(data, root)}
    if "SEAL" not in names:
        (root / "SEAL").unlink(missing_ok=True)
    listed = Shelf(runs).listed()
    list_page("runs", listed, {}).encode("utf-8", "replace")
    run = RunDir(root)
    sections = stored_sections(stored(run, "summary.json"), stored(run, "claims.json"))
    watching = Watching(root)
    moment = watching.look()
    while moment.catching_up:
        moment = watching.look()
    frame(moment)
    json.dumps(moment_facts(moment), allow_nan=False)
    for row in listed:
        run_page(row, None, (*sections, *moment_sections(moment))).encode("utf-8", "replace")


HARNESS = driver.Harness(read=read, seeds=seeds, quick=10)

if __name__ == "__main__":
    driver.main(HARNESS)
