"""Where everything in a board's folder is, and the lock that keeps a second writer out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...store.locks import one_writer

SHORT = 16
"""Digits of a seal that name its files."""


@dataclass(frozen=True, slots=True)
class Board:
    """The folder of a board.  Nothing is read until it is asked for."""

    root: Path

    @property
    def models(self) -> Path:
        """What the board is built from."""
        return self.root / "models"

    @property
    def results(self) -> Path:
        """The cards."""
        return self.models / "results"

    @property
    def runs(self) -> Path:
        """The archived runs."""
        return self.models / "runs"

    @property
    def reported(self) -> Path:
        """Tables that others published."""
        return self.models / "reported"

    @property
    def events(self) -> Path:
        """Who did what, when, from which run."""
        return self.models / "events.jsonl"

    @property
    def registry(self) -> Path:
        """Models, runs, states and history: a function of the files beside it."""
        return self.models / "registry.json"

    @property
    def site(self) -> Path:
        """The page, and the data that it reads."""
        return self.root / "site"

    def card(self, seal: str) -> Path:
        """The card of a run."""
        return self.results / f"{seal[:SHORT]}.json"

    def archive(self, seal: str) -> Path:
        """The archive of a run."""
        return self.runs / f"{seal[:SHORT]}.tar.xz"

    def cards(self) -> tuple[Path, ...]:
        """Every card, by name."""
        return tuple(sorted(self.results.glob("*.json")))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of the board; it dies with its process.

        Raises ``RunError`` A501 when another process holds it.
        """
        hint = "wait for it to end, then run the same command again"
        with one_writer(self.models, what="board", where=self.root, hint=hint):
            yield
