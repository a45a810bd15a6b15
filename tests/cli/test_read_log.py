"""`assay report` on metric logs, and runs written as such."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay.logs import JsonlLogger, metric_log_record, read_metric_log

from .conftest import Say


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "training.jsonl"
    with JsonlLogger(path, better={"loss": "lower"}) as logger:
        for seed in (0, 1):
            for step, loss in enumerate([0.9, 0.2 + seed, 0.4], start=1):
                metrics = {"loss": loss, "<b>rate": 0.1 * step}
                context = {"task": "dose", "seed": seed}
                logger(metric_log_record(metrics, phase="train", step=step, context=context))
    return path


def test_first_best_and_last_are_said(say: Say, log: Path):
    said = say("report", log, "--json").json
    *rates, one, other = said["traces"]
    assert one["context"] == {"task": "dose", "seed": 0}
    assert one["first"] == {"step": 1, "value": 0.9}
    assert one["best"] == {"step": 2, "value": 0.2}
    assert other["best"] == {"step": 3, "value": 0.4}
    assert one["last"] == {"step": 3, "value": 0.4}
    assert [rate["best"] for rate in rates] == [None, None]
    assert [rate["highest"]["step"] for rate in rates] == [3, 3]


def test_the_page_has_a_mark_to_point_at_for_every_step(say: Say, log: Path, tmp_path: Path):
    assert say("report", log, "--output", tmp_path / "a.html").last.startswith("Wrote ")
    page = (tmp_path / "a.html").read_text()
    told = re.findall(r"<title>(seed \d, step \d: loss [\d.]+)</title>", page)
    assert len(told) == len(set(told)) == 6
    assert "seed 0, step 2: loss 0.2" in told
    assert "<title>best: seed 0, step 2: loss 0.2</title>" in page
    assert "<b>rate" not in page
    assert "sealed records" not in page
    assert len(page) < 200_000


def test_the_text_has_the_table(say: Say, log: Path, tmp_path: Path):
    say("report", log, "--output", tmp_path / "a.md")
    text = (tmp_path / "a.md").read_text()
    assert "| seed 1 | 3 | 0.9 at 1 | 0.4 at 3 | 0.4 at 3 |" in text
    assert "figures/" not in text


def test_a_long_log_is_thinned_and_says_so(say: Say, tmp_path: Path):
    path = tmp_path / "long.jsonl"
    with JsonlLogger(path) as logger:
        for step in range(5000):
            loss = -1.0 if step == 3333 else 1000.0 / (1 + step)
            logger(metric_log_record({"loss": loss}, phase="train", step=step))
    say("report", path, "--output", tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "steps are not drawn" in page
    assert "step 3333: loss -1" in page
    assert len(page) < 400_000


@pytest.mark.parametrize("damage", [b'{"a":\n', b"\xff\n", b'{"context":{},'])
def test_a_damaged_log_is_named_with_its_line(say: Say, log: Path, damage: bytes):
    log.write_bytes(log.read_bytes() + damage)
    said = say("report", log)
    assert (said.code, said.err[:4]) == (2, "A200")
    assert f"at: {log}:7" in said.err


def test_another_version_and_another_file_are_told_apart(say: Say, log: Path, tmp_path: Path):
    log.write_text(log.read_text().replace('"schema_version":1', '"schema_version":9'))
    assert say("report", log).err.startswith("A302 schema version 9")
    (tmp_path / "notes.txt").write_text("notes\n")
    said = say("report", tmp_path / "notes.txt")
    assert (said.code, said.err[:4]) == (2, "A200")
    assert say("report", tmp_path / "none.jsonl").err.startswith("A200 the log cannot be read")


def test_a_run_is_written_as_a_log_of_seeds_and_summaries(say: Say, first: Path, tmp_path: Path):
    out = tmp_path / "run.jsonl"
    say("report", first, "--output", out)
    records = list(read_metric_log(out))
    derived = list(read_metric_log(first / "derived" / "metrics.jsonl"))
    assert records == derived
    votes = [r for r in records if r.context["system"] == "votes"]
    seeds = [r for r in votes if r.phase == "benchmark_seed"]
    [whole] = [r for r in votes if r.phase == "benchmark_summary"]
    assert [r.context["seed"] for r in seeds] == [0, 1]
    accuracy = whole.metrics["accuracy"]
    assert accuracy == pytest.approx(sum(r.metrics["accuracy"] for r in seeds) / 2)
    assert whole.metrics["accuracy/low"] < accuracy < whole.metrics["accuracy/high"]
    assert whole.better["accuracy"] == "higher"
    assert whole.better["latency_p50"] == "lower"


def test_changes_since_a_baseline_are_a_phase_of_their_own(
    say: Say, first: Path, second: Path, tmp_path: Path
):
    out = tmp_path / "run.jsonl"
    say("report", first, "--baseline", second, "--output", out)
    changes = [r for r in read_metric_log(out) if r.phase == "benchmark_delta"]
    assert {r.context["system"] for r in changes} >= {"votes", "last-word"}
    accuracy = {r.context["system"]: r.metrics["accuracy"] for r in changes}
    assert accuracy["last-word"] == 0 < accuracy["votes"]
    assert {r.context["baseline"] for r in changes} == {"second"}
    said = say("report", out, "--output", tmp_path / "log.html")
    assert "results without a step" in said.out
    page = (tmp_path / "log.html").read_text()
    for title in ("Seed by seed", "All seeds", "Changes since the baseline"):
        assert title in page


@pytest.mark.parametrize(
    "values",
    [(0.0, 1e-320), (-1e308, 1e308), (1e16, 1e16 + 8), (5e-324, 5e-324)],
    ids=["tiny", "vast", "large", "one"],
)
def test_any_finite_numbers_are_drawn(say: Say, tmp_path: Path, values: tuple[float, float]):
    path = tmp_path / "odd.jsonl"
    with JsonlLogger(path) as logger:
        for seed in (0, 1):  # both end at one height
            for step, value in enumerate(values, start=1):
                made = metric_log_record(
                    {"loss": value}, phase="train", step=step, context={"seed": seed}
                )
                logger(made)
    said = say("report", path, "--output", tmp_path / "a.html")
    assert said.code == 0, said.err
    assert "seed 1, step 2: loss" in (tmp_path / "a.html").read_text()


def test_no_name_in_a_log_ends_the_process_that_draws_it(say: Say, tmp_path: Path):
    path = tmp_path / "odd.jsonl"
    with JsonlLogger(path) as logger:
        for seed in (0, 1):
            context = {"seed": seed, "of": "\x1b[31m\x00\uffff"}
            metrics = {"loss \x07\x1b[0m": seed + 0.5}
            logger(metric_log_record(metrics, phase="train", step=1, context=context))
    said = say("report", path, "--output", tmp_path / "a.html")
    assert said.code == 0, said.err
    assert "loss [U+0007][U+001B][0m" in (tmp_path / "a.html").read_text()
