"""Whom the engine tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Teller(Protocol):
    """Hears of progress; the command line draws bars, tests count."""

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """A phase starts: how many replies are still to come, by system."""
        ...

    def advance(self, system: str, replies: int) -> None:
        """Some replies came."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line happened."""
        ...


class Silence:
    """Hears and says nothing."""

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """Do nothing."""

    def advance(self, system: str, replies: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""
