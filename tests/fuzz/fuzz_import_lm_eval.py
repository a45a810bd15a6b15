"""Feed the reader of lm-eval's logs: see driver.py."""

from __future__ import annotations

import json

import driver

with driver.instrumented(__name__, "assay.publish.interop", "assay.engine.foreign"):
    import imports


def seeds() -> list[bytes]:
    """Return the log of each model, its results without and with their samples."""
    made = []
    for path in sorted(imports.LOGS.glob("lm-eval/*/*/results_*.json")):
        files = {path.name: json.loads(path.read_text("utf-8"))}
        made.append(driver.bundle(files))
        for each in sorted(path.parent.glob("samples_*.jsonl")):
            files[each.name] = imports.some_lines(each)
        made.append(driver.bundle(files))
    return made


HARNESS = driver.Harness(read=imports.read_as("lm-eval", imports.as_folder), seeds=seeds, quick=50)

if __name__ == "__main__":
    driver.main(HARNESS)
