"""Whether a board has a model already: by its id, by a name that reads alike, by its repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import DataError
from .folder import submissions_of
from .naming import model_id, same_name
from .notes import Note, shown
from .sent import Submission
from .submission import Read, read_whole

REGISTRY = Path("models", "registry.json")
MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model that a board has."""

    id: str
    name: str
    hf_repo: str
    where: str


def duplicates(read: Read, path: Path, board: Path) -> Iterator[Note]:
    """Yield an error for each model of the board that this submission would double.

    A submission that stands in the board's own folder under the model's id is that model.  Raises ``DataError``
    A200 where ``models/registry.json`` is no registry.
    """
    sent = read.submission
    if sent is None:
        return
    is_its_own = any(path.resolve() == each.resolve() for each in submissions_of(board))
    for known in _known(board, path):
        if is_its_own and known.id == sent.id and known.where == str(REGISTRY):
            continue
        key = _shared(sent, known)
        if key:
            says = f"{shown(known.name)} of {known.where} has the same {key}"
            hint = "add a quantization to that submission instead, or say what tells them apart"
            place = "model.hf_repo" if key == "repository" else "model.name"
            yield Note(level="error", line=read.line(place), key=place, says=says, suggests=hint)


def _shared(sent: Submission, known: Known) -> str | None:
    if known.id == sent.id:
        return "id"
    if known.hf_repo.casefold() == sent.hf_repo.casefold():
        return "repository"
    return "name, but for case and marks" if same_name(known.name, sent.name) else None


def _known(board: Path, path: Path) -> Iterator[Known]:
    for each in submissions_of(board):
        if each.resolve() == path.resolve():
            continue
        other = read_whole(each).submission
        if other is not None:
            where = str(Path("models", "submissions", each.name))
            yield Known(id=other.id, name=other.name, hf_repo=other.hf_repo, where=where)
    for entry in _registry(board):
        name, repo = entry.get("name"), entry.get("hf_repo")
        if isinstance(name, str) and entry.get("state") != "withdrawn":
            told = entry.get("id")
            yield Known(
                id=told if isinstance(told, str) else model_id(name),
                name=name,
                hf_repo=repo if isinstance(repo, str) else "",
                where=str(REGISTRY),
            )


def _registry(board: Path) -> list[dict[str, Any]]:
    """Return the models of a registry, of this or an older form: a list, or a mapping by id."""
    file = board / REGISTRY
    if not file.is_file():
        return []
    if (size := file.stat().st_size) > MOST_BYTES:
        raise _unread(file, f"it has {size:,} bytes")
    try:
        models = json.loads(file.read_bytes())["models"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unread(file, str(error)) from None
    if isinstance(models, dict):
        models = [{"id": name, **each} for name, each in models.items() if isinstance(each, dict)]
    return [each for each in models if isinstance(each, dict)] if isinstance(models, list) else []


def _unread(file: Path, why: str) -> DataError:
    return DataError(
        f"the registry cannot be read: {why}",
        where=str(file),
        hint="make it again: assay board build",
    )
