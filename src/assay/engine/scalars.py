"""What a single value of a plan may be: a name, a seed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..store.rundir import NAME


def _name(value: Any) -> Any:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("must be letters, digits, dot, dash, underscore, at most 80 of them")
    return value


Name = Annotated[str, BeforeValidator(_name)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every generator of random numbers takes."""


def one_folder_each(what: str, names: list[str]) -> None:
    """Raise ``ValueError`` for two names that differ in capitals alone, of a ``what``.

    >>> one_folder_each("task", ["a", "b"])
    """
    seen: dict[str, str] = {}
    for name in names:
        if (same := seen.setdefault(name.casefold(), name)) != name:
            why = "in capitals alone, and would be one folder on macOS and Windows"
            raise ValueError(f"the {what}s {same!r} and {name!r} differ {why}")
