"""Feed the reader of promptfoo's logs: see driver.py."""

from __future__ import annotations

import json

import driver

with driver.instrumented(__name__, "assay.publish.interop", "assay.engine.foreign"):
    import imports


def seeds() -> list[bytes]:
    """Return a log of each form."""
    folder = imports.LOGS / "promptfoo"
    log = json.loads((folder / "sums.json").read_text("utf-8"))
    log["results"]["results"] = log["results"]["results"][: imports.SOME]
    log["results"] = {key: log["results"][key] for key in ("version", "results")}
    return [
        driver.bundle({"log.json": log}),
        driver.bundle({"log.jsonl": imports.some_lines(folder / "prompts.jsonl")}),
    ]


READ = imports.read_as("promptfoo", imports.as_folder)
HARNESS = driver.Harness(read=READ, seeds=seeds, quick=40)

if __name__ == "__main__":
    driver.main(HARNESS)
