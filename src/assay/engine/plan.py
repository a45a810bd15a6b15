"""The plan: the only configuration there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..core.errors import PlanError
from .document import Document, KeyPath, read_document
from .keys import Plan, keys_at
from .overrides import nearest, override


class LoadedPlan(BaseModel):
    """A plan, the text that it was read from, and how to point into it."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    plan: Plan
    text: str
    path: Path
    overrides: tuple[str, ...] = ()
    document: Document

    def where(self, *place: str | int) -> str:
        """Return ``file:line`` of a key."""
        return self.document.where(place)


def load_plan(path: Path | str, overrides: tuple[str, ...] = ()) -> LoadedPlan:
    """Read a plan and check its form; ``assay plan`` also resolves every name.

    ``overrides`` are ``key=value`` words whose value is YAML: ``seeds=[0]``, ``timing.blocks=2``,
    ``systems.mapper.limit=100`` (a list member is named by its ``name``, ``id`` or ``use``).

    Raises ``PlanError`` with the line and the nearest name: A100 unreadable, A101 unknown key,
    A102 wrong type or value, A105 too large or too clever.

    >>> load_plan("plans/nowhere.yaml")
    Traceback (most recent call last):
    assay.core.errors.PlanError: A100 the plan cannot be read: No such file or directory
      at: plans/nowhere.yaml
      try: check the path; `assay init` writes a plan to begin with
    """
    document = read_document(Path(path))
    for word in overrides:
        override(document, word)
    if not isinstance(document.value, dict):
        raise PlanError(
            "a plan is a mapping of keys to values",
            where=f"{path}:1",
            hint="begin with `name: ...`",
            code="A102",
        )
    try:
        plan = Plan.model_validate(document.value)
    except ValidationError as error:
        raise mistake(error, document) from None
    return LoadedPlan(
        plan=plan,
        text=document.text,
        path=Path(path),
        overrides=overrides,
        document=document,
    )


def mistake(
    error: ValidationError,
    document: Document,
    *,
    keys: Callable[[KeyPath], list[str]] = keys_at,
    what: str = "the plan",
    page: str = "docs/plan.md",
) -> PlanError:
    """Return the first thing that is wrong with a document, with its line and what to do.

    ``keys`` gives what may stand at a place; ``page`` has every key and its type.
    """
    wrong = error.errors()
    # A misspelt key is also a missing one; the spelling is what there is to mend.
    first = next((e for e in wrong if e["type"] == "extra_forbidden"), wrong[0])
    loc, unknown = first["loc"], first["type"] == "extra_forbidden"
    # Among the keys stand pydantic's names of types; an unknown key may look like one.
    place: KeyPath = tuple(p for p in loc if "[" not in str(p) or (unknown and p == loc[-1]))
    shown = ".".join(str(p) for p in place) or what
    if unknown:
        return PlanError(
            f"unknown key {place[-1]!r} in {'.'.join(map(str, place[:-1])) or what}",
            where=document.where(place),
            hint=nearest(str(place[-1]), keys(place[:-1])),
            code="A101",
        )
    message = first["msg"].removeprefix("Value error, ")
    return PlanError(
        f"{shown}: {message[0].lower()}{message[1:]}",
        where=document.where(place),
        hint=_number_hint(first["input"]) or f"see {page} for every key and its type",
        code="A102" if first["type"] != "missing" else "A100",
    )


_NUMBER = re.compile(r"([-+]?\d+)(\.\d*)?[eE]([-+]?)(\d+)")


def _number_hint(given: object) -> str:
    """Return how to write a number that YAML 1.1 takes for text, such as ``1e-2``."""
    if not isinstance(given, str) or not (found := _NUMBER.fullmatch(given)):
        return ""
    whole, part, sign, power = found.groups()
    spelt = f"{whole}{part or '.0'}e{sign or '+'}{power}"
    value = float(given)
    if value.is_integer() and abs(value) < 1e15:
        return f"write {value:.0f}: YAML takes {given} for a text"
    return f"write {value:.12g} or {spelt}: YAML takes {given} for a text"


__all__ = ["LoadedPlan", "Plan", "load_plan", "mistake", "nearest"]


def plain(plan: Plan) -> dict[str, Any]:
    """Return a plan's keys; those that came later and are not used leave its digest as it was."""
    made: dict[str, Any] = plan.model_dump(mode="json")
    for system in made["systems"]:
        if system["of"] is None:
            del system["of"]
        if system["abstain"] is not None and system["abstain"]["metric"] is None:
            del system["abstain"]["metric"]
    return made
