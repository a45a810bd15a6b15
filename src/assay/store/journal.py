"""The journal: one line per reply, each line a commit.

Covered: a process killed at any byte (the torn tail is cut off and asked again), a bit flipped in
a line (its checksum names it), a disk that fills up (the error says so, the lines before it stay).
Not covered: a disk that acknowledges a flush and forgets it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from ..core.errors import RunError, SealError
from ..core.record import Cell, Record
from ..core.reply import Answer, Bottom, Crash, Failed, Said, Usage
from ..core.verdict import Outcome, Verdict
from .canon import canonical, digest

SYNC_LINES = 100
"""A flush to the disk at least every so many lines; a power cut loses at most these."""


class Proposal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a system that declined would have said."""

    value: Any = None
    confidence: float | None = None


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """The half of a line that must not depend on when or where it was made."""

    sample: str
    group: str
    kind: str
    outcome: str
    attempt: int = 0
    value: Any = None
    confidence: float | None = None
    scores: dict[str, float] = {}
    reason: str = ""
    proposal: Proposal | None = None
    checks: dict[str, float] = {}


class Spent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The half that may differ between runs."""

    busy_s: float | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_out: int | None = None
    calls: int | None = None
    billed_usd: float | None = None
    joules: float | None = None
    peak_bytes: int | None = None
    at: tuple[int, int] | None = None
    """Offset and length in the evidence pack."""

    crc: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of a journal."""

    decided: Decided
    usage: Spent


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def to_line(record: Record, at: tuple[int, int] | None = None) -> Line:
    """Return the line that stores a record."""
    said, verdict, usage = record.said, record.verdict, record.usage
    common: dict[str, Any] = {
        "sample": record.sample,
        "group": record.group,
        "attempt": record.attempt,
        "outcome": verdict.outcome.value,
        "checks": dict(verdict.scores),
    }
    match said:
        case Answer():
            decided = Decided(
                kind="answer",
                value=said.value,
                confidence=said.confidence,
                scores=dict(said.scores),
                **common,
            )
        case Bottom(reason, proposal):
            would = None if proposal is None else Proposal(proposal.value, proposal.confidence)
            decided = Decided(kind="bottom", reason=reason, proposal=would, **common)
        case Failed(why):
            decided = Decided(kind="failed", reason=why, **common)
        case Crash(error):
            decided = Decided(kind="crash", reason=error, **common)
    spent = Spent(
        busy_s=usage.busy_s,
        latency_s=usage.latency_s,
        first_token_s=usage.first_token_s,
        tokens_in=usage.tokens_in,
        tokens_cached=usage.tokens_cached,
        tokens_out=usage.tokens_out,
        calls=usage.calls,
        billed_usd=usage.billed_usd,
        joules=usage.joules,
        peak_bytes=usage.peak_bytes,
        at=at,
    )
    return Line(decided=decided, usage=spent)


def to_record(line: Line, cell: Cell) -> Record:
    """Return the record that a line stores."""
    d, u = line.decided, line.usage
    said: Said
    match d.kind:
        case "answer":
            said = Answer(d.value, d.confidence, d.scores)
        case "bottom":
            p = d.proposal
            said = Bottom(d.reason, Answer(p.value, p.confidence) if p else None)
        case "failed":
            said = Failed(d.reason)
        case _:
            said = Crash(d.reason)
    fields = {name: getattr(u, name) for name in Usage.__dataclass_fields__}
    return Record(
        cell=cell,
        sample=d.sample,
        attempt=d.attempt,
        group=d.group,
        said=said,
        verdict=Verdict(outcome=Outcome(d.outcome), scores=d.checks),
        usage=Usage(**fields),
    )


def encode(line: Line) -> bytes:
    """Return a line's bytes, with its checksum and the final newline."""
    bare = msgspec.structs.replace(line.usage, crc="")
    decided, usage = _encode(line.decided), _encode(bare)
    crc = f"{zlib.crc32(usage, zlib.crc32(decided)):08x}"
    # The checksum goes last into `usage`, so that nothing has to be encoded twice.
    comma = b"" if usage == b"{}" else b","
    return b"".join(
        (
            b'{"decided":',
            decided,
            b',"usage":',
            usage[:-1],
            comma,
            b'"crc":"',
            crc.encode(),
            b'"}}\n',
        )
    )


def decode(raw: bytes) -> Line:
    """Return the line that some bytes store; raise ``ValueError`` when they are damaged."""
    line = _decode(raw)
    if encode(line).rstrip(b"\n") != raw.rstrip(b"\n"):
        raise ValueError("the checksum does not fit")
    return line


