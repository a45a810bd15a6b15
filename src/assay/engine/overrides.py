"""``--set key=value``: one value of a plan, replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.errors import PlanError
from .document import Document, parse_document
from .spelling import nearest


def override(document: Document, word: str) -> None:
    """Set one value of a document, given as ``key=value``.

    Raises ``PlanError`` A106 when the key names no place in the document.
    """
    key, sign, text = word.partition("=")
    if not sign or not key:
        raise PlanError(
            f"--set needs key=value, not {word!r}",
            hint="for example --set 'seeds=[0]'",
            code="A106",
        )
    value = parse_document(text, Path(f"--set {key}")).value if text.strip() else ""
    *path, last = key.split(".")
    here = document.value
    while path:
        here, path = _step(here, path, key)
    if not isinstance(here, dict):
        raise PlanError(f"--set {key}: {last!r} is not inside a mapping", code="A106")
    here[last] = value


def _step(here: Any, path: list[str], key: str) -> tuple[Any, list[str]]:
    """Return what the path's first word names, and the path behind it."""
    if isinstance(here, dict):
        return here.setdefault(path[0], {}), path[1:]
    if not isinstance(here, list):
        raise PlanError(f"--set {key}: {path[0]!r} is not inside a mapping", code="A106")
    members = [m for m in here if isinstance(m, dict)]
    for size in range(len(path), 0, -1):
        name = ".".join(path[:size])  # names may hold dots: tasks.toy.errands.limit
        for member in members:
            if name in (member.get("name"), member.get("id"), member.get("use")):
                return member, path[size:]
    names = [str(m.get("name") or m.get("id") or m.get("use")) for m in members]
    hint = nearest(path[0], names)
    raise PlanError(f"--set {key}: no {path[0]!r} here", hint=hint, code="A106")


__all__ = ["nearest", "override"]
