"""The ledger of test reuse: which plans and systems were scored on the same test samples.

A test split that has been looked at before is no longer unseen: whoever chose this plan may have
chosen it for its score.  Findings say so.  The ledger stands beside the runs and is advisory: who
deletes it, deletes the memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..store.canon import sync_folder
from ..store.journal import write_all

NAME = "ledger.jsonl"


class Use(msgspec.Struct, frozen=True):
    """One plan, scored once on one test split."""

    test: str
    plan: str
    run: str
    systems: tuple[str, ...] = ()
    """Digests of the systems under test."""


def count_uses(root: Path, plan: str, tests: dict[str, str]) -> dict[str, int]:
    """Return, by task, how many *other* plans were scored on its test samples before."""
    uses = _read(root / NAME)
    return {
        task: len({use.plan for use in uses if use.test == test and use.plan != plan})
        for task, test in tests.items()
    }


def count_systems(root: Path, plan: str, tests: dict[str, str]) -> dict[str, int]:
    """Return, by task, how many systems *other* plans scored on its test samples before."""
    uses = _read(root / NAME)
    return {
        task: len({s for use in uses if use.test == test and use.plan != plan for s in use.systems})
        for task, test in tests.items()
    }


class Seen(msgspec.Struct, frozen=True):
    """What is known of one test split."""

    test: str
    plans: int
    systems: int
    runs: tuple[str, ...]


def seen(root: Path) -> list[Seen]:
    """Return every test split that the ledger beside some runs knows, most used first."""
    uses = _read(root / NAME)
    found = [
        Seen(
            test,
            len({use.plan for use in of}),
            len({system for use in of for system in use.systems}),
            tuple(dict.fromkeys(use.run for use in of)),
        )
        for test in dict.fromkeys(use.test for use in uses)
        for of in [[use for use in uses if use.test == test]]
    ]
    return sorted(found, key=lambda one: (-one.plans, one.test))


def note_use(
    root: Path, run: str, plan: str, tests: dict[str, str], systems: Sequence[str] = ()
) -> None:
    """Append one line per task, in a single write, so that two runs cannot mix theirs."""
    lines = b"".join(
        msgspec.json.encode(Use(test, plan, run, tuple(systems))) + b"\n" for test in tests.values()
    )
    handle = os.open(root / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        write_all(handle, lines)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(root)


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
