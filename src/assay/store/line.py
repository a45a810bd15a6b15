"""One line of a journal: a record as bytes, with its checksum."""

from __future__ import annotations

import zlib
from typing import Any, Literal, TypeAlias

import msgspec

from ..core.record import Cell, Record
from ..core.reply import Answer, Bottom, Crash, Failed, Said, Usage
from ..core.verdict import Outcome, Verdict

Kind: TypeAlias = Literal["answer", "bottom", "failed", "crash"]
OutcomeName: TypeAlias = Literal[
    "correct", "wrong", "withheld", "declined", "invented", "scored", "failed", "crashed"
]


class Proposal(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a system that declined would have said."""

    value: Any = None
    confidence: float | None = None


class Decided(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The half of a line that must not depend on when or where it was made."""

    sample: str
    group: str
    kind: Kind
    outcome: OutcomeName
    attempt: int = 0
    value: Any = None
    confidence: float | None = None
    scores: dict[str, float] = {}
    reason: str = ""
    """Of an answer: the one that it would have declined with."""

    proposal: Proposal | None = None
    checks: dict[str, float] = {}
    earlier: list[tuple[str, Any]] = []
    """Kind, and value or reason, of what was said in the turns before, oldest first."""


class Measured(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What can have been measured of one reply: the fields of ``Usage``."""

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
    cut: int | None = None


class Spent(Measured, frozen=True, gc=False, omit_defaults=True):
    """The half that may differ between runs."""

    at: tuple[int, int] | None = None
    """Offset and length in the evidence pack."""

    crc: str = ""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a journal."""

    decided: Decided
    usage: Spent

    @property
    def crashed(self) -> bool:
        """Whether the system, or the check of its answer, was not observed."""
        return self.decided.outcome == "crashed"


_encode = msgspec.json.Encoder().encode
decode_unchecked = msgspec.json.Decoder(Line).decode
"""Returns the line that some bytes store; trusts that nobody has damaged them."""


def to_line(record: Record, at: tuple[int, int] | None = None) -> Line:
    """Return the line that stores a record."""
    said, verdict, usage = record.said, record.verdict, record.usage
    common: dict[str, Any] = {
        "sample": record.sample,
        "group": record.group,
        "attempt": record.attempt,
        "outcome": verdict.outcome.value,
        "checks": {name: float(score) for name, score in verdict.scores.items()},
        "earlier": [_turn(said) for said in record.earlier],
    }
    match said:
        case Answer():
            decided = Decided(
                kind="answer",
                value=said.value,
                confidence=_float(said.confidence),
                scores={name: float(score) for name, score in said.scores.items()},
                reason=said.instead,
                **common,
            )
        case Bottom(reason, proposal):
            would = None
            if proposal is not None:
                would = Proposal(proposal.value, _float(proposal.confidence))
            decided = Decided(kind="bottom", reason=reason, proposal=would, **common)
        case Failed(why):
            decided = Decided(kind="failed", reason=why, **common)
        case Crash(error):
            decided = Decided(kind="crash", reason=error, **common)
    spent = Spent(
        busy_s=_float(usage.busy_s),
        latency_s=_float(usage.latency_s),
        first_token_s=_float(usage.first_token_s),
        tokens_in=usage.tokens_in,
        tokens_cached=usage.tokens_cached,
        tokens_out=usage.tokens_out,
        calls=usage.calls,
        billed_usd=_float(usage.billed_usd),
        joules=_float(usage.joules),
        peak_bytes=usage.peak_bytes,
        cut=usage.cut,
        at=at,
    )
    return Line(decided=decided, usage=spent)


def _turn(said: Said) -> tuple[str, Any]:
    match said:
        case Answer(value):
            return "answer", value
        case Bottom(reason):
            return "bottom", reason
        case Failed(why):
            return "failed", why
        case Crash(error):
            return "crash", error


def _said_in_turn(kind: str, what: Any) -> Said:
    match kind:
        case "answer":
            return Answer(what)
        case "bottom":
            return Bottom(what)
        case "failed":
            return Failed(what)
        case _:
            return Crash(what)


def _float(value: float | None) -> float | None:
    # 1 and 1.0 are equal, and are not the same bytes: a line is read back as floats.
    return None if value is None else float(value)


def to_record(line: Line, cell: Cell) -> Record:
    """Return the record that a line stores."""
    d, u = line.decided, line.usage
    said: Said
    match d.kind:
        case "answer":
            said = Answer(d.value, d.confidence, d.scores, d.reason)
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
        earlier=tuple(_said_in_turn(kind, what) for kind, what in d.earlier),
    )


def encode(line: Line) -> bytes:
    """Return a line's bytes, with its checksum and the final newline."""
    spent = msgspec.structs.replace(line.usage, crc="") if line.usage.crc else line.usage
    decided, usage = _encode(line.decided), _encode(spent)
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
    line = decode_unchecked(raw)
    if encode(line).rstrip(b"\n") != raw.rstrip(b"\n"):
        raise ValueError("the checksum does not fit")
    return line
