"""Make a whole board again, and say what differs.

*Covered*: cards against the archived runs, the registry and the page's data against the files beside them, files that
nothing names.  *Not covered*: who signed or ran what; and cards without an archive, which nobody can make again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ...core.errors import AssayError
from ...store.machine import packages
from .adding import card_again
from .archive import has_digest
from .building import BADGES, site_files
from .card import Card
from .cards import card_bytes, read_card
from .files import read_file
from .home import Board
from .registry import build_registry, registry_bytes

SHOWN = 4


class Outcome(StrEnum):
    """What became of one file."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "cannot be told"
    """No fault: nothing is there that it could be compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One file of a board, made again."""

    path: str
    outcome: Outcome
    why: str = ""


def verify_board(board: Path) -> tuple[Check, ...]:
    """Make every card, the registry and the page's data again; nothing is written."""
    home = Board(board)
    checks = [_card(home, path) for path in home.cards()]
    known = {home.archive(path.stem) for path in home.cards()}
    checks += [
        Check(path=_named(home, path), outcome=Outcome.DIFFERS, why="no card names this archive")
        for path in sorted(home.runs.glob("*.tar.xz"))
        if path not in known
    ]
    return (*checks, *_derived(home))


def _card(home: Board, path: Path) -> Check:
    named = _named(home, path)
    try:
        card = read_card(path)
        archive = home.archive(card.seal)
        if home.card(card.seal) != path:
            return Check(path=named, outcome=Outcome.DIFFERS, why="it is the card of another run")
        if card.archive is None:
            why = "its run is not archived"
            return Check(path=named, outcome=Outcome.UNKNOWN, why=why)
        if not archive.is_file():
            why = f"its archive {archive.name} is missing"
            return Check(path=named, outcome=Outcome.DIFFERS, why=why)
        if not has_digest(archive, card.archive.digest):
            why = f"{archive.name} is not the archive that it names"
            return Check(path=named, outcome=Outcome.DIFFERS, why=why)
        again = card_again(archive, card, plan_folder=home.root.resolve())
        data = read_file(path)
    except AssayError as error:
        why = f"could not be made again: {error.code} {error.what}"
        return Check(path=named, outcome=Outcome.DIFFERS, why=why)
    if card_bytes(again) == data:
        return Check(path=named, outcome=Outcome.SAME)
    return Check(path=named, outcome=Outcome.DIFFERS, why=_difference(card, again))


def _derived(home: Board) -> Iterator[Check]:
    named = _named(home, home.registry)
    try:
        registry = build_registry(home.root)
        files = site_files(home.root, registry)
    except AssayError as error:
        why = f"could not be made again: {error.code} {error.what}"
        yield Check(path=named, outcome=Outcome.DIFFERS, why=why)
        return
    yield _bytes(home, home.registry, registry_bytes(registry))
    for name, data in files.items():
        yield _bytes(home, home.site / name, data)
    for path in sorted((home.site / BADGES).glob("*.svg")):
        if f"{BADGES}/{path.name}" not in files:
            yield Check(path=_named(home, path), outcome=Outcome.DIFFERS, why="nothing names it")


def _bytes(home: Board, path: Path, data: bytes) -> Check:
    named = _named(home, path)
    if not path.is_file():
        return Check(path=named, outcome=Outcome.DIFFERS, why="is missing: assay board build")
    # Of a file that is longer than it should be, no more is read than shows it.
    if path.stat().st_size == len(data) and read_file(path, most=len(data)) == data:
        return Check(path=named, outcome=Outcome.SAME)
    why = "is not what the files beside it come to: assay board build"
    return Check(path=named, outcome=Outcome.DIFFERS, why=why)


def _named(home: Board, path: Path) -> str:
    return path.relative_to(home.root).as_posix()


def _difference(card: Card, again: Card) -> str:
    """Return where two cards differ, and whether another version of a package may be why."""
    one, two = (json.loads(card_bytes(each)) for each in (card, again))
    places = list(_places(one, two, ""))
    more = f", and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    told = f"differs at {', '.join(places[:SHOWN])}{more}" if places else "is spelled otherwise"
    here = packages()
    others = [
        f"{name} {version} then, {here.get(name, 'absent')} now"
        for name, version in card.packages.items()
        if here.get(name) != version
    ]
    return f"{told} (made with {'; '.join(others)})" if others else told


def _places(one: Any, two: Any, at: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}):
            yield from _places(one.get(key), two.get(key), f"{at}.{key}" if at else key)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for i, (a, b) in enumerate(zip(one, two, strict=True)):
            yield from _places(a, b, f"{at}[{i}]")
    elif one != two:
        yield at or "everything"
