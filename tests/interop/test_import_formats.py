"""Logs that the other tools wrote themselves: what assay reads of them is what they say."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from assay.core.errors import AssayError, DataError
from assay.core.metric import Origin
from assay.engine.foreign import open_log
from assay.publish.interop import reading
from assay.publish.interop.settings import Choice
from assay.publish.interop.take import Taken, take_in
from assay.publish.verify import verify
from assay.store.journal import read_lines
from assay.store.manifest import PublishedNumbers, read_doc
from assay.store.samples import read_samples
from assay.store.seal import journals

LOGS = Path(__file__).parents[1] / "data" / "imports"


def taken(
    kind: str, path: Path, out: Path, *, choice: Choice | None = None, **options: str
) -> Taken:
    return take_in(open_log(kind, path, options), path, out=out, choice=choice or Choice())


def inspect_json(folder: Path) -> Path:
    """Return a copy of the JSON log, and of the same as an .eval that is packed with deflate."""
    log = json.loads((LOGS / "inspect" / "guesser.json").read_text())
    with zipfile.ZipFile(folder / "guesser.eval", "w", zipfile.ZIP_DEFLATED) as file:
        head = {k: v for k, v in log.items() if k not in ("samples", "reductions")}
        file.writestr("header.json", json.dumps(head))
        for sample in log["samples"]:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            file.writestr(name, json.dumps(sample))
    return folder / "guesser.eval"


# --- lm-eval ----------------------------------------------------------------------------------


def test_lm_eval_numbers_are_those_of_the_tool(tmp_path):
    run = taken("lm-eval", LOGS / "lm-eval", tmp_path / "r").run
    assert verify(run.path) == []
    for file in LOGS.glob("lm-eval/*/*/results_*.json"):
        said = json.loads(file.read_text())
        system = "fixture-adder" if "adder" in str(file) else "dummy"
        told = said["results"]
        for task, metric, key in (
            ("sums_mc", "accuracy", "acc,none"),
            ("sums_mc", "acc_norm", "acc_norm,none"),
            ("digits_gen", "accuracy", "exact_match,first"),
        ):
            estimate = run.estimate(metric, system, task=task)
            assert estimate.value == pytest.approx(told[task][key])
            assert estimate.origin is Origin.REPORTED
    assert {t: f.version for t, f in run.manifest.tasks.items()} == {
        "digits_gen": "2.0",
        "sums_mc": "1.0",
    }


def test_lm_eval_filter_and_metric_are_chosen_by_name(tmp_path):
    only = Choice(tasks=("digits_gen",))
    run = taken("lm-eval", LOGS / "lm-eval", tmp_path / "r", choice=only, filter="digit").run
    assert run.estimate("accuracy", "fixture-adder").value == 1.0
    with pytest.raises(DataError, match="no task has the filter"):
        taken("lm-eval", LOGS / "lm-eval", tmp_path / "s", filter="digits")
    with pytest.raises(DataError, match="no task has the metric"):
        taken("lm-eval", LOGS / "lm-eval", tmp_path / "s", metric="f1")


def test_lm_eval_choices_carry_a_confidence(tmp_path):
    run = taken("lm-eval", LOGS / "lm-eval", tmp_path / "r").run
    [path] = [p for p in journals(run.dir) if "sums_mc/fixture-adder" in str(p)]
    for line in read_lines(path):
        assert 0.25 <= line.decided.confidence <= 1.0
        assert set(line.decided.scores) == {"0", "1", "2", "3"}
        assert (line.decided.value == {s.id: s.target.value for s in run.results.samples["sums_mc"]}[
            line.decided.sample]) == (line.decided.outcome == "correct")  # fmt: skip


def test_lm_eval_results_without_samples_are_published_only(tmp_path):
    for file in LOGS.glob("lm-eval/adder/*/results_*.json"):
        shutil.copy(file, tmp_path)
    made = taken("lm-eval", tmp_path, tmp_path / "r")
    assert made.published == 4
    assert verify(made.run.path) == []
    numbers = read_doc(PublishedNumbers, made.run.dir.published).numbers
    assert {(n.task, n.metric): n.value for n in numbers}["sums_mc", "acc"] == 0.85
    assert made.run.results.cases == {}
    assert made.run.results.fronts == made.run.results.findings == ()
    assert "Published numbers" in (made.run.path / "derived" / "report.html").read_text()


def test_lm_eval_sums_that_do_not_fit_are_told(tmp_path):
    shutil.copytree(LOGS / "lm-eval" / "adder", tmp_path / "log")
    [file] = (tmp_path / "log").glob("*/results_*.json")
    file.write_text(file.read_text().replace('"acc,none": 0.85', '"acc,none": 0.95'))
    made = taken("lm-eval", tmp_path / "log", tmp_path / "r")
    assert any("results say acc 0.95, the samples come to 0.85" in note for note in made.notes)


def test_lm_eval_run_twice_on_a_task_is_refused(tmp_path):
    for name in ("a", "b"):
        shutil.copytree(LOGS / "lm-eval" / "adder", tmp_path / "log" / name)
    with pytest.raises(DataError, match="was run twice on"):
        taken("lm-eval", tmp_path / "log", tmp_path / "r")


# --- inspect ------------------------------------------------------------------------------------


def test_inspect_numbers_are_those_of_the_tool_and_epochs_are_seeds(tmp_path):
    run = taken("inspect", LOGS / "inspect" / "guesser.json", tmp_path / "r").run
    assert verify(run.path) == []
    told = json.loads((LOGS / "inspect" / "guesser.json").read_text())["results"]["scores"]
    estimate = run.estimate("accuracy", "mockllm-guesser")
    assert estimate.value == pytest.approx(told[0]["metrics"]["accuracy"]["value"])
    assert (estimate.n, estimate.n_seeds) == (6, 2)
    assert run.estimate("includes", "mockllm-guesser").value == pytest.approx(
        told[1]["metrics"]["accuracy"]["value"]
    )
    [path] = [p for p in journals(run.dir) if "guesser/1-test" in str(p)]
    assert {line.usage.tokens_out for line in read_lines(path)} == {4}
    assert run.manifest.tasks["sums"].version == "3"


def test_inspect_eval_and_json_of_one_log_decide_the_same(tmp_path):
    packed = inspect_json(tmp_path)
    a = taken("inspect", LOGS / "inspect" / "guesser.json", tmp_path / "a").run
    b = taken("inspect", packed, tmp_path / "b").run
    assert a.provenance.cells == b.provenance.cells


def test_inspect_eval_is_read_as_the_tool_packs_it(tmp_path):
    pytest.importorskip("zstandard", reason="the extra `imports` is not installed")
    run = taken("inspect", LOGS / "inspect", tmp_path / "r").run
    assert run.estimate("accuracy", "mockllm-adder").value == pytest.approx(5 / 6)
    assert run.results.cases["sums"].compare("mockllm-adder", "mockllm-guesser", "accuracy").n == 6


def test_inspect_samples_that_met_an_error_were_not_observed(tmp_path):
    log = json.loads((LOGS / "inspect" / "guesser.json").read_text())
    log["status"] = "error"
    log["samples"][0]["error"] = {"message": "the server was away"}
    log["samples"][1]["limit"] = {"type": "token", "limit": 3}
    log["samples"][2]["scores"]["match"]["value"] = "N"
    (tmp_path / "log.json").write_text(json.dumps(log))
    made = taken("inspect", tmp_path / "log.json", tmp_path / "r")
    outcomes = sorted(
        line.decided.outcome
        for path in journals(made.run.dir)
        if "guesser" in str(path)
        for line in read_lines(path)
    )
    assert {"crashed", "failed", "withheld"} <= set(outcomes)
    assert any("ended with status 'error'" in note for note in made.notes)
    assert not made.run.results.cases["sums"].tables["mockllm-guesser"].complete


# --- HELM -----------------------------------------------------------------------------------------


def test_helm_numbers_are_those_of_the_tool(tmp_path):
    run = taken("helm", LOGS / "helm", tmp_path / "r").run
    assert verify(run.path) == []
    for folder, system in (
        ("fixture_parity", "fixture-parity"),
        ("simple_model1", "simple-model1"),
    ):
        stats = json.loads((LOGS / "helm" / folder / "stats.json").read_text())
        told = next(
            s["mean"] for s in stats if s["name"] == {"name": "exact_match", "split": "test"}
        )
        assert run.estimate("accuracy", system).value == pytest.approx(told)
    [sample, *_] = read_samples(run.dir.samples("simple_mcqa", "test"))
    assert sample.target.value in ("Even", "Odd")


def test_helm_without_the_states_still_has_its_outcomes(tmp_path):
    shutil.copytree(LOGS / "helm", tmp_path / "log")
    for file in (tmp_path / "log").glob("*/scenario_state.json"):
        file.unlink()
    whole = taken("helm", LOGS / "helm", tmp_path / "a").run
    bare = taken("helm", tmp_path / "log", tmp_path / "b").run
    for system in ("fixture-parity", "simple-model1"):
        assert bare.estimate("accuracy", system).value == whole.estimate("accuracy", system).value


def test_helm_perturbed_instances_are_left_out_and_counted(tmp_path):
    shutil.copytree(LOGS / "helm", tmp_path / "log")
    for file in (tmp_path / "log").glob("*/per_instance_stats.json"):
        rows = json.loads(file.read_text())
        file.write_text(json.dumps([*rows, {**rows[0], "perturbation": {"name": "typos"}}]))
    made = taken("helm", tmp_path / "log", tmp_path / "r")
    assert sum("1 perturbed instances" in note for note in made.notes) == 2


# --- what strangers write -------------------------------------------------------------------------


FILES = [
    p for p in sorted(LOGS.rglob("*.json*")) if "made" not in p.parts and p.name != "stats.json"
]
KINDS = {kind: kind for kind in ("eee", "helm", "inspect", "lm-eval", "promptfoo")}


@pytest.mark.parametrize("harm", ["truncated", "nan", "deep", "latin", "list", "empty"])
@pytest.mark.parametrize("file", FILES, ids=lambda p: str(p.relative_to(LOGS))[:40])
def test_a_damaged_file_is_named_and_nothing_is_left(file, harm, tmp_path):
    kind = KINDS[file.relative_to(LOGS).parts[0]]
    root = tmp_path / "log"
    shutil.copytree(LOGS / kind, root)
    for other in root.rglob("*.eval"):
        other.unlink()
    broken = root / file.relative_to(LOGS / kind)
    raw = broken.read_bytes()
    broken.write_bytes(
        {
            "truncated": raw[: len(raw) * 2 // 3],
            "nan": b'{"schema_version": NaN, ' + raw[1:],
            "deep": b"[" * 100_000,
            "latin": b'{"caf\xe9": 1, ' + raw[1:],
            "list": b"[1, 2]",
            "empty": b"",
        }[harm]
    )
    out = tmp_path / "r"
    if harm == "empty" and kind == "lm-eval" and file.suffix == ".jsonl":
        with pytest.raises(DataError, match="no record of"):
            taken(kind, root, out)
        return
    if harm == "empty" and kind == "promptfoo" and file.suffix == ".jsonl":
        with pytest.raises(DataError, match="no record in it"):
            taken(kind, broken, out)  # nothing was asked: that is a log, and no run
        return
    with pytest.raises(AssayError) as caught:
        taken(kind, root, out)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert broken.name in caught.value.where
    assert not out.exists()


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_ENTRY", 1 << 16)
    packed = inspect_json(tmp_path)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("samples/bomb_epoch_1.json", b'"' + b"0" * (1 << 24) + b'"')
    with pytest.raises(DataError, match="unpacks to more than"):
        taken("inspect", packed, tmp_path / "r")


def test_a_zip_bomb_of_zstandard_is_not_unpacked_and_its_window_is_bounded(tmp_path, monkeypatch):
    zstandard = pytest.importorskip("zstandard")
    monkeypatch.setattr(reading, "MAX_ENTRY", 1 << 16)
    window = zstandard.ZstdCompressionParameters(window_log=30)
    for bomb in (
        zstandard.compress(bytes(1 << 26)),
        zstandard.ZstdCompressor(compression_params=window).compressobj().compress(b"x" * 9)
        + zstandard.ZstdCompressor(compression_params=window).compress(b"x" * (1 << 17)),
    ):
        packed = tmp_path / "bomb.zip"
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr("samples/a.json", bomb)
        raw = bytearray(packed.read_bytes())
        # The method of the entry, in its own head and in the directory: stored becomes Zstandard.
        raw[8:10] = (93).to_bytes(2, "little")
        at = raw.rindex(b"PK\x01\x02") + 10
        raw[at : at + 2] = (93).to_bytes(2, "little")
        packed.write_bytes(raw)
        with pytest.raises(DataError, match="unpack"):
            reading.Entries(packed).read("samples/a.json")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_python_would_unpack_whole_is_not_unpacked(tmp_path, method):
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", method) as file:
        file.writestr("samples/a.json", b"0" * (1 << 24))
    with pytest.raises(DataError, match="packed by method"):
        reading.Entries(packed).read("samples/a.json")


def test_a_zip_whose_entries_come_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_TOTAL", 1 << 10)
    with pytest.raises(DataError, match="it unpacks to more than"):
        taken("inspect", inspect_json(tmp_path), tmp_path / "r")


def test_names_in_a_zip_write_nothing(tmp_path):
    packed = inspect_json(tmp_path)
    with zipfile.ZipFile(packed, "a") as file:
        file.writestr("../../outside.json", "{}")
        file.writestr("samples/../../../outside.json", "{}")
    taken("inspect", packed, tmp_path / "r")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["guesser.eval", "ledger.jsonl", "r"]


def test_a_truncated_zip_is_named(tmp_path):
    packed = inspect_json(tmp_path)
    packed.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(DataError, match="no zip file"):
        taken("inspect", packed, tmp_path / "r")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "log").mkdir()
    [results] = (LOGS / "lm-eval" / "adder").glob("*/results*.json")
    (tmp_path / "log" / "results_1.json").symlink_to(results)
    with pytest.raises(DataError, match="no results_"):
        taken("lm-eval", tmp_path / "log", tmp_path / "r")
