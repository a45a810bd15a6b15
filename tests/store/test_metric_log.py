"""Metric logs: what is written is read, what is damaged is named, a kill leaves whole lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, DataError
from assay.core.errors import SealError
from assay.logs import (
    PHASES,
    JsonlLogger,
    MetricRecord,
    line_of,
    metric_log_record,
    read_metric_log,
)
from assay.store.metric_log import record_of

NUMBERS = (
    st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


@st.composite
def records(draw: st.DrawFn) -> MetricRecord:
    return metric_log_record(
        draw(st.dictionaries(st.text(max_size=20), NUMBERS, max_size=4)),
        phase=draw(st.sampled_from(PHASES)),
        step=draw(st.none() | st.integers(0, 2**40)),
        context=draw(st.dictionaries(st.text(max_size=20), PLAIN, max_size=4)),
        record_type=draw(st.none() | st.text(min_size=1, max_size=20)),
    )


def log_of(path: Path, *losses: float) -> Path:
    with JsonlLogger(path, better={"loss": "lower"}) as log:
        for step, loss in enumerate(losses):
            log(metric_log_record({"loss": loss}, phase="train", step=step))
    return path


@given(records())
def test_a_record_is_read_as_it_was_written(record: MetricRecord) -> None:
    assert record_of(line_of(record), "x:1") == record


@given(records(), st.data())
def test_a_line_that_is_cut_anywhere_is_refused(record: MetricRecord, data: st.DataObject) -> None:
    line = line_of(record)
    with pytest.raises(AssayError) as caught:
        record_of(line[: data.draw(st.integers(0, len(line) - 1))], "x:1")
    assert (caught.value.code, caught.value.where) == ("A200", "x:1")


def test_lines_carry_the_schema_and_the_phase(tmp_path: Path) -> None:
    [line] = log_of(tmp_path / "a.jsonl", 0.5).read_text().splitlines()
    assert json.loads(line) == {
        "schema_name": "assay.metric-log",
        "schema_version": 1,
        "phase": "train",
        "record_type": "train",
        "step": 0,
        "context": {},
        "metrics": {"loss": 0.5},
        "better": {"loss": "lower"},
    }


def test_a_log_is_appended_to_and_an_unfinished_line_is_cut_off(tmp_path: Path) -> None:
    path = log_of(tmp_path / "a.jsonl", 0.5, 0.4)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        log_of(path, 0.3)
        losses = [r.metrics["loss"] for r in read_metric_log(path)]
        assert losses == [*[0.5, 0.4][: whole[:cut].count(b"\n")], 0.3]


@pytest.mark.parametrize("text", ["notes\n", "notes", '{"a": 1}\n', "[]\n"])
def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        JsonlLogger(path)
    assert caught.value.where == f"{path}:1"
    assert path.read_text() == text


DAMAGE = {
    "cut off": lambda line: line[:-9],
    "not JSON": lambda line: line.replace("{", "(", 1),
    "no record of a metric log": lambda line: line.replace("assay.metric-log", "other"),
    "Invalid enum value 'tran'": lambda line: line.replace('"train"', '"tran"', 1),
    "unknown field `stepp`": lambda line: line.replace('"step"', '"stepp"'),
    "Expected `int | float | null`, got `str`": lambda line: line.replace("0.4", '"0.4"'),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_line_is_named(tmp_path: Path, what: str) -> None:
    path = log_of(tmp_path / "a.jsonl", 0.5, 0.4)
    first, second = path.read_text().splitlines()
    ending = "" if what == "cut off" else "\n"
    path.write_text(f"{first}\n{DAMAGE[what](second)}{ending}")
    read = read_metric_log(path)
    assert next(read).metrics["loss"] == 0.5
    with pytest.raises(DataError) as caught:
        next(read)
    assert caught.value.where == f"{path}:2"
    assert what in caught.value.what


@pytest.mark.parametrize("version", ["2", "0", "null", "true", '"1"'])
def test_another_schema_version_has_its_own_code(tmp_path: Path, version: str) -> None:
    path = log_of(tmp_path / "a.jsonl", 0.5)
    path.write_text(path.read_text().replace('"schema_version":1', f'"schema_version":{version}'))
    for opens in (lambda: list(read_metric_log(path)), lambda: JsonlLogger(path)):
        with pytest.raises(SealError) as caught:
            opens()
        assert (caught.value.code, caught.value.where) == ("A302", f"{path}:1")


@pytest.mark.parametrize("text", [None, b""])
def test_a_log_that_is_not_there_or_empty_is_said_to_be(tmp_path: Path, text: bytes | None) -> None:
    path = tmp_path / "a.jsonl"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(DataError):
        list(read_metric_log(path))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.5", [1.0]])
def test_what_is_no_number_is_not_logged(value: object) -> None:
    with pytest.raises(DataError) as caught:
        metric_log_record({"loss": value}, phase="train")
    assert caught.value.code == "A202"


@pytest.mark.parametrize(
    "wrong",
    [{"phase": "test"}, {"step": -1}, {"step": 1.0}, {"step": True}, {"context": {"a": [1]}}],
)
def test_a_record_of_an_unknown_kind_is_refused(wrong: dict) -> None:
    with pytest.raises(DataError) as caught:
        metric_log_record({"loss": 1.0}, **{"phase": "train", **wrong})
    assert caught.value.code == "A200"


ENDLESS = """
import sys
from assay.logs import JsonlLogger, metric_log_record
log = JsonlLogger(sys.argv[1])
for step in range(10**9):
    log(metric_log_record({"loss": 1.0 / (1 + step)}, phase="train", step=step, context={"a": "b" * 900}))
    if step == 200:
        print("begun", flush=True)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    child = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"begun\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    steps = [record.step for record in read_metric_log(path)]
    assert steps == list(range(len(steps)))
    assert len(steps) > 200


