"""Errors say what, where and what to try, also on the other side of a pipe."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import (
    CODES,
    AssayError,
    DataError,
    PlanError,
    PluginError,
    RunError,
    SealError,
)
from assay.engine.wire import decode_message, encode, pack_error, unpack_error
from strategies import any_texts, texts

KINDS = (AssayError, PlanError, DataError, SealError, PluginError, RunError)
CENTURY = {"A0": AssayError, "A1": PlanError, "A2": DataError, "A3": SealError, "A4": PluginError}


@given(
    kind=st.sampled_from(KINDS),
    what=any_texts(),
    where=any_texts(),
    hint=any_texts(),
    code=st.sampled_from(["", *CODES]),
)
def test_an_error_is_the_same_after_pickling_and_copying(
    kind: Any, what: str, where: str, hint: str, code: str
) -> None:
    error = kind(what, where=where, hint=hint, code=code)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert (twin.code, twin.what, twin.where, twin.hint) == (error.code, what, where, hint)


@given(what=any_texts(), where=any_texts(), hint=any_texts())
def test_what_a_traceback_shows_of_an_error_drives_no_terminal(
    what: str, where: str, hint: str
) -> None:
    shown = str(DataError(what, where=where, hint=hint))
    joined = shown.replace("\n", "").replace("\xa0", "").replace("\u200c", "").replace("\u200d", "")
    assert joined.isprintable()
    assert str(DataError("\x1b[2J\u202e", where="a")) == "A200 \\x1b[2J\\u202e\n  at: a"


@given(kind=st.sampled_from(KINDS[1:]), what=texts(), where=texts(), hint=texts())
def test_an_error_of_a_worker_arrives_as_what_it_was(
    kind: Any, what: str, where: str, hint: str
) -> None:
    error = kind(what, where=where, hint=hint)
    sent = encode({"error": pack_error(error)})
    wrong = decode_message(sent).error
    assert wrong is not None
    arrived = unpack_error(wrong)
    assert type(arrived) is kind
    assert str(arrived) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_code_of_a_kind_is_listed(kind: type[AssayError]) -> None:
    assert kind.default in CODES
    assert kind("x").code == kind.default


def test_an_error_prints_its_code_its_place_and_what_to_try() -> None:
    error = PlanError("no task is called 'x'", where="p.yaml:3", hint="did you mean 'y'?")
    lines = str(error).splitlines()
    assert lines == ["A100 no task is called 'x'", "  at: p.yaml:3", "  try: did you mean 'y'?"]


def test_an_error_without_place_or_hint_is_one_line() -> None:
    assert str(RunError("the disk is full")) == "A500 the disk is full"


def test_codes_are_sorted_and_their_centuries_are_the_kinds() -> None:
    assert list(CODES) == sorted(CODES)
    for code in CODES:
        kind = CENTURY.get(code[:2], RunError)
        assert kind.default[:2] == code[:2]


def test_our_own_faults_end_with_three_and_yours_with_two() -> None:
    assert {kind.exit_code for kind in KINDS} == {2, 3}
    assert RunError.exit_code == 3
    full = AssayError("the cache cannot be written", code="A500")  # as a family says it
    assert full.exit_code == unpack_error(pack_error(full)).exit_code == 3
    assert AssayError("of assay's own").exit_code == 2
