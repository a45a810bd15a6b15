"""Feed what is kept beside a run: the columns of a journal, a shelf of arrays.  See driver.py.

Digests and stamps are put right, as somebody could who writes into ``cache/``.  What does not fit together is not
used: the journal is read again, the shelf made again.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import zlib
from math import isnan
from typing import Any

import driver
import msgspec
import numpy as np

with driver.instrumented(__name__, "assay.store"):
    from assay.store.columns import MEASURED, OUTCOMES, CellColumns
    from assay.store.kept import kept_file, know
    from assay.store.line import decode_unchecked
    from assay.store.line import encode as line_bytes
    from assay.store.rundir import RunDir
    from assay.store.shelf import Contents, shelf

HOME = driver.new_folder()
RUN = RunDir(HOME / "run")
JOURNAL = RUN.root / "journal.jsonl"
DIGEST = "sha256:" + "d" * 64
KINDS = {"group": "<i4", "attempt": "<i8", "outcome": "<i1", "confidence": "<f8", "reason": "<i4"}


def seeds() -> list[bytes]:
    """Return what is kept of a small journal, and a shelf."""
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    said = [
        ("answer", "correct", "swap", ""),
        ("bottom", "withheld", None, "low"),
        ("failed", "failed", None, "died"),
    ]
    lines = [
        {"decided": {"sample": f"s{i}", "group": f"g{i % 2}", "kind": kind, "outcome": outcome, "value": value, "reason": reason, "checks": {"f1": 0.5}},
         "usage": {"busy_s": 0.5, "crc": ""}}
        for i, (kind, outcome, value, reason) in enumerate(said)
    ]  # fmt: skip
    decoded = (decode_unchecked(json.dumps(line).encode()) for line in lines)
    JOURNAL.write_bytes(b"".join(line_bytes(line) for line in decoded))
    RUN.seal.write_bytes(b"{}")
    know(RUN, JOURNAL, DIGEST, worth=0)
    stored = msgspec.msgpack.decode(kept_file(RUN, DIGEST).read_bytes()[32:])
    arrays = {
        name: np.frombuffer(data, KINDS.get(name, "<f8")) for name, data in stored["arrays"].items()
    }
    stored["arrays"] = {
        name: [None if isnan(each) else each for each in array.tolist()]
        for name, array in arrays.items()
    }
    array = io.BytesIO()
    np.save(array, np.arange(6).reshape(2, 3))
    packed = base64.b64encode(array.getvalue()).decode()
    label = {"files": {"journal.jsonl": [1, 2]}, "facts": {"a": 1}}
    return [
        driver.bundle({"stored": stored}),
        driver.bundle({"label": label, "arrays": {"a": packed, "b": packed}}),
        driver.bundle({"head": {"descr": "<i8", "fortran_order": False, "shape": [2, 3]}}),
    ]


def read(data: bytes) -> None:
    """Put down what an input says was kept, and ask for it."""
    if not JOURNAL.exists():
        seeds()
    try:
        parts = json.loads(data)
    except (ValueError, RecursionError):
        parts = {"raw": driver.raw(data.decode("utf-8", "surrogateescape")).hex()}
    if not isinstance(parts, dict):
        return
    if "stored" in parts or "raw" in parts:
        body = (
            packed(parts["stored"])
            if "stored" in parts
            else bytes.fromhex(str(parts["raw"]))
            if plain_hex(parts["raw"])
            else b""
        )
        path = kept_file(RUN, DIGEST)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(body).digest() + body)
        fits(know(RUN, JOURNAL, DIGEST, worth=0).columns)
    if "head" in parts:
        parts = {**parts, "arrays": {"a": with_head(parts["head"])}}
    if isinstance(parts.get("arrays"), dict):
        on_a_shelf(parts.get("label"), parts["arrays"])


def plain_hex(text: Any) -> bool:
    """Whether a text is bytes, spelt."""
    return (
        isinstance(text, str) and len(text) % 2 == 0 and all(c in "0123456789abcdef" for c in text)
    )


def packed(stored: Any) -> bytes:
    """Return the file's bytes: lists of numbers as arrays, where they are some."""
    if isinstance(stored, dict) and isinstance(stored.get("arrays"), dict):
        stored["arrays"] = {
            name: array_bytes(name, value) for name, value in stored["arrays"].items()
        }
    try:
        return msgspec.msgpack.encode(stored)
    except (
        OverflowError,
        ValueError,
        RecursionError,
    ):  # half a surrogate pair, a number of 400 digits
        return b""


def array_bytes(name: str, value: Any) -> Any:
    """Return numbers as the bytes of an array; anything else as it is."""
    if not isinstance(value, list):
        return value
    try:
        return (
            np.array([np.nan if each is None else each for each in value])
            .astype(KINDS.get(name, "<f8"))
            .tobytes()
        )
    except (TypeError, ValueError, OverflowError, RuntimeWarning):
        return b""


def fits(columns: CellColumns) -> None:
    """Every column has a row for each sample, and codes stand for something."""
    n = len(columns.samples)
    every = [
        columns.attempts,
        columns.outcome,
        columns.confidence,
        columns.reason,
        *columns.measured.values(),
        *columns.checks.values(),
    ]
    assert len(columns.groups) == n
    assert all(column.shape == (n,) for column in every)
    assert np.isin(columns.outcome, range(len(OUTCOMES))).all()
    assert np.isin(columns.reason, range(len(columns.reasons))).all()
    assert set(columns.measured) <= set(MEASURED)
    columns.only(np.arange(n))


def with_head(head: Any) -> str:
    """Return an array's file with a head that says this."""
    text = driver.raw(head if isinstance(head, str) else str(head))[:60_000] + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(48)
    return base64.b64encode(data).decode()


def on_a_shelf(label: Any, arrays: dict[str, Any]) -> None:
    """Put arrays on the shelf, with stamps that fit; whoever asks gets them, or new ones."""
    place = RUN.work / "shelves" / hashlib.sha256(RUN.seal.read_bytes()).hexdigest() / "s"
    shutil.rmtree(RUN.work / "shelves", ignore_errors=True)
    place.mkdir(parents=True)
    crcs = {}
    for name, value in arrays.items():
        if not isinstance(value, str) or not name.isidentifier() or len(name) > 60:
            continue
        try:
            data = base64.b64decode(driver.raw(value))
        except ValueError:
            data = driver.raw(value)
        (place / f"{name}.npy").write_bytes(data)
        crcs[name] = zlib.crc32(data)
    facts = JOURNAL.stat()
    said = label if isinstance(label, dict) else {"facts": {}}
    if isinstance(said.get("files", {}), dict):
        known = said.get("files", {})
        said["files"] = {
            k: [facts.st_size, facts.st_mtime_ns] if k == "journal.jsonl" else v
            for k, v in known.items()
        }
    (place / "label.json").write_bytes(
        driver.trees.deepened(json.dumps({"arrays": crcs, **said}).encode())
    )
    new = Contents(files=[JOURNAL], arrays={"new": np.zeros(2)}, facts={})
    found = shelf(RUN, "s", lambda: new)
    for array in found.arrays.values():
        assert isinstance(array, np.ndarray)
        array.copy()


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
