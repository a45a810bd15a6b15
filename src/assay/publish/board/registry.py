"""The registry of a board: models, runs, their states and their history, made of the files beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal, TypeAlias

from ...core.errors import DataError
from ...store.canon import digest, digest_file, pretty
from ...store.manifest import Stored
from .card import ArchiveCard, Card
from .cards import read_card
from .events import Event, read_events
from .folder import submissions_of
from .hardware import Hardware
from .home import Board
from .older import Earlier, read_earlier
from .sent import Submission
from .submission import read_submission

State: TypeAlias = Literal["pending", "tested", "published", "withdrawn"]
SCHEMA: Literal[1] = 1
_STATES: Mapping[str, State] = {"test": "tested", "publish": "published", "withdraw": "withdrawn"}


class QuantizationEntry(Stored):
    """One form of a model, as its submission names it, and the files that runs loaded for it."""

    name: str
    format: str
    file: str | None = None
    bytes: int | None = None
    """Of every file that the newest run loaded."""

    digest: str | None = None
    """Of its weights, where they are one file."""


class ModelEntry(Stored):
    """One model."""

    id: str
    name: str
    state: State
    submission: str | None
    """The file, below the board's folder; None for a model that only an earlier registry names."""

    submission_digest: str | None = None
    family: str = ""
    architecture: str = ""
    parameters: int | None = None
    license: str | None = None
    context_length: int | None = None
    hf_repo: str = ""
    revision: str | None = None
    categories: tuple[str, ...] = ()
    submitted_by: str | None = None
    submitted_date: str | None = None
    added: str | None = None
    """The date of its first event."""

    quantizations: tuple[QuantizationEntry, ...] = ()
    runs: tuple[str, ...] = ()
    """Seals, oldest run first."""


class SystemEntry(Stored):
    """A system of a run that is a model of the board."""

    system: str
    model: str
    quantisation: str | None
    mapped: str


class RunEntry(Stored):
    """One sealed run."""

    seal: str
    state: State
    run: str
    plan: str
    date: str
    assay: str
    hardware: Hardware
    records: int
    card: str
    """Digest of its card."""

    archive: ArchiveCard | None
    systems: tuple[SystemEntry, ...]


class Registry(Stored):
    """The registry."""

    schema_version: Literal[1] = SCHEMA
    kind: Literal["assay-registry"] = "assay-registry"
    models: tuple[ModelEntry, ...]
    runs: tuple[RunEntry, ...]
    events: tuple[Event, ...]


def registry_bytes(registry: Registry) -> bytes:
    """Return a registry as it is stored; equal registries have equal bytes."""
    return pretty(registry.model_dump(mode="json"))


def build_registry(board: Path) -> Registry:
    """Make the registry of the submissions, cards and events of a board: equal files give equal bytes.

    Raises ``DataError`` A200 where a submission cannot be read, two have one id, or an event names a run or a model
    that is not there; what reading a card raises.
    """
    home = Board(board)
    events = read_events(home.events)
    cards = read_cards(board)
    submissions = sent_to(board)
    earlier = [e for e in read_earlier(home.models) if e.id not in submissions]
    names = {*submissions, *(e.id for e in earlier)}
    _require_known(events, home.events, names, {card.seal for card in cards.values()})
    runs = tuple(
        _run(card, path, events)
        for path, card in sorted(cards.items(), key=lambda c: (c[1].date, c[1].seal))
    )
    ordered = [cards[home.card(run.seal)] for run in runs]
    models = [
        *(_model(board, path, sent, ordered, events) for path, sent in submissions.values()),
        *(_earlier(one, events) for one in earlier),
    ]
    return Registry(models=tuple(sorted(models, key=lambda m: m.id)), runs=runs, events=events)


def read_cards(board: Path, *, without: str = "") -> dict[Path, Card]:
    """Read every card of a board but that of one run; raise ``DataError`` A200 for one under the name of another run."""
    home, found = Board(board), {}
    for path in home.cards():
        if without and path == home.card(without):
            continue
        card = read_card(path)
        if home.card(card.seal) != path:
            raise DataError(
                f"this is the card of the run {card.seal[:16]}, under another name",
                where=str(path),
                hint=f"rename it {home.card(card.seal).name}, or add the run again",
            )
        found[path] = card
    return found


def state_of_run(seal: str, events: Sequence[Event]) -> State:
    """Return what was last done with a run."""
    done = [e.action for e in events if e.run == seal]
    return _STATES.get(done[-1], "pending") if done else "pending"


