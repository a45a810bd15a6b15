"""What the engine and a system's process say to each other: one JSON line each.

A system lives in a process of its own.  It is given train and tune samples and questions, and
never a test target: those stay with the engine, which verifies and judges.
Covered: a system that looks for targets in its memory, that prints, that dies, that hangs.
Not covered: a system that opens the run directory or the task's own data; it runs as you.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..core.artifact import Artifact
from ..core.errors import AssayError, DataError, PlanError, PluginError, RunError, SealError
from ..core.reply import Answer, Bottom, Crash, Failed, Reply, Said, Usage
from ..core.sample import Question


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


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line from a worker; exactly one member is set, beside the number of the ``Ask`` that it is about."""

    built: dict[str, Any] | None = None
    reply: dict[str, Any] | None = None
    done: bool = False
    crash: str = ""
    error: dict[str, str] | None = None
    number: int = 0


encode = msgspec.json.Encoder().encode
decode_job = msgspec.json.Decoder(Job).decode
decode_ask = msgspec.json.Decoder(Ask).decode
decode_message = msgspec.json.Decoder(Message).decode

_KINDS = (AssayError, PlanError, DataError, SealError, PluginError, RunError)
_ERRORS = {kind.__name__: kind for kind in _KINDS}
_USAGE = tuple(Usage.__dataclass_fields__)


def pack_reply(reply: Reply, usage: Usage) -> dict[str, Any]:
    """Return a reply as plain values."""
    spent = {n: v for n in _USAGE if (v := getattr(usage, n)) is not None}
    packed: dict[str, Any] = {
        "question": reply.question,
        "attempt": reply.attempt,
        "said": _pack_said(reply.said),
        "usage": spent,
    }
    if reply.earlier:
        packed["earlier"] = [_pack_said(said) for said in reply.earlier]
    if reply.evidence:
        packed["evidence"] = dict(reply.evidence)
    return packed


def unpack_reply(raw: dict[str, Any]) -> Reply:
    """Return the reply that ``pack_reply`` packed."""
    return Reply(
        raw["question"],
        _unpack_said(raw["said"]),
        Usage(**raw["usage"]),
        raw["attempt"],
        tuple(map(_unpack_said, raw.get("earlier", ()))),
        raw.get("evidence", {}),
    )


def pack_error(error: AssayError) -> dict[str, str]:
    """Return an error as plain values."""
    kind = type(error).__name__
    return {
        "kind": kind,
        "what": error.what,
        "where": error.where,
        "hint": error.hint,
        "code": error.code,
    }


def unpack_error(raw: dict[str, str]) -> AssayError:
    """Return the error that ``pack_error`` packed."""
    kind = _ERRORS.get(raw["kind"], PluginError)
    return kind(raw["what"], where=raw["where"], hint=raw["hint"], code=raw["code"])


def pack_artifact(artifact: Artifact) -> dict[str, Any]:
    """Return an artifact as plain values."""
    return {name: getattr(artifact, name) for name in Artifact.__dataclass_fields__}


def _pack_said(said: Said) -> list[Any]:
    match said:
        case Answer(value, confidence, scores, instead):
            return ["answer", value, confidence, dict(scores), instead]
        case Bottom(reason, proposal, detail):
            return ["bottom", reason, _pack_said(proposal) if proposal else None, detail]
        case Failed(why, detail):
            return ["failed", why, detail]
        case Crash(error, detail):
            return ["crash", error, detail]


def _unpack_said(raw: list[Any]) -> Said:
    match raw:
        case ["answer", value, confidence, scores, instead]:
            return Answer(value, confidence, scores, instead)
        case ["bottom", reason, None, detail]:
            return Bottom(reason, None, detail)
        case ["bottom", reason, proposal, detail]:
            inner = _unpack_said(proposal)
            return Bottom(reason, inner if isinstance(inner, Answer) else None, detail)
        case ["failed", why, detail]:
            return Failed(why, detail)
        case _:
            return Crash(str(raw[1]), str(raw[2]))
