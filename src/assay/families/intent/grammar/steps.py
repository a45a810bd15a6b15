"""What a request asks for once it is understood: actions in order, each with its slots.

A decision about a label is an ``Answer``; a step is that answer with what it is about.  Nothing here
reads text or decides: grammars make steps, rails judge them, a ledger carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One thing that a request names: an amount, an asset, a venue, a room.

    >>> Slot(kind="amount", value="2.5", text="2.5", start=5, end=8).span
    (5, 8)
    """

    kind: str
    """The kind of its domain: ``amount``, ``asset``, ``venue``, ``chain``, ``percent``, ``room``."""

    value: str
    """Canonical: a plain decimal for numbers (``"2500"`` for "2.5k"), ``"all"`` or ``"half"`` for
    shares of what is there, the domain's own name for a thing (``"USDC"`` for "usd coin")."""

    text: str
    """As it was written: ``prompt[start:end]``."""

    start: int
    end: int
    unit: str = ""
    """What a number counts, where the request says it: ``ETH``, ``usd``, ``percent``, ``bps``."""

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands in the prompt, in characters, the end excluded."""
        return self.start, self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action and what it is about.

    >>> amount = Slot(kind="amount", value="2", text="2", start=5, end=6, unit="ETH")
    >>> Step(action="stake_asset", slots={"amount": amount}).value("amount")
    '2'
    """

    action: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    """By role in this action: ``amount``, ``asset``, ``to_asset``, ``venue``, ``slippage``."""

    def value(self, role: str) -> str | None:
        """Return the canonical value of a role, None where the request does not name it."""
        found = self.slots.get(role)
        return None if found is None else found.value