class Writer:
    """Appends records to a journal and their evidence to a pack.

    ``write`` returns once the line is with the operating system (safe from a killed process);
    every 100 lines, and on ``close``, it is on the disk (safe from a power cut).
    """

    def __init__(self, path: Path, pack: Path) -> None:
        self._path, self._pack_path = path, pack
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._pack: Any = None
        self._since = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, records: Iterable[Record], details: Mapping[str, bytes]) -> None:
        """Append records; ``details`` is evidence by sample id."""
        try:
            pieces = []
            for record in records:
                evidence = details.get(record.sample)
                at = self._keep(evidence) if evidence else None
                pieces.append(encode(to_line(record, at)))
            write_all(self._file.fileno(), b"".join(pieces))
            self._since += len(pieces)
            if self._since >= SYNC_LINES:
                self.sync()
        except OSError as error:
            raise disk_error(error, self._path) from error

    def sync(self) -> None:
        """Flush evidence first, then the lines that point to it."""
        if self._pack is not None:
            os.fdatasync(self._pack.fileno())
        os.fdatasync(self._file.fileno())
        self._since = 0

    def close(self) -> None:
        """Flush and close."""
        if not self._file.closed:
            self.sync()
            self._file.close()
        if self._pack is not None:
            self._pack.close()

    def _keep(self, evidence: bytes) -> tuple[int, int]:
        if self._pack is None:
            self._pack_path.parent.mkdir(parents=True, exist_ok=True)
            self._pack = self._pack_path.open("ab", buffering=0)
        packed = zlib.compress(evidence)
        start = os.fstat(self._pack.fileno()).st_size
        write_all(self._pack.fileno(), packed)
        return start, len(packed)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte, also when the system takes them in pieces."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def disk_error(error: OSError, path: Path) -> RunError:
    """Return the error that a failed write deserves."""
    return RunError(
        f"cannot write: {error.strerror or error}",
        where=str(path),
        hint="free some space or mend the permission, then run the same command: it resumes",
    )


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal that was read: its lines, and what had to be cut off."""

    lines: tuple[Line, ...]
    torn_bytes: int = 0
    seen: frozenset[tuple[str, int]] = field(default_factory=frozenset)
    """(sample, attempt) that need not be asked again."""


def read_evidence(pack: Path, at: tuple[int, int]) -> bytes:
    """Return one entry of an evidence pack."""
    with pack.open("rb") as file:
        file.seek(at[0])
        return zlib.decompress(file.read(at[1]))


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a sealed journal; trust the seal, not each checksum."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                yield _decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise SealError(
                    f"line {number} of a journal cannot be read: {error}",
                    where=f"{path}:{number}",
                    hint="run `assay verify` on the run directory",
                    code="A304",
                ) from None


def repair(path: Path) -> Journal:
    """Read a journal that may end in the middle of a line, and cut that tail off.

    A damaged line *before* the tail is not an accident of a killed process: ``SealError`` A304.
    A crashed line is superseded by a later one for the same sample and attempt.
    """
    if not path.exists():
        return Journal(lines=())
    data = path.read_bytes()
    lines: dict[tuple[str, int], Line] = {}
    good = 0
    while good < len(data):
        end = data.find(b"\n", good)
        if end < 0:
            break
        try:
            line = decode(data[good:end])
        except (ValueError, msgspec.DecodeError) as error:
            if data.find(b"\n", end + 1) < 0 and end + 1 == len(data):
                break
            number = data.count(b"\n", 0, good) + 1
            raise SealError(
                f"line {number} of the journal is damaged: {error}",
                where=f"{path}:{number}",
                hint="delete this one file and run the same command: the cell is asked again",
                code="A304",
            ) from None
        lines[line.decided.sample, line.decided.attempt] = line
        good = end + 1
    torn = len(data) - good
    if torn:
        with path.open("r+b") as file:
            file.truncate(good)
            os.fsync(file.fileno())
    done = frozenset(key for key, line in lines.items() if line.decided.kind != "crash")
    return Journal(lines=tuple(lines.values()), torn_bytes=torn, seen=done)


def decision_digest(lines: Iterable[Line]) -> str:
    """Return the digest of what was decided: floats and prose excluded, sorted by key.

    Equal digests are the determinism test.
    """
    rows = sorted(
        (d.sample, d.attempt, d.kind, canonical(_without_floats(d.value)), d.reason, d.outcome)
        for d in (line.decided for line in lines)
    )
    body = b"\n".join(canonical([s, a, k, r, o]) + b" " + value for s, a, k, value, r, o in rows)
    return digest(body)


def said_digest(kind: str, value: Any, reason: str) -> str:
    """Return a short digest of one decision, floats excluded: does a second pass say the same?"""
    return digest(canonical([kind, _without_floats(value), reason]))[7:23]


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
