"""Registries that older programs wrote: read, kept beside the board, and never taken for measurements.

*Covered*: schema 2.0.0 of the form that was documented before assay (its models are pending until they are measured:
scores in it are averages without records), and schema 0 of assay's own drafts (derived, so it is only made again).
*Not covered*: a registry that a newer assay wrote, which is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import DataError, SealError
from ...store.canon import parsed
from .files import read_file
from .naming import model_id
from .parameters import parse_parameters

DOCUMENTED = "2.0.0"
KEPT = f"registry-{DOCUMENTED}.json"
"""What the file of the documented form is called once the board has taken it over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A model that only an earlier registry names."""

    id: str
    name: str
    family: str
    hf_repo: str
    architecture: str
    parameters: int | None
    license: str | None
    context_length: int | None
    categories: tuple[str, ...]
    submitted_by: str | None
    added: str | None


def schema_of(path: Path) -> int | str:
    """Return the schema version of a registry file: 0 and 1 are assay's own.

    Raises ``DataError`` A200 for what is no registry, ``SealError`` A302 for one that is newer than this assay.
    """
    raw = _read(path)
    found = raw.get("schema_version")
    if found is None and isinstance(raw.get("metadata"), dict):
        found = raw["metadata"].get("schema_version")
    if found in (0, 1, DOCUMENTED) and not isinstance(found, bool):
        version: int | str = found
        return version
    if found is None:
        raise DataError(
            "this registry does not say its schema version",
            where=str(path),
            hint="restore it from a copy, or remove it: `assay board build` makes it again",
        )
    raise SealError(
        f"a registry of schema version {found!r}, but this assay reads 0, 1 and {DOCUMENTED}",
        where=str(path),
        hint="build the board with the assay that wrote it, or a newer one",
        code="A302",
    )


def migrate(models: Path) -> Path | None:
    """Keep an older registry whose models nothing else names, under a name of its own; return where.

    Of assay's own older schemas nothing has to be kept: everything in them is made of other files.
    """
    registry, kept = models / "registry.json", models / KEPT
    if not registry.is_file() or schema_of(registry) != DOCUMENTED:
        return None
    if kept.exists():
        raise DataError(
            "there are two registries of the documented form",
            where=str(registry),
            hint=f"keep one of them as {KEPT}",
        )
    tuple(_models(registry))  # refuses what cannot be read before anything is moved
    registry.rename(kept)
    return kept


def read_earlier(models: Path) -> tuple[Earlier, ...]:
    """Return the models of the registry that was taken over, by id; none where there is none."""
    kept = models / KEPT
    if not kept.is_file():
        return ()
    found: dict[str, Earlier] = {}
    for one in _models(kept):
        found.setdefault(one.id, one)
    return tuple(found[name] for name in sorted(found))


def _models(path: Path) -> Iterator[Earlier]:
    listed = _read(path).get("models")
    if not isinstance(listed, list):
        raise _damaged(path, "`models` is no list")
    for number, raw in enumerate(listed):
        if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
            raise _damaged(path, f"models[{number}] has no name")
        context = raw.get("context_length", raw.get("context_window"))
        categories = raw.get("categories")
        added = str(raw.get("date_added", ""))
        yield Earlier(
            id=model_id(raw["name"]),
            name=raw["name"],
            family=_text(raw, "family") or "",
            hf_repo=_text(raw, "hf_repo") or "",
            architecture=_text(raw, "architecture") or "",
            parameters=_count(raw.get("parameters")),
            license=_text(raw, "license"),
            context_length=context if type(context) is int and context > 0 else None,
            categories=tuple(c for c in categories if isinstance(c, str))
            if isinstance(categories, list)
            else (),
            submitted_by=_text(raw, "submitted_by"),
            added=added[:10] if re.match(r"\d{4}-\d{2}-\d{2}", added) else None,
        )


def _count(value: Any) -> int | None:
    if type(value) is int:
        return value if value > 0 else None
    try:
        return parse_parameters(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(raw: dict[str, Any], key: str) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) and value else None


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = parsed(read_file(path))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise _damaged(path, "it is no mapping")
    return raw


def _damaged(path: Path, what: str) -> DataError:
    return DataError(
        f"this registry is damaged: {what}",
        where=str(path),
        hint="restore it from a copy, or remove it: `assay board build` makes it again",
    )
