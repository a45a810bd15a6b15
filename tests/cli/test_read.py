"""``assay report``, ``assay compare`` and ``assay front``."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from assay import compare
from assay.core.errors import DataError
from assay.publish.paired import common_samples, pairs
from assay.publish.run import Run
from assay.store.samples import read_samples, write_samples

from .conftest import Say

PRICES = """\
name: cloud
date: "2026-11-01"
source: made up
device: {usd: 12000, years: 1, utilisation: 0.01, watts: 300, usd_per_kwh: 0.3}
"""


def test_a_report_is_written_again_as_it_was(say: Say, copy: Path):
    before = (copy / "derived/claims.json").read_bytes()
    (copy / "derived/claims.json").write_text("[]")
    said = say("report", copy)
    assert said.code == 0, said.err
    assert (copy / "derived/claims.json").read_bytes() == before
    assert f"Report: {copy}/derived/report." in said.out
    assert said.last.startswith("Ship ")


def test_the_command_for_other_prices_works_as_it_is_printed(
    say: Say, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(first, tmp_path / "runs/my first")
    monkeypatch.chdir(tmp_path)
    said = say("report", "runs/my first")
    assert "assay front 'runs/my first' --prices FILE" in said.out
    Path("cloud.yaml").write_text(PRICES)
    [printed] = [line for line in said.out.splitlines() if "--prices FILE" in line]
    _, *words = shlex.split(printed[printed.index("assay front") :].replace("FILE", "cloud.yaml"))
    done = say(*words)
    assert (done.code, done.err) == (0, "")
    written = (tmp_path / "runs/my first/derived/summary.json").read_text()
    assert "assay front RUN --prices FILE" in written
    claims = (tmp_path / "runs/my first/derived/CLAIM_AUDIT.md").read_text()
    assert "`assay verify RUN`" in claims
    assert "`assay gate RUN`" in claims


def test_an_audit_says_how_the_run_is_asked_again_with_what_was_set(second: Path):
    claims = " ".join((second / "derived/CLAIM_AUDIT.md").read_text().split())
    assert "`assay run PLAN.yaml --set 'systems.votes.options={bag: 0.3}'`" in claims
    assert "paths in a plan start where it lies" in claims
    assert "adaptive reuse: 1 other plan, with 2 systems, was scored" in claims


@pytest.mark.parametrize("suffix", [".md", ".html", ".json"])
def test_a_report_goes_where_it_is_sent_and_derived_is_left_alone(
    say, first, second, tmp_path, suffix
):
    output = tmp_path / f"out{suffix}"
    before = {p: p.stat().st_mtime for p in (first / "derived").rglob("*")}
    said = say("report", first, "--baseline", second, "--output", output)
    assert said.code == 0, said.err
    assert output.stat().st_size > 100
    assert {p: p.stat().st_mtime for p in (first / "derived").rglob("*")} == before


def test_a_report_as_json_holds_findings_and_what_changed(say: Say, first, second, tmp_path):
    output = tmp_path / "out.json"
    say("report", first, "--baseline", second, "--output", output)
    facts = json.loads(output.read_text())
    assert {c["id"] for c in facts["claims"]} == {"better", "same-again"}
    assert {d["system"] for d in facts["baseline"]} == {"votes", "last-word"}


def test_a_report_with_a_baseline_never_spoils_the_run(say: Say, copy: Path, second: Path):
    said = say("report", copy, "--baseline", second)
    assert said.code == 0, said.err
    assert (copy.parent / f"copy-against-{second.name}.html").is_file()
    assert say("verify", copy).code == 0


def test_a_folder_of_runs_has_one_report_that_names_what_it_leaves_out(say: Say, copy: Path):
    spoiled = Path(shutil.copytree(copy, copy.parent / "spoiled"))
    (spoiled / "plan.yaml").write_text("x")
    said = say("report", copy.parent)
    assert said.code == 0, said.err
    assert said.last == f"Report: {copy.parent}/report.html"
    assert "A300 spoiled" in said.out
    assert (copy.parent / "report.md").is_file()
    output = copy.parent / "all.json"
    facts = say("report", copy.parent, "--output", output, "--json").json
    assert facts["report"] == str(output)
    assert [b["code"] for b in json.loads(output.read_text())["broken"]] == ["A300"]


def test_a_folder_of_runs_has_no_baseline(say: Say, home: Path, first: Path):
    assert say("report", home, "--baseline", first).code == 2


def test_a_changed_run_has_no_report(say: Say, copy: Path):
    (copy / "plan.yaml").write_text("x")
    said = say("report", copy)
    assert (said.code, said.err[:4]) == (2, "A300")


def test_a_run_does_not_differ_from_itself(say: Say, first: Path):
    found = compare(Run.load(first), Run.load(first))
    assert found.diffs
    assert not any(d.changed for d in found.diffs)
    assert {d.estimate.value for d in found.diffs} <= {0.0, None}
    assert all(d.same_test for d in found.diffs)
    assert say("compare", first, first).last == f"0 of {len(found.diffs)} changed, 0 for the worse."


def test_comparing_turns_round_when_the_runs_are_exchanged(first: Path, second: Path):
    there = {(d.system, d.metric): d for d in compare(Run.load(first), Run.load(second)).diffs}
    back = {(d.system, d.metric): d for d in compare(Run.load(second), Run.load(first)).diffs}
    assert there.keys() == back.keys()
    for key, diff in there.items():
        if diff.estimate.value is not None:
            assert back[key].estimate.value == pytest.approx(-diff.estimate.value)
            assert back[key].p == pytest.approx(diff.p)


def test_p_is_corrected_for_the_number_of_lines(first: Path, second: Path):
    run, baseline = Run.load(first), Run.load(second)
    one, two = compare(run, baseline), compare(run, [baseline, baseline])
    assert len(two.diffs) == 2 * len(one.diffs)
    for diff, again in zip(one.diffs, two.diffs, strict=False):
        if diff.p is not None:
            assert diff.p <= diff.adjusted <= again.adjusted
            assert diff.p == again.p


def test_what_is_not_compared_is_named_with_the_reason(say: Say, first: Path, second: Path):
    facts = say("compare", first, second, "--json").json
    left = {entry["metric"]: entry["why"] for entry in facts["left_out"]}
    case = Run.load(first).results.cases["toy.errands"]
    assert {"usd_per_1k", "latency_p95", "determinism"} <= left.keys()
    assert all(case.metric_is_timed(name) for name in left)
    assert all("machine" in why for why in left.values())
    assert not left.keys() & {entry["metric"] for entry in facts["diffs"]}


def test_controls_are_not_compared(first: Path, second: Path):
    assert {p.system for p in pairs(Run.load(first), Run.load(second))} == {"votes", "last-word"}


def test_other_data_is_compared_on_what_is_the_same_and_says_so(say: Say, begun, first):
    [fewer] = (begun[0] / "runs").glob("*-first-*")
    run, less = Run.load(first), Run.load(fewer)
    common = common_samples(run, less, "toy.errands")
    assert 0 < len(common) < 60
    diffs = compare(less, run).diffs
    assert {d.estimate.n for d in diffs} == {len(common)}
    assert not any(d.same_test for d in diffs)
    said = say("compare", fewer, first)
    assert said.code == 0
    assert "only the common ones are compared" in said.out


def test_runs_on_other_questions_are_refused(first: Path, copy: Path, say: Say, monkeypatch):
    path = copy / "samples/toy.errands/test.jsonl"
    from dataclasses import replace

    write_samples(path, [replace(s, input=f"{s.input}!") for s in read_samples(path)])
    run = Run.load(first)
    facts = run.manifest.tasks["toy.errands"]
    test = facts.splits["test"].model_copy(update={"digest": "sha256:other"})
    changed = facts.model_copy(update={"splits": {**facts.splits, "test": test}})
    other = replace(
        run,
        dir=replace(run.dir, root=copy),
        manifest=run.manifest.model_copy(update={"tasks": {"toy.errands": changed}}),
    )
    with pytest.raises(DataError, match="A203"):
        common_samples(run, other, "toy.errands")


def test_the_comparison_is_one_document(say: Say, first: Path, second: Path):
    facts = say("compare", second, first, "--json").json
    assert facts["baselines"] == ["first"]
    assert {"task", "system", "metric", "value", "low", "high", "p", "p_adjusted", "n"} <= set(
        facts["diffs"][0]
    )


def test_the_front_is_drawn_at_other_prices(say: Say, first: Path, tmp_path: Path):
    prices = tmp_path / "cloud.yaml"
    prices.write_text(PRICES)
    here, there = (
        say("front", first, "--json").json,
        say("front", first, "--prices", prices, "--json").json,
    )
    cost = [f["fronts"][0]["points"][0]["at"]["usd_per_1k"]["value"] for f in (here, there)]
    assert cost[1] > 10 * cost[0] > 0
    assert "cloud" in there["prices"]


def test_the_front_says_where_each_system_stands(say: Say, first: Path):
    said = say("front", first)
    assert said.code == 0
    assert "votes" in said.out
    assert any(word in said.out for word in ("on ", "beaten", "unresolved"))
    assert "control" not in said.out


def test_the_front_says_how_sure_it_is_and_what_a_right_answer_must_be_worth(say: Say, first: Path):
    said = say("front", first).out
    for words in ("of resamples", "Against votes, the most right", "The one to ask", "Hypervolume"):
        assert words in said, words
    (front,) = say("front", first, "--json").json["fronts"]
    assert {p["system"]: p["frequency"] for p in front["points"]}.keys() == {"votes", "last-word"}
    assert front["reaches"][0]["low"] <= front["reaches"][0]["benefit"]
    assert front["worth"][-1]["end"] is None
    assert any("held as measured" in note for note in front["notes"])


def test_a_front_on_which_nothing_can_stand_says_what_is_missing(say: Say, tmp_path: Path):
    log = tmp_path / "answers.csv"
    rows = [f"{who},q{i},{int(i % 3 > 0)}" for who in ("a", "b") for i in range(12)]
    log.write_text("system,sample,correct\n" + "\n".join(rows) + "\n")
    assert say("import", "csv", log, "--out", tmp_path / "run").code == 0
    said = say("front", tmp_path / "run", "--on", "accuracy,usd_per_1k")
    why = "because none has a number for usd_per_1k: not measured in the serial pass."
    assert said.out.splitlines()[1] == f"No system stands on it, {why}"
    noise = say("noise", tmp_path / "run", "--trials", "20").out
    assert "Nothing was asked again: the run has one seed for each system" in noise


def test_the_legacy_score_is_shown_to_those_who_ask(say: Say, first: Path):
    assert "legacy" not in say("front", first).out
    assert "value score (legacy)" in say("front", first, "--legacy").out
    (plain,) = say("front", first, "--json").json["fronts"]
    assert "value_score" not in plain["tradeoffs"][0]
    (asked,) = say("front", first, "--legacy", "--json").json["fronts"]
    assert {t["system"]: t["value_score"] for t in asked["tradeoffs"]}["votes"] == 1.0


@pytest.mark.parametrize("name", ["nowhere", "nowhere.yaml"])
def test_prices_that_do_not_exist_are_named(say: Say, first: Path, name):
    said = say("front", first, "--prices", name)
    assert said.code == 2
    assert name in said.err


def test_a_front_and_a_decision_are_at_hand_in_python(first: Path, tmp_path: Path):
    run = Run.load(first)
    cloud = tmp_path / "cloud.yaml"
    cloud.write_text(PRICES)

    def cost(prices: str | None) -> float:
        points = run.front(("accuracy", "usd_per_1k"), prices=prices).points
        return next(p.at["usd_per_1k"].value for p in points if p.system == "votes")

    assert cost(str(cloud)) > 10 * cost(None) > 0
    told = run.decision["toy.errands"]
    assert told["says"] in (first / "derived/summary.md").read_text()
    assert set(told) > {"says", "ship"}


def test_a_front_that_the_plan_does_not_name_is_drawn_on_request(say: Say, first: Path):
    facts = say("front", first, "--on", "coverage, latency_p50", "--json").json
    (front,) = facts["fronts"]
    assert front["objectives"] == [["coverage", "higher"], ["latency_p50", "lower"]]
    assert say("front", first, "--task", "toy.errands", "--json").json["fronts"][0][
        "objectives"
    ] == [
        ["accuracy", "higher"],
        ["usd_per_1k", "lower"],
    ]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--on", "accuracy,usd_per_k"), "did you mean 'usd_per_1k'?"),
        (("--on", ","), "--on accuracy,usd_per_1k"),
        (("--task", "toy.errand"), "did you mean 'toy.errands'?"),
    ],
)
def test_a_front_on_nothing_that_is_known_says_what_is(say: Say, first: Path, words, hint):
    said = say("front", first, *words)
    assert said.code == 2
    assert hint in said.err
