"""Logs that promptfoo wrote itself: what assay reads of them is what they say, or less, never more."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import AssayError, DataError
from assay.core.reply import Answer, Crash
from assay.engine.foreign import Row, open_log
from assay.publish.interop.settings import Choice
from assay.publish.interop.take import Taken, take_in
from assay.publish.verify import verify
from assay.store.journal import read_lines
from assay.store.samples import read_samples
from assay.store.seal import journals

LOGS = Path(__file__).parents[1] / "data" / "imports" / "promptfoo"
SUMS = json.loads((LOGS / "sums.json").read_text("utf-8"))
LINES = (LOGS / "prompts.jsonl").read_text("utf-8").splitlines()


def taken(path: Path, out: Path, **options: str) -> Taken:
    return take_in(open_log("promptfoo", path, options), path, out=out, choice=Choice())


@pytest.fixture(scope="module")
def sums(tmp_path_factory) -> Taken:
    return taken(LOGS / "sums.json", tmp_path_factory.mktemp("sums") / "r")


@pytest.fixture(scope="module")
def prompts(tmp_path_factory) -> Taken:
    return taken(LOGS / "prompts.jsonl", tmp_path_factory.mktemp("prompts") / "r")


def rows(path: Path, **options: str) -> list[Row]:
    return list(open_log("promptfoo", path, options).rows())


def write(folder: Path, log: object) -> Path:
    path = folder / "log.json"
    path.write_text(json.dumps(log), "utf-8")
    return path


def test_pass_rates_and_scores_are_those_of_the_tool(sums):
    run, path = sums.run, LOGS / "sums.json"
    assert verify(run.path) == []
    for column in SUMS["results"]["prompts"]:
        told, system = column["metrics"], column["provider"]
        right = run.estimate("accuracy", system)
        assert right.n == told["testPassCount"] + told["testFailCount"] == 20
        assert right.value == pytest.approx(told["testPassCount"] / 20)
        checks = [check.scores for cell, _, _, check in rows(path) if cell.system == system]
        for name in ("exact", "is_number"):
            mean = told["namedScores"][name] / told["namedScoreWeights"][name]
            assert sum(scores[name] for scores in checks) / 20 == pytest.approx(mean)


def test_a_named_metric_of_weight_0_was_not_measured_and_is_not_0():
    said = SUMS["results"]["results"][0]
    assert said["namedScores"]["short"] == 0
    assert said["gradingResult"]["componentResults"][2]["score"] == 1
    checks = [check for *_, check in rows(LOGS / "sums.json")]
    assert {tuple(check.scores) for check in checks} == {("score", "exact", "is_number")}


def test_what_was_not_counted_is_unknown_and_what_was_counted_is_kept(sums):
    spent = {
        path.parent.name: {
            (line.usage.tokens_in, line.usage.tokens_out, line.usage.billed_usd)
            for line in read_lines(path)
        }
        for path in journals(sums.run.dir)
    }
    assert spent == {
        "adder": {(9, 3, 0.00002)},
        "guesser": {(None, None, None)},
        "silent": {(None, None, None)},
    }


def test_every_prompt_is_a_system_and_every_repeat_a_seed(prompts):
    assert verify(prompts.run.path) == []
    cells = {(path.parent.name, path.name) for path in journals(prompts.run.dir)}
    names = {
        f"{provider}-{prompt}"
        for provider in ("fixture-add", "echo")
        for prompt in ("What-is-a-+-b", "a-+-b")
    }
    assert cells - {("silent", "0-test.jsonl")} == {
        (name, f"{seed}-test.jsonl") for name in names for seed in (0, 1)
    }


def test_errors_and_tests_without_assertions_were_not_observed_and_no_output_is_a_failure(prompts):
    made = prompts
    [path] = [p for p in journals(made.run.dir) if "fixture-add-a-+-b/0-test" in str(p)]
    lines = [line.decided for line in read_lines(path)]
    assert Counter(line.outcome for line in lines) == {"crashed": 2, "failed": 1, "wrong": 1}
    assert not made.run.results.cases["prompts"].tables["fixture-add-a-+-b"].complete
    [note] = [note for note in made.notes if "no assertion" in note]
    assert note.startswith("8 results")


def test_the_right_answer_is_what_the_one_assertion_of_equality_names(prompts):
    samples = read_samples(prompts.run.dir.samples("prompts", "test"))
    assert {s.input["a"]: s.target.value for s in samples} == {5: "8", 12: "15", 13: "16", 2: None}


def test_tests_are_paired_by_what_they_ask_wherever_they_stand(tmp_path):
    for system in ("adder", "guesser"):
        half = copy.deepcopy(SUMS)
        results = half["results"]
        results["results"] = [r for r in results["results"] if r["provider"]["label"] == system]
        results["results"] = results["results"][:: -1 if system == "adder" else 1]
        (tmp_path / f"{system}.json").write_text(json.dumps(half))
    apart = {(row[0], row[1].id): row[1:] for row in rows(tmp_path)}
    whole = {(row[0], row[1].id): row[1:] for row in rows(LOGS / "sums.json")}
    assert apart == whole
    assert len(whole) == 40


def test_tests_that_share_a_key_are_one_group():
    assert len({sample.cluster for _, sample, *_ in rows(LOGS / "sums.json")}) == 20
    assert len({sample.cluster for _, sample, *_ in rows(LOGS / "sums.json", group="ends")}) == 10
    with pytest.raises(DataError, match="no 'starts' in its metadata or vars"):
        rows(LOGS / "sums.json", group="starts")


def test_a_reply_from_the_cache_has_neither_time_nor_cost(tmp_path):
    log = copy.deepcopy(SUMS)
    for row in log["results"]["results"]:
        row["response"]["cached"] = True
    opened = open_log("promptfoo", write(tmp_path, log), {})
    spent = [reply.usage for _, _, reply, _ in opened.rows()]
    assert {(usage.latency_s, usage.billed_usd) for usage in spent} == {(None, None)}
    assert opened.notes == [
        "40 replies came from promptfoo's cache: their time and cost are left out"
    ]


def test_a_grader_that_broke_says_nothing_of_the_answer(tmp_path):
    log = copy.deepcopy(SUMS)
    graded = log["results"]["results"][0]["gradingResult"]["componentResults"]
    graded[0]["metadata"] = {"graderError": True}
    said = [reply.said for _, _, reply, _ in rows(write(tmp_path, log))]
    assert [type(one) for one in said] == [Crash, *[Answer] * 39]


def test_results_of_another_version_say_how_to_write_them_again(tmp_path):
    log = {**SUMS, "results": {**SUMS["results"], "version": 2}}
    with pytest.raises(DataError, match="results of version 2, not 3"):
        rows(write(tmp_path, log))


PLACES = [
    ("success",), ("score",), ("latencyMs",), ("failureReason",), ("vars",), ("provider",),
    ("prompt",), ("prompt", "label"), ("testCase",), ("testCase", "vars"), ("testCase", "assert"),
    ("testCase", "assert", 0), ("testCase", "metadata"), ("response",), ("response", "output"),
    ("response", "cost"), ("response", "cached"), ("response", "tokenUsage"),
    ("response", "tokenUsage", "prompt"), ("namedScores",), ("namedScores", "exact"),
    ("gradingResult",), ("gradingResult", "componentResults"),
    ("gradingResult", "componentResults", 0), ("gradingResult", "namedScoreWeights"),
]  # fmt: skip
"""Where a result may hold something else than promptfoo writes."""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_a_result_that_holds_anything_is_read_or_refused_with_its_place(
    tmp_path_factory, place, value
):
    row = json.loads(LINES[0])
    inner = row
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_text(json.dumps(row) + "\n", "utf-8")
    try:
        rows(path)
    except AssayError as error:
        told = error
    else:
        return
    assert told.code == "A200"
    assert f"{path}:1" in told.where
    assert told.hint


def test_a_system_that_costs_nothing_stands_in_a_report_beside_one_that_does(tmp_path):
    # Right answers per dollar have no order beside one that costs nothing: the report says so.
    log = copy.deepcopy(SUMS)
    for row in log["results"]["results"]:
        row["response"]["cost"] = 0.00002 if row["provider"]["label"] == "adder" else 0
    run = taken(write(tmp_path, log), tmp_path / "r").run
    assert verify(run.path) == []
    assert run.estimate("reported_usd_per_1k", "guesser").value == 0.0
