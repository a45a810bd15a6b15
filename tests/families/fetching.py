"""What tests of fetching have in common: a cache, a lock, a clock and an ear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay import AssayError
from assay.families.supply.fetching.fetch import Fetched, Manner, fetch
from assay.families.supply.fetching.patience import Patience
from assay.families.supply.keeping.cache import ModelCache


class Bench:
    """A cache and a lock of the test's own; waiting takes no time, and is remembered."""

    def __init__(self, folder: Path) -> None:
        self.cache = ModelCache(folder / "cache")
        self.lock = folder / "models.lock"
        self.waited: list[float] = []
        self.notes: list[str] = []
        self.came: dict[str, int] = {}
        self.now = 0.0
        self.tick = 0.0
        """Seconds that pass whenever somebody looks at the clock."""

    def clock(self) -> float:
        self.now += self.tick
        return self.now

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        self.came = dict.fromkeys(totals, 0)

    def advance(self, system: str, replies: int) -> None:
        self.came[system] = self.came.get(system, 0) + replies

    def note(self, text: str) -> None:
        self.notes.append(text)

    def fetch(
        self, source: str, *files: str, locked: bool = True, pickles: Any = "refuse", **how: Any
    ) -> Fetched:
        patience = Patience(timeout_s=10, tries=3, clock=self.clock, sleep=self.waited.append)
        manner = Manner(patience=patience, tell=self, pickles=pickles)
        lock = self.lock if locked else None
        return fetch(source, into=self.cache, lock=lock, files=files, manner=manner, **how)

    def fails(self, source: str, *files: str, **how: Any) -> AssayError:
        with pytest.raises(AssayError) as raised:
            self.fetch(source, *files, **how)
        return raised.value

    def evidence(self) -> list[bytes]:
        found = sorted((self.cache.folder / "refused").glob("*"))
        return [path.read_bytes() for path in found if path.suffix != ".json"]

    def parts(self) -> list[bytes]:
        """Return what downloads left to be continued."""
        return [path.read_bytes() for path in sorted(self.cache.incoming.glob("*.part"))]
