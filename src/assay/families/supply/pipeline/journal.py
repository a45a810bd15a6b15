"""The journal of a pipeline: one line for each stage that ended, kept under the digest of what went in.

*Covered*: a process that is killed at any moment (half a line at the end is cut off, and that stage is done
again); two pipelines in one folder.  *Not covered*: lines that somebody edits.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import AssayError, DataError
from assay.locks import locking


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a stage came to."""

    stage: str
    of: str
    """The model, with its precision where that matters: ``smollm2/q8``; empty for all of them."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    stopped: str = ""
    """Why it went no further, as it stands in the log of stops; empty where it did."""


def key_of(stage: str, inputs: Mapping[str, Any]) -> str:
    """Return the digest under which the outcome of a stage is kept.

    >>> key_of("fetch", {"a": 1}) == key_of("fetch", {"a": 1}) != key_of("fetch", {"a": 2})
    True
    """
    text = json.dumps([stage, inputs], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """The outcomes of a folder; append-only.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "journal.jsonl") as journal:
    ...     journal.write("k", Outcome(stage="fetch", of="m", facts={"n": 1}))
    ...     journal.read("k").facts["n"], journal.read("other")
    (1, None)
    """

    def __init__(self, path: Path, outcomes: dict[str, Outcome]) -> None:
        self._path, self._outcomes = path, outcomes

    def read(self, key: str) -> Outcome | None:
        """Return what a stage came to; None where it has not ended."""
        return self._outcomes.get(key)

    def write(self, key: str, outcome: Outcome) -> None:
        """Keep what a stage came to, on the disk when this returns."""
        line = {
            "key": key,
            "stage": outcome.stage,
            "of": outcome.of,
            "facts": dict(outcome.facts),
            "stopped": outcome.stopped,
        }
        with self._path.open("ab") as file:
            file.write(json.dumps(line, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._outcomes[key] = outcome


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """Open the journal of a folder, alone.

    Raises ``AssayError`` A501 where another process has it, A500 where the folder cannot be written,
    ``DataError`` A200 for a line that is none.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f".{path.name}.lock").open("ab")
    except OSError as error:
        raise AssayError(
            f"the folder cannot be written: {error.strerror or error}",
            where=str(path.parent),
            hint="name another one with --out, or free some space",
            code="A500",
        ) from error
    with lock:
        _hold(lock.fileno(), path)
        yield Journal(path, _read(path))


def _hold(lock: int, path: Path) -> None:
    fcntl = locking(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AssayError(
            "another process is running this pipeline",
            where=str(path.parent),
            hint="wait for it to end, or name another folder with --out",
            code="A501",
        ) from None


def _read(path: Path) -> dict[str, Outcome]:
    if not path.is_file():
        return {}
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):  # what a killed process had written of its last line
        os.truncate(path, len(whole))
    found: dict[str, Outcome] = {}
    for number, text in enumerate(whole.splitlines(), 1):
        try:
            line = json.loads(text)
            key = line.pop("key")
            found[key] = Outcome(**line)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise DataError(
                "this line is none that a pipeline wrote",
                where=f"{path}:{number}",
                hint="take it out: that stage is then done again",
            ) from None
    return found
