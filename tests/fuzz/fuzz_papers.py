"""Feed what travels beside models and bundles: passports, measured speeds, a bundle's metadata, a pipeline's journal.  See driver.py."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import driver

with driver.instrumented(
    __name__,
    "assay.publish.bundle",
    "assay.families.lm.quantisation.measured",
    "assay.families.lm.score.speeds",
    "assay.families.supply.passport",
    "assay.families.supply.pipeline.journal",
):
    from assay.families.lm.quantisation.measured import read_edge
    from assay.families.lm.score.speeds import Loaded, read_speeds
    from assay.families.supply.passport import as_bytes, read_passport
    from assay.families.supply.pipeline.journal import opened
    from assay.publish.bundle import read_bundle

HOME = driver.new_folder()
SHA = "0" * 64


def seeds() -> list[bytes]:
    """Return one of each."""
    named = {"name": "m.apr", "format": "apr", "sha256": SHA, "size": 1}
    number = {
        "name": "mean_kl",
        "value": 0.01,
        "n": 3,
        "of": "texts",
        "limit": 0.1,
        "relation": "at_most",
        "low": 0.0,
        "high": 0.02,
    }
    passport: dict[str, Any] = {
        "passport": 1, "verdict": "accepted", "reasons": [], "candidate": named, "source": named, "prompts": {"name": "p", "sha256": SHA, "n": 1},
        "numbers": [number], "tensors": {}, "changed": [], "farthest": {}, "ran": {}, "parents": [], "settings": {}, "versions": {},
    }  # fmt: skip
    rate = {"value": 10.0, "low": 9.0, "high": 11.0}
    model = {"model": "m", "runtime": "llama.cpp", "dtype": None, "files": [{"name": "m.gguf", "digest": f"sha256:{SHA}"}], "share": 0.95,
             "score": {"total": {"value": 50.0, "low": 40.0, "high": 60.0}, "why": ""}, "peak_bytes": 1000, "not_measured": "",
             "numbers": {"prompt_per_s": rate, "decode_per_s": rate}}  # fmt: skip
    edge = {"date": "2026-11-30", "machine": {"cpu": "c", "cpus_usable": 2}, "prompt": 64, "generate": 8, "threads": 1, "repeats": 3,
            "profile": None, "models": [model, {**model, "runtime": "transformers", "numbers": None, "score": None}]}  # fmt: skip
    origin = {"run": "r", "plan": "p", "seal": "s", "manifest": "m", "task": "t", "task_use": "u", "task_version": "1", "system": "s", "of": "s",
              "use": "u", "options": {"a": 1}, "seed": 0, "data": {"test": "d"}, "packages": {}}  # fmt: skip
    digest = "sha256:" + hashlib.sha256(b"[]").hexdigest()
    bundle = {
        "schema_name": "assay.bundle",
        "schema_version": 1,
        "origin": origin,
        "files": {"a.json": digest},
        "model": {"inputs": 3},
        "packages": {},
    }
    line = {"key": SHA, "stage": "fetch", "of": "m", "facts": {"n": 1}, "stopped": ""}
    return [
        driver.bundle({"m.passport.json": passport}),
        driver.bundle({"edge.json": edge}),
        driver.bundle({"metadata.json": bundle, "a.json": []}),
        driver.bundle({"journal.jsonl": [line, line]}),
    ]


def read(data: bytes) -> None:
    """Read each of the files that there are."""
    place = HOME / "papers"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for path in driver.unbundled(data, place):
        one(path)


def one(path: Path) -> None:
    """Read a file as what it is called."""
    match path.name:
        case "m.passport.json":
            passport = read_passport(path)
            path.write_bytes(as_bytes(passport))
            assert read_passport(path) == passport
        case "edge.json":
            loaded = Loaded(use="lm.gguf", options={}, digests=frozenset({f"sha256:{SHA}"}))
            for reader in (lambda: read_edge(path), lambda: read_speeds([path], {"m": loaded})):
                reader()
        case "metadata.json":
            read_bundle(path.parent)
        case "journal.jsonl":
            with opened(path) as journal:
                assert journal.read("none") is None


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
