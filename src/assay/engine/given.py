"""Options as a plan gives them, checked by pydantic.

Apart from ``plugins``: a system's process needs this only where the plan gives it options, and pydantic takes as long to
load as all else in it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError


class Recipe(BaseModel):
    """A recipe inside of another one's options: ``{use: lm.gguf, options: {...}}``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    use: str
    options: dict[str, JsonValue] = {}


class Mistaken(Exception):  # noqa: N818  (not an error of ours yet: only the caller knows where it stands)
    """What is wrong with a value: the key inside of it, and what pydantic says."""

    def __init__(self, error: ValidationError) -> None:
        first = error.errors()[0]
        self.key = ".".join(map(str, first["loc"]))
        self.what = first["msg"].lower()
        super().__init__(self.what)


def checked(value: object, kind: Any) -> Any:
    """Return a value as the type that an option has; raise ``Mistaken`` where it cannot be one."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(
            kind, config=ConfigDict(arbitrary_types_allowed=True)
        )
        return adapter.validate_python(value)
    except ValidationError as error:
        raise Mistaken(error) from None


def recipe(value: object) -> Recipe:
    """Return a recipe inside of options; raise ``Mistaken`` for what is none."""
    try:
        return Recipe.model_validate(value)
    except ValidationError as error:
        raise Mistaken(error) from None
