"""From the files of a board to the data of its page: the same files give the same bytes.

*Covered*: no clock, no plugin and no data set is asked; strings of other people are kept as text in which nothing
hides, and cannot end the script that wraps them.  *Not covered*: whether a card is what its run says: ``assay board
verify`` makes every archived one again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...store.canon import digest, disk_errors
from ..hostile import visible
from .archive import has_digest, seal_in
from .assets import CHECKOUT, page_files
from .badges import badge_of
from .card import Card
from .cohorts import cohorts_of
from .files import require_own, write_file
from .home import SHORT, Board
from .leaderboard import leaderboard_of
from .older import migrate
from .registry import ModelEntry, Registry, build_registry, read_cards, registry_bytes
from .reported import read_reported, reported_facts
from .rows import rows_of
from .signing import signature_of

SCHEMA = "assay.board/1"
NAME = "assay board"
ON_PAGE = ("tested", "published")
LONGEST = 4_000
BADGES = "badges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was written."""

    document: Mapping[str, Any]
    files: tuple[Path, ...]
    kept: Path | None
    """Where an older registry went."""


def document(board: Path) -> dict[str, Any]:
    """Return what ``board.json`` holds, without writing anything.

    Raises what ``build_registry`` does, and ``DataError`` A200 for archives and tables that cannot be read.
    """
    return document_of(board, build_registry(board))


def document_of(board: Path, registry: Registry) -> dict[str, Any]:
    """Return what ``board.json`` holds, of a registry that is made already."""
    cards = {card.seal: card for card in read_cards(board).values()}
    shown = [cards[run.seal] for run in registry.runs if run.state in ON_PAGE]
    hidden = frozenset(m.id for m in registry.models if m.state == "withdrawn")
    names = {m.id: m.name for m in registry.models}
    reported = [
        reported_facts(read_reported(path)) for path in sorted(Board(board).reported.glob("*.yaml"))
    ]
    made = {
        "schema": SCHEMA,
        "name": NAME,
        "built": {
            "assay": __version__,
            "date": max((e.at[:10] for e in registry.events), default=""),
            "registry": digest(registry_bytes(registry)),
        },
        "cohorts": cohorts_of(shown, names=names, hidden=hidden),
        "models": [_model(board, m, registry, cards) for m in registry.models],
        "reported": reported,
    }
    clean: dict[str, Any] = _clean(made)
    for model in clean["models"]:
        model["badges"] = [f"{BADGES}/{row}.svg" for row in _badged(clean, model["id"])]
    return clean


def site_files(board: Path, registry: Registry) -> dict[str, bytes]:
    """Return every file that is built into the site, by its path below it."""
    made = document_of(board, registry)
    data = as_json(made)
    files = {
        "board.json": data,
        "board.js": b"globalThis.BOARD = " + data.rstrip(b"\n") + b";\n",
        "leaderboard.json": as_json(leaderboard_of(made, registry)),
    }
    for model in made["models"]:
        if not model["badges"]:
            continue
        for row in rows_of(made, model["id"]):
            column = row.column(row.headline)
            assert column is not None
            files[f"{BADGES}/{row.id}.svg"] = badge_of(row, column).encode()
    return files


def build(board: Path, *, site: Path | None = None) -> Built:
    """Write the registry, the page and its data, each whole or not at all; the caller holds the lock.

    An older registry is kept under another name first, where models stand only in it.  Raises what ``document`` does,
    ``SealError`` A302 for a registry that a newer assay wrote, ``RunError`` A500 where the disk says no.
    """
    home = Board(board)
    kept = migrate(home.models)
    registry = build_registry(board)
    where = site or home.site
    files = site_files(board, registry)
    root = site or home.root
    for name in (*files, BADGES):
        require_own(root, where / name)
    write_file(home.root, home.registry, registry_bytes(registry))
    pages = {} if where.resolve() == CHECKOUT.resolve() else page_files()
    for name, path in pages.items():
        write_file(root, where / name, path.read_bytes())
    for name, data in files.items():
        write_file(root, where / name, data)
    for old in sorted((where / BADGES).glob("*.svg")):
        if f"{BADGES}/{old.name}" not in files:
            with disk_errors(old):
                old.unlink()
    written = (home.registry, *(where / name for name in (*files, *pages)))
    return Built(document=json.loads(files["board.json"]), files=written, kept=kept)