def state_of_model(model: str, events: Sequence[Event]) -> State:
    """Return the state of a model: withdrawn until it is tested or published again.

    >>> at = {"at": "2026-11-29T00:00:00Z", "by": "me", "model": "m"}
    >>> done = [Event(action=a, run=r, **at) for a, r in (("publish", "a" * 64), ("test", "b" * 64))]
    >>> state_of_model("m", done), state_of_model("m", [*done, Event(action="withdraw", **at)])
    ('published', 'withdrawn')
    """
    state: State = "pending"
    runs: dict[str, State] = {}
    for event in events:
        if event.action == "withdraw" and event.run is not None:
            runs[event.run] = "withdrawn"
        if event.model != model:
            continue
        if event.run is not None:
            runs[event.run] = _STATES.get(event.action, "pending")
        state = "withdrawn" if event.action == "withdraw" and event.run is None else "pending"
    if state == "withdrawn":
        return state
    for best in ("published", "tested"):
        if best in runs.values():
            return "published" if best == "published" else "tested"
    return "pending"


def sent_to(board: Path) -> dict[str, tuple[Path, Submission]]:
    """Return the submissions of a board with their files, by id.

    Raises ``DataError`` A200 for one with errors, and for two of one id.
    """
    found: dict[str, tuple[Path, Submission]] = {}
    for path in submissions_of(board):
        sent, notes = read_submission(path)
        errors = [note for note in notes if note.level == "error"]
        if sent is None or errors:
            where = f"{path}:{errors[0].line}" if errors else str(path)
            says = errors[0].says if errors else "it says too little"
            raise DataError(
                f"this submission cannot stand on a board: {says}",
                where=where,
                hint=f"see everything that is wrong with it: assay board check {path}",
            )
        if sent.id in found:
            raise DataError(
                f"two submissions are called {sent.id!r}: the other is {found[sent.id][0].name}",
                where=str(path),
                hint="give one of them another name, or remove it",
            )
        found[sent.id] = path, sent
    return found


def _require_known(events: Sequence[Event], path: Path, models: set[str], seals: set[str]) -> None:
    for number, event in enumerate(events, 1):
        what = ""
        if event.run is not None and event.run not in seals:
            what = f"the run {event.run[:16]}, which has no card"
        elif event.model is not None and event.model not in models:
            what = f"the model {event.model!r}, which has no submission"
        if what:
            raise DataError(
                f"this event names {what}",
                where=f"{path}:{number}",
                hint="restore the file, or add the run again; to take something off: assay board withdraw",
            )


def _run(card: Card, path: Path, events: Sequence[Event]) -> RunEntry:
    return RunEntry(
        seal=card.seal,
        state=state_of_run(card.seal, events),
        run=card.run,
        plan=card.plan,
        date=card.date,
        assay=card.assay,
        hardware=card.hardware,
        records=card.records,
        card=digest_file(path),
        archive=card.archive,
        systems=tuple(
            SystemEntry(system=n, model=s.model, quantisation=s.quantisation, mapped=s.mapped)
            for n, s in sorted(card.systems.items())
            if s.model is not None
        ),
    )


def _model(
    board: Path, path: Path, sent: Submission, cards: Sequence[Card], events: Sequence[Event]
) -> ModelEntry:
    mine = [c for c in cards if any(s.model == sent.id for s in c.systems.values())]
    dates = [e.at[:10] for e in events if e.model == sent.id]
    return ModelEntry(
        id=sent.id,
        name=sent.name,
        state=state_of_model(sent.id, events),
        submission=path.relative_to(board).as_posix(),
        submission_digest=digest(path.read_bytes()),
        family=sent.family,
        architecture=sent.architecture,
        parameters=sent.parameters,
        license=sent.license,
        context_length=sent.context_length,
        hf_repo=sent.hf_repo,
        revision=sent.revision,
        categories=sent.categories,
        submitted_by=sent.submitted_by,
        submitted_date=sent.submitted_date,
        added=min(dates, default=None),
        quantizations=tuple(
            _quantization(q.name, q.format, q.file, sent.id, mine) for q in sent.quantizations
        ),
        runs=tuple(c.seal for c in mine),
    )


def _quantization(
    name: str, kind: str, file: str | None, model: str, cards: Sequence[Card]
) -> QuantizationEntry:
    """Return what a submission says of a quantisation, and the file that the newest run loaded for it."""
    for card in reversed(cards):
        for system in card.systems.values():
            files = [f for f in system.files if not f.made]
            if (system.model, system.quantisation) == (model, name) and files:
                whole = sum(f.size for f in files)
                weights = [f.digest for f in files if f.kind == "weights"]
                one = weights[0] if len(weights) == 1 else None
                return QuantizationEntry(name=name, format=kind, file=file, bytes=whole, digest=one)
    return QuantizationEntry(name=name, format=kind, file=file)


def _earlier(one: Earlier, events: Sequence[Event]) -> ModelEntry:
    dates = [e.at[:10] for e in events if e.model == one.id] + ([one.added] if one.added else [])
    return ModelEntry(
        **asdict(one) | {"added": min(dates, default=None)},
        state=state_of_model(one.id, events),
        submission=None,
    )
