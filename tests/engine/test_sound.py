"""A reply is recorded as it is, is a failure, or is no reply at all."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Crash, Failed, Reply, Usage
from assay.core.errors import PluginError
from assay.engine.sound import MAX_DEPTH, sound
from assay.engine.wire import decode_message, encode, pack_reply, unpack_reply
from strategies import any_texts, json_values, replies, texts


class Action(StrEnum):
    SWAP = "swap"


def said(value: Any) -> Any:
    return sound(Reply("q", value)).said


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@given(reply=replies())
def test_a_sound_reply_stays_as_it_is(reply: Reply) -> None:
    assert sound(reply) == reply


@given(reply=replies())
def test_a_sound_reply_crosses_the_pipe(reply: Reply) -> None:
    made = sound(reply)
    line = encode({"reply": pack_reply(made, made.usage)})
    assert b"\n" not in line
    heard = decode_message(line).reply
    assert heard is not None
    assert unpack_reply(heard) == reply


@given(value=json_values() | any_texts(), confidence=st.none() | st.floats())
def test_whatever_is_said_becomes_sound_or_failed(value: Any, confidence: float | None) -> None:
    found = said(Answer(value, confidence))
    assert isinstance(found, Answer | Failed)
    assert sound(Reply("q", found)).said == found
    msgspec.json.encode(pack_reply(Reply("q", found), Usage()))


UNSOUND = {
    "nan": (Answer(math.nan), "non_finite"),
    "infinity": (Answer(math.inf), "non_finite"),
    "nan in a list": (Answer([1, {"x": -math.inf}]), "non_finite"),
    "nan for confidence": (Answer("x", math.nan), "non_finite"),
    "infinity for a score": (Answer("x", 0.5, {"x": math.inf}), "non_finite"),
    "numpy's nan for a score": (Answer("x", 0.5, {"x": np.float32("nan")}), "non_finite"),
    "an endless integer for confidence": (Answer("x", 10**400), "non_finite"),
    "confidence above one": (Answer("x", 1.0000001), "bad_confidence"),
    "confidence below zero": (Answer("x", -0.1), "bad_confidence"),
    "confidence of two": (Answer("x", 2), "bad_confidence"),
    "a set": (Answer({1, 2}), "not_json"),  # type: ignore[arg-type]
    "bytes": (Answer(b"x"), "not_json"),
    "a date": (Answer(datetime(2026, 1, 1, tzinfo=UTC)), "not_json"),  # type: ignore[arg-type]
    "a decimal": (Answer(Decimal("0.1")), "not_json"),  # type: ignore[arg-type]
    "an object": (Answer(object()), "not_json"),  # type: ignore[arg-type]
    "a reply in a reply": (Answer(Answer("x")), "not_json"),  # type: ignore[arg-type]
    "an array": (Answer(np.zeros(3)), "not_json"),  # type: ignore[arg-type]
    "a number of numpy": (Answer(np.float64(0.5)), "not_json"),
    "a number as a key": (Answer({1: "x"}), "not_json"),  # type: ignore[dict-item]
    "half a surrogate pair": (Answer("\ud800"), "not_json"),
    "half a surrogate pair as a key": (Answer({"\udfff": 1}), "not_json"),
    "lists in lists": (Answer(nested(MAX_DEPTH + 1)), "not_json"),
    "lists in lists without end": (Answer(nested(50_000)), "not_json"),
    "an integer of five thousand digits": (Answer(10**5000), "not_json"),
    "an unsure proposal": (Bottom("no", Answer("x", 1.5)), "bad_confidence"),
    "a proposal that is nan": (Bottom("no", Answer(math.nan)), "non_finite"),
    "a proposal that is a set": (Bottom("no", Answer({1})), "not_json"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", UNSOUND)
def test_what_cannot_be_recorded_is_the_systems_failure(case: str) -> None:
    value, why = UNSOUND[case]
    found = said(value)
    assert isinstance(found, Failed)
    assert found.why == why
    assert found.detail


def test_numbers_of_numpy_beside_a_value_become_plain() -> None:
    found = said(Answer("x", np.float32(0.25), {"x": np.int64(3)}))
    assert found == Answer("x", 0.25, {"x": 3.0})
    assert type(found.confidence) is float
    usage = sound(Reply("q", Answer("x"), Usage(busy_s=np.float64(1), tokens_in=np.int32(2)))).usage
    assert (type(usage.busy_s), type(usage.tokens_in)) == (float, int)


def test_depth_has_a_limit_that_nobody_needs() -> None:
    assert said(Answer(nested(MAX_DEPTH))) == Answer(nested(MAX_DEPTH))


def test_a_word_of_an_enumeration_is_a_word() -> None:
    assert said(Answer(Action.SWAP)) == Answer("swap")


@given(detail=any_texts())
def test_prose_is_mended_and_never_fails(detail: str) -> None:
    assert isinstance(said(Failed("died", detail)), Failed)
    assert isinstance(said(Crash("machine", detail)), Crash)
    encode(pack_reply(sound(Reply("q", Failed("died", detail))), Usage()))


BREACHES = {
    "nothing": None,
    "text": "swap",
    "a pair": ("q", Answer("swap")),
    "no question": Reply(None, Answer("x")),  # type: ignore[arg-type]
    "a list for a question": Reply(["q"], Answer("x")),  # type: ignore[arg-type]
    "half a pair for a question": Reply("\ud800", Answer("x")),
    "an attempt of text": Reply("q", Answer("x"), attempt="1"),  # type: ignore[arg-type]
    "nothing said": Reply("q", None),  # type: ignore[arg-type]
    "text said": Reply("q", "swap"),  # type: ignore[arg-type]
    "a reason that is no text": Reply("q", Bottom(7)),  # type: ignore[arg-type]
    "half a pair for a reason": Reply("q", Bottom("\ud800")),
    "a proposal that is text": Reply("q", Bottom("no", "swap")),  # type: ignore[arg-type]
    "a why that is no text": Reply("q", Failed(None)),  # type: ignore[arg-type]
    "an error that is no text": Reply("q", Crash(OSError())),  # type: ignore[arg-type]
    "confidence of text": Reply("q", Answer("x", "high")),  # type: ignore[arg-type]
    "confidence of truth": Reply("q", Answer("x", True)),
    "scores in a list": Reply("q", Answer("x", 0.5, [1.0])),  # type: ignore[arg-type]
    "scores by number": Reply("q", Answer("x", 0.5, {1: 1.0})),  # type: ignore[dict-item]
    "a score of text": Reply("q", Answer("x", 0.5, {"x": "1"})),  # type: ignore[dict-item]
    "usage of text": Reply("q", Answer("x"), "fast"),  # type: ignore[arg-type]
    "seconds of text": Reply("q", Answer("x"), Usage(busy_s="1")),  # type: ignore[arg-type]
    "seconds that are nan": Reply("q", Answer("x"), Usage(busy_s=math.nan)),
    "seconds below zero": Reply("q", Answer("x"), Usage(latency_s=-1.0)),
    "half a token": Reply("q", Answer("x"), Usage(tokens_in=1.5)),  # type: ignore[arg-type]
    "tokens without end": Reply("q", Answer("x"), Usage(tokens_out=math.inf)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", BREACHES)
def test_what_is_no_reply_breaks_the_contract(case: str) -> None:
    with pytest.raises(PluginError) as caught:
        sound(BREACHES[case])
    assert caught.value.code == "A402"
    assert caught.value.hint
    str(caught.value).encode()  # it crosses the pipe


@given(reason=texts(), confidence=st.floats(0, 1))
def test_a_decline_keeps_what_would_have_been_said(reason: str, confidence: float) -> None:
    would = Answer("x", confidence)
    assert said(Bottom(reason, would)) == Bottom(reason, would)