def as_json(value: Mapping[str, Any]) -> bytes:
    r"""Return JSON in ASCII that is also safe inside a script: no ``<``, no U+2028.

    >>> as_json({"a": "</script>\u2028"})
    b'{"a":"\\u003c/script>\\u2028"}\n'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").encode("ascii") + b"\n"


def _badged(made: Mapping[str, Any], model: str) -> list[str]:
    return [
        row["id"]
        for cohort in made["cohorts"]
        for row in cohort["rows"]
        if row["model"] == model and row["origin"] == "measured"
    ]


def _model(
    board: Path, model: ModelEntry, registry: Registry, cards: Mapping[str, Card]
) -> dict[str, Any]:
    listed = model.state in ON_PAGE
    states = {run.seal: run.state for run in registry.runs}
    mine = [cards[seal] for seal in model.runs if listed and states[seal] in ON_PAGE]
    return {
        "id": model.id,
        "name": model.name,
        "family": model.family,
        "architecture": model.architecture,
        "parameters": model.parameters,
        "licence": model.license,
        "context_length": model.context_length,
        "hf_repo": model.hf_repo,
        "revision": model.revision,
        "categories": list(model.categories),
        "submitted_by": model.submitted_by,
        "submitted_date": model.submitted_date,
        "added": model.added,
        "state": model.state,
        "quantizations": [q.model_dump(mode="json") for q in model.quantizations],
        "claims": [claim for card in mine for claim in _claims(card, model.id)],
        "runs": [_run(board, card, registry, model.id) for card in mine],
        "curves": [
            {
                "kind": "risk-coverage",
                "run": card.seal,
                "task": curve.task,
                "system": curve.system,
                "points": [list(point) for point in curve.points],
            }
            for card in mine
            for curve in card.curves
            if card.systems[curve.system].model == model.id
        ],
        "badges": [],
    }


def _claims(card: Card, model: str) -> list[dict[str, Any]]:
    return [
        {
            "id": claim.id,
            "says": claim.says,
            "status": claim.status,
            "text": claim.text,
            "run": card.seal,
            "system": claim.system,
            "against": claim.against,
            "metric": f"{claim.metric}@{claim.task}",
            "exploratory": claim.exploratory,
        }
        for claim in card.claims
        if card.systems[claim.system].model == model
    ]


def _run(board: Path, card: Card, registry: Registry, model: str) -> dict[str, Any]:
    home = Board(board)
    archive = home.archive(card.seal)
    there = archive.is_file()
    commits = [e.commit for e in registry.events if (e.run, e.model) == (card.seal, model)]
    signature = home.runs / f"{card.seal[:SHORT]}.sig.json"
    signed = None
    if there and signature.is_file():
        seal = seal_in(archive)
        if digest(seal) == f"sha256:{card.seal}":  # else it vouches for another run
            signed = signature_of(seal, signature, board=board)
    same = None
    if card.archive is not None:
        same = there and has_digest(archive, card.archive.digest)
    return {
        "seal": card.seal,
        "run": card.run,
        "plan": card.plan,
        "date": card.date,
        "machine": card.machine,
        "hardware": card.hardware.id,
        "assay": card.assay,
        "records": card.records,
        "prices": card.prices,
        "recomputed": same,
        "signed": signed,
        "archive": archive.relative_to(board).as_posix() if there else None,
        "commit": next((c for c in reversed(commits) if c), None),
    }


def _clean(value: Any) -> Any:
    """Return plain values whose texts hide nothing: control characters and such are spelled out."""
    if isinstance(value, str):
        return visible(value, LONGEST)
    if isinstance(value, dict):
        return {visible(str(key)): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value
