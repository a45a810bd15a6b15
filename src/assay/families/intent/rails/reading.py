"""Steps as JSON, as tasks, plans and language models hand them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay import DataError

from ..grammar.steps import Slot, Step

ROLES = ("amount", "asset", "to_asset", "venue", "chain", "slippage", "collateral")
"""What the slots of a step can be about."""

MOST_STEPS = 50


def read_steps(given: object) -> tuple[Step, ...]:
    """Return steps from JSON: a list of ``{"action": ..., "slots": {role: value}}``.

    A slot is a text (``"ETH"``), or ``{"value": "2", "unit": "ETH"}``.  One step may stand without
    its list.  Raises ``DataError`` A200 with the path for anything else.

    >>> read_steps({"action": "stake_asset", "slots": {"amount": {"value": "2", "unit": "ETH"}}})[0].value("amount")
    '2'
    >>> read_steps([{"action": "stake_asset", "slots": {"amont": "2"}}])
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A200 a step has no slot 'amont'
      at: $[0].slots
      try: name one of amount, asset, to_asset, venue, chain, slippage, collateral
    """
    listed = [given] if isinstance(given, Mapping) else given
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        raise DataError(
            f"steps are a list, not {type(given).__name__}",
            where="$",
            hint='write [{"action": ..., "slots": {...}}]',
        )
    if len(listed) > MOST_STEPS:
        raise DataError(f"{len(listed)} steps are too many", where="$", hint="ask for less at once")
    return tuple(_read_step(one, f"$[{place}]") for place, one in enumerate(listed))


def _read_step(given: object, where: str) -> Step:
    if not isinstance(given, Mapping) or not isinstance(given.get("action"), str):
        raise DataError(
            "a step is an object with an action",
            where=where,
            hint='write {"action": "swap_asset", "slots": {...}}',
        )
    if extra := sorted(map(str, set(given) - {"action", "slots"})):
        raise DataError(f"a step has no key {extra[0]!r}", where=where, hint="see read_steps")
    slots = given.get("slots", {})
    if not isinstance(slots, Mapping):
        raise DataError(
            "slots are an object by role", where=f"{where}.slots", hint='write {"asset": "ETH"}'
        )
    if unknown := [str(role) for role in slots if role not in ROLES]:
        raise DataError(
            f"a step has no slot {unknown[0]!r}",
            where=f"{where}.slots",
            hint="name one of " + ", ".join(ROLES),
        )
    made = {role: _read_slot(role, slot, f"{where}.slots.{role}") for role, slot in slots.items()}
    return Step(action=given["action"], slots=made)


def _read_slot(role: str, given: object, where: str) -> Slot:
    match given:
        case str(value):
            unit = ""
        case {"value": str(value), "unit": str(unit), **rest} if not rest:
            pass
        case {"value": str(value), **rest} if not rest:
            unit = ""
        case _:
            raise DataError(
                "a slot is a text, or a value with its unit",
                where=where,
                hint='write "ETH", or {"value": "2", "unit": "ETH"}',
            )
    return Slot(kind=role, value=value, text=value, start=0, end=len(value), unit=unit)


def write_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return steps as JSON that ``read_steps`` reads back (but for where they stood in a text).

    >>> step = Step(action="claim_rewards", slots={})
    >>> read_steps(write_steps([step])) == (step,)
    True
    """
    return [
        {
            "action": step.action,
            "slots": {
                role: {"value": slot.value, "unit": slot.unit}
                for role, slot in sorted(step.slots.items())
            },
        }
        for step in steps
    ]
