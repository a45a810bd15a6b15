"""Feed the reader of HELM's runs: see driver.py."""

from __future__ import annotations

import json
from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish.interop", "assay.engine.foreign"):
    import imports


def seeds() -> list[bytes]:
    """Return a run whole, one without states, and one without instances."""
    made = []
    for folder in sorted((imports.LOGS / "helm").iterdir()):
        files = {f"run/{path.name}": some(path) for path in sorted(folder.glob("*.json"))}
        made.append(driver.bundle(files))
        for name in ("run/scenario_state.json", "run/per_instance_stats.json"):
            files.pop(name)
            made.append(driver.bundle(files))
    return made


def some(path: Path) -> object:
    """Return a file of HELM with few instances."""
    value = json.loads(path.read_text("utf-8"))
    if isinstance(value, list):
        return value[: imports.SOME]
    if "request_states" in value:
        value["request_states"] = value["request_states"][: imports.SOME]
    return value


HARNESS = driver.Harness(read=imports.read_as("helm", imports.as_folder), seeds=seeds, quick=50)

if __name__ == "__main__":
    driver.main(HARNESS)
