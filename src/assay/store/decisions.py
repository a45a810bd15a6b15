"""What the replies of a cell came to, as a digest: equal digests are the determinism test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring
from operator import lt
from typing import Any

from ..core.verdict import Outcome
from .canon import canonical, digest
from .line import Line


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a cell's replies came to, in short."""

    digest: str
    crashed: bool
    """Whether a crash is left that no later line supersedes."""


class Deciding:
    """The decisions of the rows seen so far; the rows themselves are let go."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, int]] = []
        self._rows: list[str] = []
        self._ends: dict[tuple[str, str, str], str] = {}
        self._crashes: set[tuple[str, int]] = set()

    def add(self, lines: Iterable[Any]) -> None:
        """Take in lines, or rows whose ``decided`` has the members that are digested."""
        for line in lines:
            d = line.decided
            key = d.sample, d.attempt
            said = d.kind, d.reason, d.outcome
            end = self._ends.get(said)
            if end is None:
                kind, reason, outcome = map(_text, said)
                end = self._ends[said] = f",{kind},{reason},{outcome}] "
            value = _text(d.value) if type(d.value) is str else _plain(d.value)
            self._keys.append(key)
            self._rows.append(f"[{_text(d.sample)},{d.attempt}{end}{value}")
            if d.outcome == Outcome.CRASHED:
                self._crashes.add(key)
            elif self._crashes:
                self._crashes.discard(key)

    def decisions(self) -> Decisions:
        """Return what the rows come to, sorted by key, without what a later line supersedes."""
        rows = self._rows
        if not all(map(lt, self._keys, self._keys[1:])):
            last = dict(zip(self._keys, rows, strict=True))
            rows = [last[key] for key in sorted(last)]
        sha = hashlib.sha256()
        for start in range(0, len(rows), _TOGETHER):
            body = "\n".join(rows[start : start + _TOGETHER])
            sha.update(("\n" * (start > 0) + body).encode("utf-8", "surrogatepass"))
        return Decisions("sha256:" + sha.hexdigest(), bool(self._crashes))


_TOGETHER = 1000
"""Rows that are digested at once."""


def decisions_of(lines: Iterable[Line]) -> Decisions:
    """Return the digest of what was decided, and whether crashes are left.

    Floats and prose are excluded, and the rows sorted by key: equal digests are the determinism
    test.  A line that a later one supersedes does not count.
    """
    deciding = Deciding()
    deciding.add(lines)
    return deciding.decisions()


def decision_digest(lines: Iterable[Line]) -> str:
    """Return the digest of what was decided."""
    return decisions_of(lines).digest


_text = encode_basestring
"""Text as canonical JSON: what ``json`` itself uses for it."""


def _plain(value: Any) -> str:
    return canonical(_without_floats(value)).decode("utf-8", "surrogatepass")


def said_digest(kind: str, value: Any, reason: str) -> str:
    """Return a short digest of one decision, floats excluded: does a second pass say the same?"""
    return digest(canonical([kind, _without_floats(value), reason]))[7:23]


def digest_of_line(line: Line) -> str:
    """Return the digest of what a line of a journal decided."""
    decided = line.decided
    return said_digest(decided.kind, decided.value, decided.reason)


def _without_floats(value: Any) -> Any:
    match value:
        case float():
            return None
        case list() | tuple():
            return [_without_floats(v) for v in value]
        case dict():
            return {k: _without_floats(v) for k, v in value.items()}
        case _:
            return value
