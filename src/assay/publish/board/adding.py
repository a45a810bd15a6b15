"""Put a sealed run on a board: archive, card, event, registry, each whole or not at all.

*Covered*: every number is made again from what the archive holds; a second writer is kept out; a kill leaves files that
the same command completes.  *Not covered*: whether who calls it may; the workflow checks that.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ...core.errors import DataError, PlanError, SealError
from ...store.canon import digest_file
from ..run import Run
from . import archive as archiving
from .card import ArchiveCard, Card
from .cards import Placing, card_of, read_card, seal_of, write_card
from .events import Action, Event, append_event, read_events
from .files import require_own, write_file
from .home import SHORT, Board
from .mapping import place_systems, suite_in
from .older import migrate
from .registry import Registry, build_registry, read_cards, registry_bytes
from .signing import carried_signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who does something to a board, when, and why."""

    by: str
    at: str
    """UTC, as ``2026-11-29T20:00:00Z``."""

    why: str = ""
    commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a run."""

    card: Card
    registry: Registry
    placed: Mapping[str, Placing]
    files: tuple[Path, ...]
    note: str = ""
    """Why there is no archive, or why nothing changed."""


def add(
    board: Path,
    run: Path,
    *,
    who: Who,
    action: Action = "test",
    given: Sequence[str] = (),
    suite: Mapping[str, str] | None = None,
) -> Added:
    """Put a sealed run on a board, or publish one that is there: the same command twice changes nothing more.

    Raises what ``Run.load`` does for a run that was changed; ``PlanError`` A103 and A106 for a wrong ``given``;
    ``DataError`` A200 where a file of the board is damaged; ``RunError`` A501 while another process writes the board.
    """
    home = Board(board)
    with home.writing():
        _done(who, action)
        done = read_events(home.events)
        there = Run.load(run, keep=False)
        migrate(home.models)
        seal = seal_of(there)
        # Its own card may be damaged: this is how it is made again.
        others = list(read_cards(board, without=seal).values())
        placed = place_systems(there.manifest, board=board, cards=others, given=given)
        placed = {**_placed_before(home.card(seal)), **placed}
        card, data, note = _carded(there, placed, suite or suite_in(there.manifest))
        files = []
        if data is not None:
            write_file(home.root, home.archive(seal), data)
            files.append(home.archive(seal))
        if (signature := carried_signature(run)) is not None:
            signed = home.runs / f"{seal[:SHORT]}.sig.json"
            write_file(home.root, signed, signature)
            files.append(signed)
        require_own(home.root, home.card(seal))
        write_card(card, home.card(seal))
        files.append(home.card(seal))
        if events := _new_events(done, card, action, who):
            append_event(home.events, *events)
            files.append(home.events)
        else:
            note = note or "it stands on the board already: its history did not change"
        registry = build_registry(board)
        write_file(home.root, home.registry, registry_bytes(registry))
        files.append(home.registry)
    return Added(card=card, registry=registry, placed=placed, files=tuple(files), note=note)


def withdraw(board: Path, name: str, *, who: Who) -> str:
    """Take a model, or one run by the first digits of its seal, off a board; return what was withdrawn.

    The files stay: what was once shown can be looked up.  Raises ``PlanError`` A103 for a name that is not there, A104
    for what is withdrawn already, A106 without a reason.
    """
    home = Board(board)
    if not who.why.strip():
        raise PlanError(
            "a withdrawal has a reason", where="--why", hint="say why, in a sentence", code="A106"
        )
    with home.writing():
        migrate(home.models)
        registry = build_registry(board)
        model = next((m for m in registry.models if name in (m.id, m.name)), None)
        runs = [r for r in registry.runs if len(name) >= 8 and r.seal.startswith(name)]
        if model is None and len(runs) != 1:
            listed = ", ".join(m.id for m in registry.models) or "no model yet"
            raise PlanError(
                f"the board has no model or run called {name!r}",
                where=str(home.registry),
                hint=f"name a model, or eight digits of a run's seal; models: {listed}",
                code="A103",
            )
        what = f"the model {model.id}" if model is not None else f"the run {runs[0].seal[:SHORT]}"
        if (model.state if model is not None else runs[0].state) == "withdrawn":
            raise PlanError(f"{what} is withdrawn already", where=str(home.events), code="A104")
        append_event(
            home.events,
            _done(
                who,
                "withdraw",
                model=None if model is None else model.id,
                run=None if model is not None else runs[0].seal,
            ),
        )
        write_file(home.root, home.registry, registry_bytes(build_registry(board)))
    return what


def card_again(archive: Path, card: Card, *, plan_folder: Path) -> Card:
    """Make a card again from the archive of its run: nothing but sealed files and installed plugins counts.

    Paths in the plan's options start in ``plan_folder``.  Raises what ``unpack``, ``Run.load`` and ``card_of`` do.
    """
    with _unpacked(archive, plan_folder) as run:
        return card_of(run, placed=_placed(card), suite=card.suite, archive=card.archive)


@contextmanager
def _unpacked(archive: Path, plan_folder: Path) -> Iterator[Run]:
    with tempfile.TemporaryDirectory() as folder:
        root = archiving.unpack(archive, Path(folder) / "run")
        root.plan_folder.parent.mkdir(parents=True, exist_ok=True)
        root.plan_folder.write_bytes(os.fsencode(plan_folder))
        yield Run.load(root.root, keep=False)


def _placed_before(path: Path) -> dict[str, Placing]:
    """Return what the card of a run said already; nothing where there is none, or none that can be read."""
    try:
        return _placed(read_card(path)) if path.is_file() else {}
    except (DataError, SealError):
        return {}


def _placed(card: Card) -> dict[str, Placing]:
    return {
        name: Placing(model=s.model, quantisation=s.quantisation, mapped=s.mapped or "hand")
        for name, s in card.systems.items()
        if s.model is not None
    }


def _carded(
    run: Run, placed: Mapping[str, Placing], suite: Mapping[str, str] | None
) -> tuple[Card, bytes | None, str]:
    """Return the card of a run, its archive, and why there is none.

    The card is made of what the archive holds: whoever has the archive can make the same.
    """
    if (size := archiving.size_of(run.dir)) > archiving.UNPACKED_LIMIT:
        # Nobody could unpack it; so much is not read into memory to find that out.
        note = (
            f"not archived: {size:,} bytes, and a board keeps {archiving.UNPACKED_LIMIT:,} unpacked"
        )
        return card_of(run, placed=placed, suite=suite), None, note
    data = archiving.packed(run.dir)
    if len(data) > archiving.PACKED_LIMIT:
        note = f"not archived: {len(data):,} bytes packed, and a board keeps {archiving.PACKED_LIMIT:,}"
        return card_of(run, placed=placed, suite=suite), None, note
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.tar.xz"
        path.write_bytes(data)
        told = ArchiveCard(digest=digest_file(path), bytes=len(data))
        with _unpacked(path, run.plan_folder) as again:
            return card_of(again, placed=placed, suite=suite, archive=told), data, ""


def _new_events(done: Sequence[Event], card: Card, action: Action, who: Who) -> list[Event]:
    """Return what is not yet the last thing that was done with the run and each of its models."""
    models: Sequence[str | None] = sorted({s.model for s in card.systems.values() if s.model})
    found = []
    for model in models or (None,):
        last = [e for e in done if _is_about(e, model, card.seal)]
        latest = last[-1] if last and last[-1].run == card.seal else None
        # What is published stays so when its run is looked at again.
        if latest is None or latest.action not in (action, "publish"):
            found.append(_done(who, action, model=model, run=card.seal))
    return found


def _done(who: Who, action: Action, *, model: str | None = None, run: str | None = None) -> Event:
    """Return what somebody did; raise ``PlanError`` A106 where it cannot stand in the history."""
    told = {"at": who.at, "by": who.by, "why": who.why, "commit": who.commit}
    try:
        return Event.model_validate({**told, "action": action, "model": model, "run": run})
    except ValidationError as error:
        first = error.errors()[0]
        raise PlanError(
            f"the history takes no such value: {first['msg'].lower()}",
            where=f"--{first['loc'][0]}",
            hint=_TAKES.get(str(first["loc"][0]), "see docs/board.md"),
            code="A106",
        ) from None


_TAKES = {
    "by": "give a name of at most 200 characters",
    "why": "give a sentence of at most 2,000 characters",
    "commit": "give 7 to 64 hexadecimal digits, as `git rev-parse HEAD` says them",
}


def _is_about(event: Event, model: str | None, seal: str) -> bool:
    """Whether an event says what state this run of a model is in."""
    if event.run == seal:
        return event.model in (None, model)
    return model is not None and event.run is None and event.model == model
