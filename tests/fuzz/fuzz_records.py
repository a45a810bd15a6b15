"""Feed the readers of records: journals, samples, timing, evidence.  See driver.py.

Lines are given as JSON and get a checksum that is right; a text among them is a line as it is.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from pathlib import Path

import driver
import msgspec

with driver.instrumented(__name__, "assay.store"):
    from assay.core.record import Cell
    from assay.store.columns import read_columns, read_decided_columns
    from assay.store.decisions import decisions_of
    from assay.store.evidence import read_evidence
    from assay.store.journal import read_lines, repair
    from assay.store.kept import know
    from assay.store.line import to_record
    from assay.store.rundir import RunDir
    from assay.store.samples import fingerprint, read_samples
    from assay.store.timed import read_timing

HOME = driver.new_folder()
CELL = Cell(task="t", system="s", seed=0, split="test")


def seeds() -> list[bytes]:
    """Return a journal of every kind of reply, samples of every kind of target, and the rest."""
    usage = {"busy_s": 0.5, "latency_s": 0.6, "tokens_in": 3, "tokens_out": 1, "calls": 1, "billed_usd": 0.1, "at": [0, 20]}  # fmt: skip
    base = {"sample": "1", "group": "g", "outcome": "correct", "kind": "answer"}
    lines = [
        {"decided": {**base, "value": {"a": [1, None, "x"]}, "confidence": 0.5, "scores": {"a": 1.0}, "checks": {"f1": 0.5}, "earlier": [["failed", "why"]]}, "usage": usage},
        {"decided": {**base, "sample": "2", "kind": "bottom", "outcome": "withheld", "reason": "low", "proposal": {"value": 1, "confidence": 0.1}}, "usage": {}},
        {"decided": {**base, "sample": "3", "kind": "failed", "outcome": "failed", "reason": "no_reply"}, "usage": {"cut": 1}},
        {"decided": {**base, "sample": "4", "kind": "crash", "outcome": "crashed", "reason": "oom", "attempt": 1}, "usage": {}},
    ]  # fmt: skip
    samples = [
        {"id": "1", "input": {"q": 1}, "target": {"answer": "a", "scores": {"low": 1.0}}, "group": "g", "tags": ["x"]},
        {"id": "2", "input": "q", "target": {"bottom": "none", "proposal": {"value": 1}}, "group": "", "tags": []},
        {"id": "3", "input": None, "target": None, "group": "", "tags": []},
    ]  # fmt: skip
    timing = [
        {
            "system": "s",
            "block": 0,
            "sample": "1",
            "said": "x",
            "latency_s": 0.1,
            "busy_s": 0.1,
            "cpu_s": 0.1,
            "tokens_in": 2,
        }
    ]
    pack = base64.b64encode(zlib.compress(b"a transcript" * 5)).decode()
    return [
        driver.bundle({"journal": lines}),
        driver.bundle({"samples": samples}),
        driver.bundle({"timing": timing}),
        driver.bundle({"pack": pack, "at": [0, len(base64.b64decode(pack))]}),
    ]  # fmt: skip


def read(data: bytes) -> None:
    """Read everything that an input holds."""
    try:
        parts = json.loads(data)
    except (ValueError, RecursionError):
        parts = {"journal": [data.decode("utf-8", "surrogateescape")]}
    if not isinstance(parts, dict):
        return
    for kind, reader in (("journal", journal), ("samples", samples), ("timing", timing)):
        if isinstance(lines := parts.get(kind), list):
            path = HOME / f"{kind}.jsonl"
            path.write_bytes(b"".join(line_bytes(line) for line in lines))
            reader(path)
    if isinstance(pack := parts.get("pack"), str):
        evidence(pack, parts.get("at"))


def line_bytes(line: object) -> bytes:
    """Return a line; where it has the two halves of a record, with a checksum that fits."""
    if isinstance(line, str):
        return driver.raw(line) + b"\n"
    try:
        if isinstance(line, dict) and isinstance(line["usage"], dict):
            halves = [
                driver.trees.deepened(msgspec.json.encode(half))
                for half in (
                    line["decided"],
                    {k: v for k, v in line["usage"].items() if k != "crc"},
                )
            ]
            crc = f"{zlib.crc32(halves[1], zlib.crc32(halves[0])):08x}".encode()
            comma = b"" if halves[1] == b"{}" else b","
            return (
                b'{"decided":'
                + halves[0]
                + b',"usage":'
                + halves[1][:-1]
                + comma
                + b'"crc":"'
                + crc
                + b'"}}\n'
            )
    except (LookupError, ValueError, OverflowError, RecursionError, TypeError):
        pass
    return driver.file_bytes("line", line) + b"\n"


def journal(path: Path) -> None:
    """Read a journal in every way in which it is read."""
    whole = True
    for way in (lambda: deque(read_lines(path), maxlen=0), lambda: read_columns(path), lambda: read_decided_columns(path),
                lambda: know(RunDir(HOME), path, "sha256:" + "0" * 64, worth=0)):  # fmt: skip
        try:
            way()
        except driver.AssayError:
            whole = False
    if whole:
        lines = list(read_lines(path))
        decisions_of(lines)
        for line in lines:
            to_record(line, CELL)
    repair(path)


def samples(path: Path) -> None:
    """Read samples."""
    fingerprint(read_samples(path))


def timing(path: Path) -> None:
    """Read the lines of the serial pass."""
    read_timing(path)


def evidence(pack: str, at: object) -> None:
    """Read an entry of a pack, wherever it is said to be."""
    path = HOME / "pack"
    try:
        path.write_bytes(base64.b64decode(driver.raw(pack)))
    except ValueError:
        path.write_bytes(driver.raw(pack))
    if (
        isinstance(at, list)
        and len(at) == 2
        and all(type(n) is int and -(2**63) <= n < 2**63 for n in at)
    ):
        read_evidence(path, (at[0], at[1]))


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