def test_a_full_disk_leaves_whole_lines_and_says_so(tmp_path: Path) -> None:
    import resource

    path = log_of(tmp_path / "a.jsonl", 0.5)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = JsonlLogger(path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 40, hard))
        with pytest.raises(AssayError) as caught:
            log(metric_log_record({"loss": 0.4}, phase="train", step=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
        log.close()
    assert caught.value.code == "A500"
    assert path.read_bytes() == before


def test_numbers_of_other_libraries_are_numbers(tmp_path: Path) -> None:
    with JsonlLogger(tmp_path / "log.jsonl") as log:
        for step in np.arange(2):
            log(
                metric_log_record(
                    {"loss": np.float32(0.5)},
                    phase="train",
                    step=step,
                    context={"seed": np.int64(3), "rate": np.float32(0.25)},
                )
            )
    found = list(read_metric_log(tmp_path / "log.jsonl"))
    assert [record.step for record in found] == [0, 1]
    assert found[0].context == {"seed": 3, "rate": 0.25}


@pytest.mark.parametrize(
    "wrong",
    [{"metrics": {1: 0.5}}, {"record_type": 3}, {"step": np.array([1, 2])}, {"step": np.bool_(1)}],
)
def test_nothing_is_made_that_no_reader_would_take(wrong: dict) -> None:
    with pytest.raises(DataError, match="A200"):
        metric_log_record(**{"metrics": {}, "phase": "train", **wrong})


def test_a_log_says_better_only_as_its_readers_know_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with pytest.raises(DataError, match="say 'higher' or 'lower'"):
        JsonlLogger(path, better={"loss": "smaller"})  # type: ignore[dict-item]
    with JsonlLogger(path) as log, pytest.raises(DataError, match="metric_log_record"):
        log({"loss": 0.5})  # type: ignore[arg-type]


def test_nobody_is_told_to_cut_lines_out_of_a_file_that_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("Chapter one.\n")
    for use in (JsonlLogger, lambda p: list(read_metric_log(p))):
        with pytest.raises(DataError) as caught:
            use(path)
        assert "remove" not in caught.value.hint
