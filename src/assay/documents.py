"""A plugin's own YAML files, read as strictly as plans: every mistake with its line and a suggestion.

*Covered*: what plans refuse (keys that come twice, anchors, tags, bytes that are not UTF-8, files above
256 kB), keys that a model does not have, values of other types.  *Not covered*: what the values mean.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from .core.errors import PlanError
from .engine.document import Document, read_document
from .engine.plan import mistake, nearest

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Read(Generic[Model]):
    """A file that was read: its values, and how to point into it."""

    value: Model
    document: Document

    def where(self, *place: str | int) -> str:
        """Return ``file:line`` of a value, or of the nearest one that contains it."""
        return self.document.where(place)


def read_yaml(
    path: Path, model: type[Model], *, what: str, begins: str, page: str = "its page"
) -> Read[Model]:
    """Read a YAML file into a pydantic model that forbids extra keys.

    ``what`` names the kind of file in messages, ``begins`` says how one begins, ``page`` where its
    keys are described.  Raises ``PlanError`` like ``load_plan``: A100 unreadable or a key is missing,
    A101 unknown key with the nearest that there is, A102 wrong type or value, A105 too large or too
    clever.

    >>> import tempfile
    >>> class Note(BaseModel, extra="forbid"):
    ...     title: str
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "note.yaml"
    ...     _ = file.write_text("title: errands")
    ...     read_yaml(file, Note, what="note", begins="begin with `title:`").value
    Note(title='errands')

    *Not to be trusted when* a model does not forbid extra keys: typos then pass in silence.
    """
    document = read_document(path, what=what, begins=begins)
    if not isinstance(document.value, dict):
        raise PlanError(
            f"a {what} is a mapping of keys to values",
            where=f"{path}:1",
            hint=begins,
            code="A102",
        )
    try:
        value = model.model_validate(document.value)
    except ValidationError as error:
        raise mistake(
            error,
            document,
            keys=lambda place: _keys_at(model, place),
            what=f"the {what}",
            page=page,
        ) from None
    return Read(value=value, document=document)


def _keys_at(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that may stand at a place of a document of this model."""
    here = model
    for step in place:
        if isinstance(step, int):
            continue  # a member of a list has the keys of its kind
        field = here.model_fields.get(step)
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            return []
        here = inner
    return list(here.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


__all__ = ["Read", "nearest", "read_yaml"]
