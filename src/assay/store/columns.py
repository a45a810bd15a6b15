"""Journals as columns: a million records become arrays in seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from operator import attrgetter, lt
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..core.reply import Usage
from ..core.verdict import Outcome
from .canon import canonical
from .journal import DAMAGED, Deciding, Decisions, damaged, first_tries, pieces, read_lines
from .line import Line, Measured, OutcomeName

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int8]

OUTCOMES = tuple(Outcome)
CODE = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}
_UNSAID = (Outcome.FAILED.value, Outcome.CRASHED.value)
MEASURED = tuple(Usage.__dataclass_fields__)
"""What a reply can have measured, in the order of ``Usage``."""


@dataclass(frozen=True, slots=True)
class CellColumns:
    """One cell as arrays, one entry per record, sorted by sample and attempt."""

    samples: tuple[str, ...]
    attempts: NDArray[np.int64]
    groups: tuple[str, ...]
    outcome: Codes
    """Index into ``OUTCOMES``."""

    confidence: Floats
    """Of the answer, or of the proposal of a system that declined; NaN where there is none."""

    measured: Mapping[str, Floats]
    """Usage by name; NaN where not measured."""

    checks: Mapping[str, Floats]
    """Verifier scores by name."""

    reason: NDArray[np.int32]
    """Index into ``reasons``: why it declined, or what an answer would have declined with."""

    reasons: tuple[str, ...] = ("",)

    def only(self, at: NDArray[np.intp]) -> CellColumns:
        """Return these rows, in this order."""
        return CellColumns(
            samples=tuple(self.samples[i] for i in at),
            attempts=self.attempts[at],
            groups=tuple(self.groups[i] for i in at),
            outcome=self.outcome[at],
            confidence=self.confidence[at],
            measured={name: column[at] for name, column in self.measured.items()},
            checks={name: column[at] for name, column in self.checks.items()},
            reason=self.reason[at],
            reasons=self.reasons,
        )


Confidence = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Would(msgspec.Struct, frozen=True, gc=False):
    confidence: Confidence | None = None


class _Decided(msgspec.Struct, frozen=True, gc=False):
    """What columns need of the half that was decided: values are never made."""

    sample: str
    group: str
    outcome: OutcomeName
    attempt: int = 0
    confidence: Confidence | None = None
    reason: str = ""
    proposal: _Would | None = None
    checks: dict[str, float] | None = None


class _Row(msgspec.Struct, frozen=True, gc=False):
    decided: _Decided
    usage: Measured


class _WholeDecided(_Decided, frozen=True, gc=False):
    """What the decision digest needs beside."""

    kind: str = ""
    value: Any = None


class _WholeRow(msgspec.Struct, frozen=True, gc=False):
    decided: _WholeDecided
    usage: Measured


_decode_rows = msgspec.json.Decoder(_Row).decode_lines
_decode_whole = msgspec.json.Decoder(_WholeRow).decode_lines
_spent = tuple((name, attrgetter(name)) for name in MEASURED)


def read_columns(path: Path) -> CellColumns:
    """Read a sealed journal into columns, a piece at a time.

    Raises ``SealError`` A304 for a line that is none.
    """
    gathered = _Gathered()
    for rows in _rows(path, _decode_rows):
        _checked(path, gathered.add, rows)
    return gathered.columns()


def read_decided_columns(path: Path) -> tuple[CellColumns, Decisions]:
    """Read a sealed journal into columns, and say what its decisions come to, in one pass.

    Raises ``SealError`` A304 for a line that is none.
    """
    gathered, deciding = _Gathered(), Deciding()
    for rows in _rows(path, _decode_whole):
        _checked(path, gathered.add, rows)
        deciding.add(rows)
    return gathered.columns(), deciding.decisions()


def _rows(path: Path, decode: Callable[[bytes], list[Any]]) -> Iterator[list[Any]]:
    for piece in pieces(path):
        try:
            rows = decode(piece)
        except DAMAGED as error:
            deque(read_lines(path), maxlen=0)  # reads again, line by line, to name the one
            raise damaged(path, 0, error) from None
        yield rows


def _checked(path: Path, add: Callable[[list[Any]], None], rows: list[Any]) -> None:
    try:
        add(rows)
    except OverflowError as error:  # a count of three hundred digits
        raise damaged(path, 0, error) from None


def to_columns(lines: Iterable[Line]) -> CellColumns:
    """Return lines as columns; a later line supersedes an earlier crash."""
    gathered = _Gathered()
    gathered.add(list(lines))
    return gathered.columns()


class _Gathered:
    """Arrays of the rows seen so far; the rows themselves are let go."""

    def __init__(self) -> None:
        self.samples: list[str] = []
        self.groups: list[str] = []
        self.known: dict[str, str] = {}
        self.reasons: dict[str, int] = {"": 0}
        self.parts: list[tuple[int, dict[str, NDArray[Any]]]] = []

    def add(self, rows: Sequence[Any]) -> None:
        """Take in lines, or the rows that ``read_columns`` makes of them."""
        decided = [row.decided for row in rows]
        spent = [row.usage for row in rows]
        self.samples += [d.sample for d in decided]
        # A group has many samples: one text is enough for all of them.
        self.groups += [self.known.setdefault(d.group, d.group) for d in decided]
        sure = [d.confidence if d.proposal is None else d.proposal.confidence for d in decided]
        part: dict[str, NDArray[Any]] = {
            "outcome": np.array([CODE[d.outcome] for d in decided], dtype=np.int8),
            "attempt": np.array([d.attempt for d in decided], dtype=np.int64),
            "confidence": np.array(sure, dtype=np.float64),
            "reason": np.array([self._coded(d) for d in decided], dtype=np.int32),
        }
        for name, get in _spent:
            values = list(map(get, spent))
            if values.count(None) < len(values):
                part[f"spent:{name}"] = np.array(values, dtype=np.float64)
        checks = [d.checks or {} for d in decided]
        for name in {name for scores in checks for name in scores}:
            found = [scores.get(name) for scores in checks]
            part[f"check:{name}"] = np.array(found, dtype=np.float64)
        self.parts.append((len(rows), part))

    def _coded(self, decided: Any) -> int:
        # Why a reply failed or crashed is no reason to decline.
        if not decided.reason or decided.outcome in _UNSAID:
            return 0
        return self.reasons.setdefault(decided.reason, len(self.reasons))

    def columns(self) -> CellColumns:
        """Return what was gathered, in order, without what a later line supersedes."""
        samples, groups = tuple(self.samples), tuple(self.groups)
        attempts = self._column("attempt", np.int64)
        if not all(map(lt, samples, samples[1:])):
            order = _order(samples, attempts)
            samples = tuple(samples[i] for i in order)
            groups = tuple(groups[i] for i in order)
        else:
            order = None

        def sorted_(name: str, dtype: Any = np.float64) -> NDArray[Any]:
            column = self._column(name, dtype)
            return column if order is None else column[order]

        names = {name for _, part in self.parts for name in part}
        spent = [n for n in MEASURED if f"spent:{n}" in names]
        checks = sorted(n.removeprefix("check:") for n in names if n.startswith("check:"))
        measured = {name: sorted_(f"spent:{name}") for name in spent}
        scores = {name: sorted_(f"check:{name}") for name in checks}
        return CellColumns(
            samples=samples,
            attempts=sorted_("attempt", np.int64),
            groups=groups,
            outcome=sorted_("outcome", np.int8),
            confidence=sorted_("confidence"),
            # What only superseded lines knew is nothing that is known.
            measured={n: c for n, c in measured.items() if not np.isnan(c).all()},
            checks={n: c for n, c in scores.items() if not np.isnan(c).all()},
            reason=sorted_("reason", np.int32),
            reasons=tuple(self.reasons),
        )

    def _column(self, name: str, dtype: Any) -> NDArray[Any]:
        parts = [
            part[name] if name in part else np.full(n, np.nan, dtype=np.float64)
            for n, part in self.parts
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def _order(samples: Sequence[str], attempts: NDArray[np.int64]) -> list[int]:
    """Return the places of the rows that count, by sample and attempt."""
    by_attempt = np.argsort(attempts, kind="stable").tolist()
    order = sorted(by_attempt, key=samples.__getitem__)
    tries = attempts.tolist()
    return [
        here
        for here, after in zip_longest(order, order[1:])
        if after is None or samples[here] != samples[after] or tries[here] != tries[after]
    ]


RIGHT = np.array([outcome in {Outcome.CORRECT, Outcome.DECLINED} for outcome in OUTCOMES])
"""By code of the outcome: whether it counts as right."""


def first_attempts(columns: CellColumns) -> CellColumns:
    """Return one entry per sample: that of its first attempt.

    Where samples were asked several times, ``measured`` has two more columns: ``attempts``, how many
    of a sample's attempts were observed, and ``attempts_right``, how many of these were right.
    """
    again = columns.attempts > 0
    if not again.any():
        return columns
    at = np.flatnonzero(~again)
    sample = np.cumsum(~again) - 1  # rows are in order: all attempts of a sample stand together
    seen = columns.outcome != CODE["crashed"]
    right = RIGHT[columns.outcome] & seen
    counted = {
        name: np.bincount(sample, weights=among, minlength=len(at)).astype(np.float64)
        for name, among in (("attempts", seen), ("attempts_right", right))
    }
    first = columns.only(at)
    return replace(first, measured={**first.measured, **counted})


def answers_of(lines: Sequence[Line]) -> NDArray[np.object_]:
    """Return what was answered or proposed at first, as canonical text, sorted by sample."""
    last = {line.decided.sample: line.decided for line in first_tries(lines)}
    found = []
    for key in sorted(last):
        decided = last[key]
        value = decided.value if decided.proposal is None else decided.proposal.value
        found.append(canonical(value).decode("utf-8"))
    return np.array(found, dtype=np.object_)
