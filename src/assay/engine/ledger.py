"""The ledger of test reuse: how many plans were scored on the same test samples.

A test split that has been looked at before is no longer unseen: whoever chose this plan may have
chosen it for its score.  Findings say so.  The ledger stands beside the runs and is advisory: who
deletes it, deletes the memory.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ..store.journal import write_all

NAME = "ledger.jsonl"


class Use(msgspec.Struct, frozen=True):
    """One plan, scored once on one test split."""

    test: str
    plan: str
    run: str


def count_uses(root: Path, plan: str, tests: dict[str, str]) -> dict[str, int]:
    """Return, by task, how many *other* plans were scored on its test samples before."""
    uses = _read(root / NAME)
    return {
        task: len({use.plan for use in uses if use.test == test and use.plan != plan})
        for task, test in tests.items()
    }


def note_use(root: Path, run: str, plan: str, tests: dict[str, str]) -> None:
    """Append one line per task, in a single write, so that two runs cannot mix theirs."""
    lines = b"".join(msgspec.json.encode(Use(test, plan, run)) + b"\n" for test in tests.values())
    handle = os.open(root / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        write_all(handle, lines)
    finally:
        os.close(handle)


def _read(path: Path) -> list[Use]:
    if not path.is_file():
        return []
    decode = msgspec.json.Decoder(Use).decode
    found = []
    for raw in path.read_bytes().splitlines():
        try:
            found.append(decode(raw))
        except msgspec.DecodeError:
            continue  # advisory: a torn line costs one memory, not the run
    return found
