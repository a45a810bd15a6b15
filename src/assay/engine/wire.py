"""What the engine and a system's process say to each other: one JSON line each.

A system lives in a process of its own.  It is given train and tune samples and questions, and
never a test target: those stay with the engine, which verifies and judges.
Covered: a system that looks for targets in its memory, that prints, that dies, that hangs, that writes
lines of its own to the engine (whatever does not have the shape of a message is none).
Not covered: a system that opens the run directory or the task's own data; it runs as you.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from ..core.artifact import Artifact
from ..core.errors import AssayError, DataError, PlanError, PluginError, RunError, SealError
from ..core.reply import Answer, Bottom, Crash, Failed, Reply, Said, Usage
from ..core.sample import Question
from .sound import unsound


class Job(msgspec.Struct, frozen=True):
    """The first line to a worker: what to build."""

    use: str
    options: dict[str, Any]
    base: str
    """Relative paths in options start here."""

    train: str
    tune: str
    """Sample files."""

    workdir: str
    seeds: list[int]


class Ask(msgspec.Struct, frozen=True):
    """Questions to the system of one seed."""

    seed: int
    questions: list[tuple[str, Any, int]]
    """Id, input, attempt."""

    number: int = 0
    """What is said about it carries the same one."""

    @classmethod
    def of(cls, seed: int, questions: Sequence[Question], number: int = 0) -> Ask:
        """Return the request for some questions."""
        return cls(seed, [(q.id, q.input, q.attempt) for q in questions], number)

    def unpack(self) -> list[Question]:
        """Return the questions of the request."""
        return [Question(id=i, input=v, attempt=a, seed=self.seed) for i, v, a in self.questions]


Amount: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class SaidAnswer(msgspec.Struct, frozen=True, array_like=True, tag="answer"):
    """An ``Answer``, in this order."""

    value: Any
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    scores: dict[str, float]
    instead: str


class SaidBottom(msgspec.Struct, frozen=True, array_like=True, tag="bottom"):
    """A ``Bottom``, in this order."""

    reason: str
    proposal: SaidAnswer | None
    detail: str


class SaidFailed(msgspec.Struct, frozen=True, array_like=True, tag="failed"):
    """A ``Failed``, in this order."""

    why: str
    detail: str


class SaidCrash(msgspec.Struct, frozen=True, array_like=True, tag="crash"):
    """A ``Crash``, in this order."""

    error: str
    detail: str


AnySaid: TypeAlias = SaidAnswer | SaidBottom | SaidFailed | SaidCrash


class Spent(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A ``Usage``, without what was not measured."""

    busy_s: Amount | None = None
    latency_s: Amount | None = None
    first_token_s: Amount | None = None
    tokens_in: Count | None = None
    tokens_cached: Count | None = None
    tokens_out: Count | None = None
    calls: Count | None = None
    billed_usd: Amount | None = None
    joules: Amount | None = None
    peak_bytes: Count | None = None
    cut: Count | None = None


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reply on its way."""

    question: str
    attempt: int
    said: AnySaid
    usage: Spent
    earlier: tuple[AnySaid, ...] = ()
    evidence: dict[str, str] = {}


class Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ``Artifact``."""

    digest: str
    kind: str
    size: Count
    source: str | None
    parents: list[str]
    made_by: str | None
    license: str | None


class Facts(msgspec.Struct, frozen=True):
    """What is known of the system of one seed when it is built."""

    build_s: Amount | None
    notes: dict[str, float | int | str]
    made: list[Made]
    stateful: bool
    in_flight: Annotated[int, msgspec.Meta(ge=1)]


class Wrong(msgspec.Struct, frozen=True):
    """An error of ours, in a worker."""

    kind: str
    what: str
    where: str
    hint: str
    code: Annotated[str, msgspec.Meta(pattern=r"^A[0-9]{3}$")]


class Costs(msgspec.Struct, frozen=True):
    """What a process has used, when a request is done."""

    cpu_s: Amount = 0.0
    peak_bytes: Count | None = None


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line from a worker; exactly one member is set, beside the number of the ``Ask`` that it is about."""

    built: dict[str, Facts] | None = None
    reply: Heard | None = None
    done: Costs | None = None
    crash: str = ""
    error: Wrong | None = None
    number: int = 0


encode = msgspec.json.Encoder().encode
decode_job = msgspec.json.Decoder(Job).decode
decode_ask = msgspec.json.Decoder(Ask).decode
decode_message = msgspec.json.Decoder(Message).decode

_KINDS = (AssayError, PlanError, DataError, SealError, PluginError, RunError)
_ERRORS = {kind.__name__: kind for kind in _KINDS}
_USAGE = tuple(Usage.__dataclass_fields__)


def pack_reply(reply: Reply, usage: Usage) -> Heard:
    """Return a reply as plain values."""
    return Heard(
        question=reply.question,
        attempt=reply.attempt,
        said=_pack_said(reply.said),
        usage=Spent(**{n: v for n in _USAGE if (v := getattr(usage, n)) is not None}),
        earlier=tuple(map(_pack_said, reply.earlier)),
        evidence=dict(reply.evidence),
    )


def unpack_reply(heard: Heard) -> Reply:
    """Return the reply that ``pack_reply`` packed."""
    return Reply(
        heard.question,
        _unpack_said(heard.said),
        Usage(
            **{name: value for name in _USAGE if (value := getattr(heard.usage, name)) is not None}
        ),
        heard.attempt,
        tuple(map(_unpack_said, heard.earlier)),
        heard.evidence,
    )


def pack_error(error: AssayError) -> Wrong:
    """Return an error as plain values."""
    kind = type(error).__name__
    return Wrong(kind, error.what, error.where, error.hint, error.code)


def unpack_error(wrong: Wrong) -> AssayError:
    """Return the error that ``pack_error`` packed."""
    kind = _ERRORS.get(wrong.kind, PluginError)
    return kind(wrong.what, where=wrong.where, hint=wrong.hint, code=wrong.code)


def pack_artifact(artifact: Artifact) -> Made:
    """Return an artifact as plain values."""
    return Made(
        digest=artifact.digest,
        kind=artifact.kind,
        size=artifact.size,
        source=artifact.source,
        parents=list(artifact.parents),
        made_by=artifact.made_by,
        license=artifact.license,
    )


def _pack_said(said: Said) -> AnySaid:
    match said:
        case Answer():
            return _pack_answer(said)
        case Bottom(reason, proposal, detail):
            return SaidBottom(reason, _pack_answer(proposal) if proposal else None, detail)
        case Failed(why, detail):
            return SaidFailed(why, detail)
        case Crash(error, detail):
            return SaidCrash(error, detail)


def _pack_answer(said: Answer) -> SaidAnswer:
    return SaidAnswer(said.value, said.confidence, dict(said.scores), said.instead)


def _unpack_said(said: AnySaid) -> Said:
    match said:
        case SaidAnswer():
            return _unpack_answer(said)
        case SaidBottom(reason, proposal, detail):
            would = None if proposal is None else _unpack_answer(proposal)
            return would if isinstance(would, Failed) else Bottom(reason, would, detail)
        case SaidFailed(why, detail):
            return Failed(why, detail)
        case SaidCrash(error, detail):
            return Crash(error, detail)


def _unpack_answer(said: SaidAnswer) -> Answer | Failed:
    # A worker that went through ``sound`` never sends what this finds.
    bad = unsound(said.value) if isinstance(said.value, int | list | dict) else None
    return bad or Answer(said.value, said.confidence, said.scores, said.instead)
