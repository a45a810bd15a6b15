"""Logs that were edited, or that hold more than right and wrong, come out as what they say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import DataError
from assay.engine.foreign import open_log
from assay.publish.gate import gate
from assay.publish.interop.settings import Choice
from assay.publish.interop.take import Taken, take_in

LOGS = Path(__file__).parents[1] / "data" / "imports"
SYSTEM = {"inspect": "mockllm-guesser", "helm": "simple-model1", "lm-eval": "fixture-adder"}


def taken(kind: str, path: Path, out: Path, **options: str) -> Taken:
    return take_in(open_log(kind, path, options), path, out=out, choice=Choice())


def edited(path: Path, change: Callable[[Any], object]) -> None:
    value = json.loads(path.read_text("utf-8"))
    change(value)
    path.write_text(json.dumps(value), "utf-8")


def edited_lines(path: Path, change: Callable[[int, Any], object]) -> None:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for i, line in enumerate(lines):
        change(i, line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def a_log(kind: str, folder: Path) -> Path:
    """Return a copy of a log of one system."""
    path = folder / "log"
    names = {"lm-eval": "adder", "helm": "simple_model1", "eee": "sums_mc"}
    if kind in names:
        return Path(shutil.copytree(LOGS / kind / names[kind], path))
    path.mkdir(parents=True)
    name = {"inspect": "guesser.json", "promptfoo": "sums.json"}[kind]
    return Path(shutil.copy(LOGS / kind / name, path))


def inspect_scores(log: Any, values: list[Any], name: str = "match") -> None:
    for i, sample in enumerate(log["samples"]):
        sample["scores"] = {name: {"value": values[i % len(values)], "answer": "x"}}


def helm_stat(rows: Any, values: list[float], name: str = "exact_match") -> None:
    for i, row in enumerate(rows):
        [stat] = [s for s in row["stats"] if s["name"]["name"] == name]
        stat["mean"] = values[i % len(values)]


# --- a share of right and wrong -------------------------------------------------------------------


def test_a_task_with_partial_credit_has_the_mean_of_the_log_and_not_the_share_of_what_is_perfect(
    tmp_path,
):
    inspect = a_log("inspect", tmp_path / "i")
    edited(inspect, lambda log: inspect_scores(log, ["C", "P", "N"]))
    run = taken("inspect", inspect, tmp_path / "a").run
    assert run.estimate("match", SYSTEM["inspect"]).value == pytest.approx(0.5)
    assert run.results.cases["sums"].headline.name == "match"

    helm = a_log("helm", tmp_path / "h")
    edited(helm / "per_instance_stats.json", lambda rows: helm_stat(rows, [0, 1, 0.8]))
    run = taken("helm", helm, tmp_path / "b").run
    assert run.estimate("exact_match", SYSTEM["helm"]).value == pytest.approx(0.6)

    log = a_log("lm-eval", tmp_path / "l")
    [file] = log.rglob("samples_sums_mc*")
    edited_lines(file, lambda i, line: line.update(acc=[0, 1, 0.5, 0.9][i % 4]))
    run = taken("lm-eval", log, tmp_path / "c").run
    assert run.estimate("acc", SYSTEM["lm-eval"], task="sums_mc").value == pytest.approx(0.6)


def test_where_one_system_is_scored_on_a_task_all_are(tmp_path):
    first, second = a_log("eee", tmp_path), tmp_path / "log" / "other"
    shutil.copytree(first / "fixture" / "adder", second)
    for file in second.glob("*.json"):
        edited(file, lambda v: v["model_info"].update(id="other/one"))
        edited(file, lambda v: v["detailed_evaluation_results"].update(checksum=None))
    for file in second.glob("*.jsonl"):
        edited_lines(file, lambda i, line: line["evaluation"].update(score=[1, 1, 0.5, 0.5][i % 4]))
    run = taken("eee", first, tmp_path / "r").run
    [metric] = {
        case.headline.name for task, case in run.results.cases.items() if task == "sums_mc-acc"
    }
    assert metric == "reported_accuracy"
    assert run.estimate(metric, "fixture-adder", task="sums_mc-acc").value == pytest.approx(0.85)
    assert run.estimate(metric, "other-one", task="sums_mc-acc").value == pytest.approx(0.75)


def test_what_inspect_ai_counts_as_a_number_is_that_number(tmp_path):
    log = a_log("inspect", tmp_path)
    edited(log, lambda value: inspect_scores(value, ["yes", "No", "1", "0", "true", "1.0"]))
    run = taken("inspect", log, tmp_path / "r").run
    assert run.estimate("accuracy", SYSTEM["inspect"]).value == pytest.approx(4 / 6)


def test_a_scorer_that_gave_no_answer_beside_another_counts_as_it_does_in_inspect_ai(tmp_path):
    log = a_log("inspect", tmp_path)

    def none(value: Any) -> None:
        for sample in value["samples"]:
            if sample["scores"]["includes"]["value"] == "I":
                sample["scores"]["includes"]["value"] = "N"

    edited(log, none)
    run = taken("inspect", log, tmp_path / "r").run
    assert run.estimate("includes", SYSTEM["inspect"]).value == pytest.approx(0.5)


def test_systems_are_compared_by_one_metric_though_their_logs_name_another_first(tmp_path):
    log = a_log("inspect", tmp_path)
    other = Path(shutil.copy(log, log.with_name("other.json")))

    def turned(value: Any) -> None:
        value["eval"]["model"] = "other"
        for sample in value["samples"]:
            scores = sample["scores"]
            scores["includes"]["value"] = "C"
            sample["scores"] = {"includes": scores["includes"], "match": scores["match"]}

    edited(other, turned)
    run = taken("inspect", log.parent, tmp_path / "r").run
    assert run.estimate("accuracy", "other").value == pytest.approx(0.5)
    helm = Path(shutil.copytree(LOGS / "helm", tmp_path / "h"))

    def without(rows: Any) -> None:
        for row in rows:
            row["stats"] = [s for s in row["stats"] if s["name"]["name"] != "exact_match"]

    edited(helm / "simple_model1" / "per_instance_stats.json", without)
    with pytest.raises(DataError, match="no exact_match") as caught:
        taken("helm", helm, tmp_path / "s")
    assert "--set metric=" in str(caught.value)


def test_systems_are_compared_by_one_filter_though_a_log_lists_another_first(tmp_path):
    log = Path(shutil.copytree(LOGS / "lm-eval", tmp_path / "log"))
    [file] = (log / "dummy").rglob("samples_digits_gen*")
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(sorted(lines, key=lambda line: json.loads(line)["filter"])))  # digit
    both = taken("lm-eval", log, tmp_path / "a").run
    there = taken("lm-eval", LOGS / "lm-eval", tmp_path / "b").run
    for system in ("dummy", "fixture-adder"):
        values = [
            one.estimate("accuracy", system, task="digits_gen").value for one in (both, there)
        ]
        assert values[0] == values[1]
    file.write_text("".join(line for line in lines if json.loads(line)["filter"] == "digit"))
    [other] = (log / "adder").rglob("samples_digits_gen*")
    lines = other.read_text().splitlines(keepends=True)
    other.write_text("".join(line for line in lines if json.loads(line)["filter"] == "first"))
    with pytest.raises(DataError, match="is of the filter 'first'"):
        taken("lm-eval", log, tmp_path / "c")


def test_a_mean_of_another_filter_is_not_held_against_the_samples(tmp_path):
    log = a_log("lm-eval", tmp_path)
    for file in log.rglob("results_*"):

        def turned(value: Any) -> None:
            found = value["results"]["digits_gen"]
            value["results"]["digits_gen"] = dict(reversed(list(found.items())))

        edited(file, turned)
    assert not any("results say" in n for n in taken("lm-eval", log, tmp_path / "r").notes)


def test_of_two_splits_of_helm_the_one_that_it_reports_is_taken(tmp_path):
    log = a_log("helm", tmp_path)

    def half(rows: Any) -> None:
        helm_stat(rows, [1, 0])
        for row in rows[1::2]:
            for stat in row["stats"]:
                stat["name"]["split"] = "valid"

    edited(log / "per_instance_stats.json", half)
    made = taken("helm", log, tmp_path / "r")
    assert made.run.estimate("accuracy", SYSTEM["helm"]).value == 1.0
    assert made.run.estimate("accuracy", SYSTEM["helm"]).n == 3
    assert any("3 instances of the split 'valid' are left out" in note for note in made.notes)
    valid = taken("helm", log, tmp_path / "v", split="valid").run
    assert valid.estimate("accuracy", SYSTEM["helm"]).value == 0.0
    for file in log.glob("*.json"):
        file.write_text(file.read_text().replace('"split": "test"', '"split": "valid"'))
    (log / "per_instance_stats.json").unlink()
    assert taken("helm", log, tmp_path / "n").published > 0


# --- which way is good, and what it is called -----------------------------------------------------


def test_a_score_that_is_better_low_in_one_task_is_better_high_in_another(tmp_path):
    log = a_log("lm-eval", tmp_path)
    for file in log.rglob("results_*"):
        better = {"sums_mc": {"acc_norm": False}, "digits_gen": {"acc_norm": True}}
        edited(file, lambda value, better=better: value.update(higher_is_better=better))
    for file in log.rglob("samples_digits_gen*"):
        edited_lines(file, lambda i, line: line.update(acc_norm=i / 99, metrics=["exact_match", "acc_norm"]))  # fmt: skip
    run = taken("lm-eval", log, tmp_path / "r").run
    for task, better in (("sums_mc", "lower"), ("digits_gen", "higher")):
        assert run.results.cases[task].metrics["acc_norm"].better.value == better


def test_two_runs_that_say_otherwise_which_way_is_good_are_not_compared(tmp_path):
    runs = []
    for name, higher in (("a", True), ("b", False)):
        log = a_log("lm-eval", tmp_path / name)
        for file in log.rglob("results_*"):
            edited(
                file,
                lambda value, higher=higher: value.update(
                    higher_is_better={"sums_mc": {"acc_norm": higher}}
                ),
            )
        runs.append(taken("lm-eval", log, tmp_path / "runs" / name).run)
    with pytest.raises(DataError, match="acc_norm of sums_mc is better lower in one run") as caught:
        gate(runs[1], runs[0])
    assert caught.value.code == "A203"
    assert gate(runs[0], runs[0]).passes


def test_an_instance_that_names_no_result_is_of_the_only_one_and_lower_stays_lower(tmp_path):
    log = a_log("eee", tmp_path)

    def one(value: Any) -> None:
        value["evaluation_results"] = [value["evaluation_results"][0]]
        value["evaluation_results"][0]["metric_config"]["lower_is_better"] = True
        value["detailed_evaluation_results"]["checksum"] = None

    [file], [lines] = log.rglob("*.json"), log.rglob("*.jsonl")
    edited(file, one)
    name = json.loads(file.read_text())["evaluation_results"][0]["evaluation_name"]
    kept = [json.loads(line) for line in lines.read_text().splitlines()]
    kept = [line for line in kept if line["evaluation_name"] == name][:20]
    for i, line in enumerate(kept):
        del line["evaluation_result_id"]
        line["sample_id"], line["evaluation"]["score"] = str(i), i / 40
    lines.write_text("".join(json.dumps(line) + "\n" for line in kept))
    made = taken("eee", log, tmp_path / "r")
    [case] = made.run.results.cases.values()
    assert made.published == 0
    assert case.headline.better.value == "lower"


def test_a_score_that_is_called_as_one_of_ours_is_kept_under_another_name(tmp_path):
    log = a_log("inspect", tmp_path)
    edited(log, lambda value: inspect_scores(value, [0.2, 0.4], "accuracy"))
    made = taken("inspect", log, tmp_path / "r")
    assert made.run.estimate("reported_accuracy", SYSTEM["inspect"]).value == pytest.approx(0.3)
    assert "'accuracy' is called reported_accuracy" in made.notes

    def clash(value: Any) -> None:
        for sample in value["samples"]:
            sample["scores"]["reported_accuracy"] = {"value": 0.9}

    edited(log, clash)
    with pytest.raises(DataError, match="two scores would be called"):
        taken("inspect", log, tmp_path / "s")


def test_two_columns_of_one_name_are_two_systems_and_not_two_seeds(tmp_path):
    log = a_log("promptfoo", tmp_path)

    def same(value: Any) -> None:
        for result in value["results"]["results"]:
            result["provider"] = {"id": "one", "label": "one"}

    edited(log, same)
    run = taken("promptfoo", log, tmp_path / "r").run
    told = json.loads(log.read_text())["results"]["prompts"]
    assert [run.estimate("accuracy", f"one-{i + 1}").value for i in range(2)] == [
        pytest.approx(column["metrics"]["testPassCount"] / 20) for column in told
    ]
    assert list(run.manifest.seeds) == [0]


# --- what the log says of itself ------------------------------------------------------------------


def test_a_log_whose_own_number_is_not_that_of_its_records_is_told(tmp_path):
    def first_wrong(value: Any) -> None:
        value["samples"][0]["scores"]["match"]["value"] = "I"

    inspect = a_log("inspect", tmp_path / "i")
    assert not any("the results say" in n for n in taken("inspect", inspect, tmp_path / "0").notes)
    edited(inspect, first_wrong)
    [note] = [n for n in taken("inspect", inspect, tmp_path / "a").notes if "results say" in n]
    assert (
        note == "sums, mockllm/guesser: the results say accuracy 0.5, the samples come to 0.416667"
    )

    helm = a_log("helm", tmp_path / "h")
    edited(helm / "per_instance_stats.json", lambda rows: helm_stat(rows, [1, 0, 0, 0, 0, 0]))
    notes = taken("helm", helm, tmp_path / "b").notes
    assert any("results say exact_match 0, the samples come to 0.166667" in n for n in notes)

    promptfoo = a_log("promptfoo", tmp_path / "p")
    edited(promptfoo, lambda value: value["results"]["stats"].update(successes=30))
    notes = taken("promptfoo", promptfoo, tmp_path / "c").notes
    assert any("it says that 30 tests passed, and 19 of its results did" in n for n in notes)

    eee = a_log("eee", tmp_path / "e")
    [file], [lines] = eee.rglob("*.json"), eee.rglob("*.jsonl")
    lines.write_text("".join(lines.read_text().splitlines(keepends=True)[2:]))
    edited(file, lambda value: value["detailed_evaluation_results"].update(checksum=None))
    notes = taken("eee", eee, tmp_path / "d").notes
    assert any("results say accuracy 0.85" in note for note in notes)
    assert any("38 lines stand beside it, and it says 40" in note for note in notes)


def test_instances_that_name_another_model_than_their_aggregate_are_told(tmp_path):
    log = a_log("eee", tmp_path)
    assert not any("another model" in n for n in taken("eee", log, tmp_path / "a").notes)
    [file], [lines] = log.rglob("*.json"), log.rglob("*.jsonl")
    edited(file, lambda value: value["detailed_evaluation_results"].update(checksum=None))
    edited_lines(lines, lambda i, line: line.update(model_id="other/one" if i < 3 else "fixture/adder"))  # fmt: skip
    notes = taken("eee", log, tmp_path / "b").notes
    assert any("3 lines name another model" in note for note in notes)


@pytest.mark.parametrize("told", [1, 0, 10**400, -(10**400), True, "1", None, [1]])
def test_whatever_a_log_says_its_number_is_it_is_read(told, tmp_path):
    log = a_log("lm-eval", tmp_path)
    for file in log.rglob("results_*"):
        edited(file, lambda value: value["results"]["sums_mc"].update({"acc,none": told}))
    made = taken("lm-eval", log, tmp_path / "r")
    assert any("say acc" in note for note in made.notes) == (type(told) is int)


@pytest.mark.parametrize("kind", ["lm-eval", "inspect", "helm", "eee", "promptfoo"])
def test_a_key_that_stands_twice_in_a_log_is_named_and_nothing_is_left(kind, tmp_path):
    log = a_log(kind, tmp_path)
    key = {"lm-eval": '"acc"', "inspect": '"value"', "helm": '"mean"'}.get(kind, '"score"')
    found = [log] if log.is_file() else sorted(p for p in log.rglob("*") if p.is_file())
    [file, *_] = [p for p in found if f"{key}:" in p.read_text() and p.name != "stats.json"]
    file.write_text(file.read_text().replace(f"{key}:", f"{key}: 1.0, {key}:", 1))
    if kind == "eee":
        for one in log.rglob("*.json"):
            if one != file:
                edited(one, lambda v: v["detailed_evaluation_results"].update(checksum=None))
    with pytest.raises(DataError, match=f"the key '{key[1:-1]}' stands twice") as caught:
        taken(kind, log, tmp_path / "r")
    assert file.name in caught.value.where
    assert not (tmp_path / "r").exists()


# --- what lies elsewhere --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("lm-eval", "samples_*"),
        ("helm", "per_instance*"),
        ("helm", "scenario*"),
        ("eee", "*.jsonl"),
    ],
)
def test_a_file_of_a_log_that_is_a_link_out_of_its_folder_is_not_read(kind, pattern, tmp_path):
    log = a_log(kind, tmp_path)
    for file in list(log.rglob(pattern)):
        there = tmp_path / f"elsewhere-{file.name}"
        file.rename(there)
        file.symlink_to(there)
    if kind == "eee":
        with pytest.raises(DataError, match="do not stand beside it"):
            taken(kind, log, tmp_path / "r")
        [file] = log.rglob("*.json")
        assert taken(kind, file, tmp_path / "r").run.results.cases  # a file that somebody names
        return
    run = taken(kind, log, tmp_path / "r").run
    files = {f.source for s in run.manifest.systems.values() for f in s.files}
    assert not any(Path(name).match(pattern) for name in files)
    assert bool(run.results.cases) == (pattern == "scenario*")


def test_results_whose_name_has_brackets_have_their_samples(tmp_path):
    log = a_log("lm-eval", tmp_path)
    for file in [*log.rglob("results_*"), *log.rglob("samples_*")]:
        file.rename(file.with_name(file.name.replace("2026-11-21T05-30-00.134087", "a[1]")))
    assert taken("lm-eval", log, tmp_path / "r").run.results.cases


@pytest.mark.parametrize("given", ["1e308,1,1", "1,1e305,1", "1,1,1e20"])
def test_a_csv_with_a_number_that_no_sum_holds_is_named_by_its_line(given, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"system,sample,correct,cost,seconds,tokens_in\na,1,1,1,1,1\na,2,0,{given}\n")
    with pytest.raises(DataError) as caught:
        taken("csv", path, tmp_path / "r")
    assert caught.value.where == f"{path}:3"
