"""Whether what a system yielded can be recorded as it is, is a failure, or is no reply at all."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from ..core.errors import PluginError
from ..core.reply import Answer, Bottom, Crash, Failed, Reply, Said, Usage
from ..core.sample import Json

MAX_DEPTH = 100
"""Lists in lists of a value.  Deeper ones would end the engine, not the system."""

_COUNTS = ("tokens_in", "tokens_cached", "tokens_out", "calls", "peak_bytes", "cut")


def sound(reply: object) -> Reply:
    """Return a reply that is recorded as it is, with plain numbers.

    A value that is not JSON or not finite, and a confidence outside of [0, 1], become the
    ``Failed`` that they are.  Raises ``PluginError`` A402 for what is no reply: wrong types.

    >>> sound(Reply("q", Answer("swap", 2))).said
    Failed(why='bad_confidence', detail='2.0 is not in [0, 1]')
    """
    if not isinstance(reply, Reply):
        raise _breach(f"a system yielded {type(reply).__name__}, not a Reply")
    _require_text("the question of a reply", reply.question)
    if not isinstance(reply.attempt, int):
        raise _breach(f"the attempt of a reply is {reply.attempt!r}, not a number")
    if not isinstance(reply.usage, Usage):
        raise _breach(f"the usage of a reply is {type(reply.usage).__name__}, not a Usage")
    said, usage = _sound_said(reply.said), _sound_usage(reply.usage)
    if reply.earlier or reply.evidence:
        reply = replace(
            reply,
            earlier=tuple(map(_sound_said, reply.earlier)),
            evidence=_sound_evidence(reply.evidence),
        )
    if said is reply.said and usage is reply.usage:
        return reply
    return replace(reply, said=said, usage=usage)


def _sound_evidence(evidence: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(evidence, Mapping):
        raise _breach(f"the evidence of a reply is {type(evidence).__name__}, no mapping")
    for name in evidence:
        _require_text("the name of a piece of evidence", name)
    return {name: _printable(text) for name, text in evidence.items()}


_USAGE = tuple(Usage.__dataclass_fields__)


def _sound_usage(usage: Usage) -> Usage:
    changed: dict[str, Any] = {}
    for name in _USAGE:
        given = getattr(usage, name)
        if given is not None and (found := _measured(name, given)) is not given:
            changed[name] = found
    return replace(usage, **changed) if changed else usage


def _sound_said(said: Said) -> Said:
    match said:
        case Answer():
            return _sound_answer(said)
        case Bottom(reason, proposal, detail):
            _require_text("the reason of a Bottom", reason)
            said = Bottom(reason, proposal, _printable(detail))
            if proposal is None:
                return said
            if not isinstance(proposal, Answer):
                raise _breach(f"a Bottom proposes {type(proposal).__name__}, not an Answer")
            would = _sound_answer(proposal)
            return would if isinstance(would, Failed) else replace(said, proposal=would)
        case Failed(why, detail):
            _require_text("the why of a Failed", why)
            return Failed(why, _printable(detail))
        case Crash(error, detail):
            _require_text("the error of a Crash", error)
            return Crash(error, _printable(detail))
        case _:
            raise _breach(f"a reply says {type(said).__name__}")


def _sound_answer(answer: Answer) -> Answer | Failed:
    _require_text("what an Answer would decline with", answer.instead)
    if answer.value is None and answer.confidence is None and answer.scores == {}:
        return answer  # nothing is known but that it answered: most lines of a log
    confidence = None
    if answer.confidence is not None:
        confidence = _number("a confidence", answer.confidence)
    if not isinstance(answer.scores, Mapping):
        raise _breach(f"the scores of an Answer are {type(answer.scores).__name__}, no mapping")
    scores = {}
    for name, score in answer.scores.items():
        _require_text("the name of a score", name)
        scores[name] = _number("a score", score)
    numbers_said = [*scores.values(), *([] if confidence is None else [confidence])]
    if not all(map(math.isfinite, numbers_said)):
        return Failed("non_finite", "a confidence or a score")
    if confidence is not None and not 0.0 <= confidence <= 1.0:
        return Failed("bad_confidence", f"{confidence!r} is not in [0, 1]")
    return unsound(answer.value) or Answer(answer.value, confidence, scores, answer.instead)


def unsound(value: Json) -> Failed | None:
    """Return why a value cannot travel as JSON, or None."""
    found = _unsound_part(value, MAX_DEPTH)
    if found is None:
        try:
            msgspec.json.decode(msgspec.json.encode(value))
        except (TypeError, ValueError, OverflowError) as error:
            return Failed("not_json", _printable(str(error))[:200])
    return found


def _unsound_part(value: Json, depth: int) -> Failed | None:
    parts: list[Any] = []
    match value:
        case None | bool() | int() | str():
            return None
        case float():
            return None if math.isfinite(value) else Failed("non_finite", "the value")
        case list() | tuple():
            parts = list(value)
        case dict():
            if not all(isinstance(key, str) for key in value):
                return Failed("not_json", "a key that is not text")
            parts = list(value.values())
        case _:
            return Failed("not_json", f"{type(value).__name__} is not JSON")
    if depth == 0:
        return Failed("not_json", f"nested more than {MAX_DEPTH} deep")
    return next((bad for part in parts if (bad := _unsound_part(part, depth - 1))), None)


def _measured(name: str, value: Any) -> float | int:
    found = _number(f"usage.{name}", value)
    if not math.isfinite(found) or found < 0:
        raise _breach(f"usage.{name} is {value!r}; a measurement is finite and not negative")
    if name not in _COUNTS:
        return found
    if not found.is_integer():
        raise _breach(f"usage.{name} is {value!r}, which is no count")
    return int(value)


def _number(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _breach(f"{what} is {value!r}, not a number")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _require_text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise _breach(f"{what} is {value!r}, not text")
    if not value.isascii() and value != _printable(value):
        raise _breach(f"{what} holds half a surrogate pair: {value!r}")


def _printable(text: object) -> str:
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _breach(what: str) -> PluginError:
    return PluginError(
        what,
        hint="yield Reply(question.id, Answer(...)), Bottom(...) or Failed(...)",
        code="A402",
    )
