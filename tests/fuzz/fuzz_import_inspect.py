"""Feed the reader of inspect-ai's logs, JSON and packed: see driver.py.

A mapping of entries is packed as an ``.eval``, so that what stands behind the zip is reached; bytes are a zip as they are.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish.interop", "assay.engine.foreign"):
    import imports


def seeds() -> list[bytes]:
    """Return the JSON log, and its parts as the packed log has them."""
    log = json.loads((imports.LOGS / "inspect" / "guesser.json").read_text("utf-8"))
    log["samples"] = [slim(sample) for sample in log["samples"][: imports.SOME]]
    log = {key: log[key] for key in ("version", "status", "eval", "results", "samples")}
    head = {key: log[key] for key in ("version", "status", "eval", "results")}
    parts = {f"samples/{number}.json": sample for number, sample in enumerate(log["samples"])}
    return [json.dumps(log).encode(), json.dumps({"header.json": head, **parts}).encode()]


def slim(sample: dict[str, object]) -> dict[str, object]:
    """Return a sample without what is never read."""
    return {key: value for key, value in sample.items() if key not in ("events", "messages", "attachments", "timelines")}  # fmt: skip


def shape(data: bytes, into: Path) -> Path:
    """Write the log."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "header.json" not in value:
        (into / "log.json").write_bytes(driver.trees.deepened(data))
        return into / "log.json"
    path = into / "log.eval"
    if not isinstance(value, dict):
        path.write_bytes(data)
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, entry in value.items():
            packed.writestr(
                name.encode("utf-8", "replace").decode()[:500] or "_",
                driver.file_bytes(name, entry),
            )
    return path


HARNESS = driver.Harness(read=imports.read_as("inspect", shape), seeds=seeds, quick=40)

if __name__ == "__main__":
    driver.main(HARNESS)
