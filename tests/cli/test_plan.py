"""``assay plan``: what would be asked, how long, and what it could show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assay.analysis.claims import ALPHA
from assay.analysis.imagine import Guess
from assay.engine.forecast import forecast
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve
from assay.engine.sight import sights
from assay.engine.starved import starved
from assay.stats.binomial import upper_bound

from .conftest import PLAN, Say


def test_nothing_is_asked_and_nothing_is_written(say: Say, plan: Path):
    said = say("plan", plan)
    assert said.code == 0, said.err
    assert [p.name for p in plan.parent.iterdir()] == ["small.yaml"]


def test_a_system_that_never_ran_has_no_time(say: Say, plan: Path):
    said = say("plan", plan)
    assert "unknown until it has run once" in said.out
    facts = say("plan", plan, "--json").json
    assert facts["seconds"] is None
    assert facts["usd"] is None
    assert facts["unknown"][:2] == ["votes", "last-word"]


def test_times_come_from_earlier_runs_of_the_same_systems(say: Say, home, monkeypatch):
    monkeypatch.chdir(home)
    facts = say("plan", "small.yaml", "--json").json
    assert 0 < facts["seconds"] < 60
    assert facts["usd"] > 0
    assert {load["pace"]["run"] for load in facts["loads"]} <= {"first", "second"}
    other = say("plan", "small.yaml", "--set", "systems.votes.options={bag: 0.7}", "--json").json
    assert other["unknown"] == ["votes"]


def test_the_questions_are_counted_as_the_engine_counts_them(say: Say, home, first, monkeypatch):
    monkeypatch.chdir(home)
    facts = say("plan", "small.yaml", "--json").json
    lines = sum(len(p.read_bytes().splitlines()) for p in (first / "records").rglob("*.jsonl"))
    assert sum(load["questions"] for load in facts["loads"]) == lines


def test_an_earlier_run_whose_systems_have_no_seed_is_passed_over(say: Say, home, tmp_path):
    shutil.copytree(home / "runs" / "first", tmp_path / "runs" / "x")
    manifest = tmp_path / "runs" / "x" / "manifest.json"
    facts = json.loads(manifest.read_bytes())
    for system in facts["systems"].values():
        system["seeds"] = []
    manifest.write_text(json.dumps(facts))
    plan = resolve(load_plan(home / "small.yaml"))
    assert forecast(plan, runs=tmp_path / "runs").seconds is None


def test_a_damaged_earlier_run_is_passed_over(plan: Path):
    broken = plan.parent / "runs" / "x"
    broken.mkdir(parents=True)
    (broken / "SEAL").write_text("{")
    (broken / "manifest.json").write_text("{")
    assert forecast(resolve(load_plan(plan)), runs=plan.parent / "runs").seconds is None


CLAIM = "\n  - {id: c, says: s, system: votes, metric: %s, %s: %s, over: [%s]}\n"


def sight_of(plan: Path, metric: str, word: str, bound: float, over: str = "samples"):
    plan.write_text(PLAN.partition("claims:")[0] + "claims:" + CLAIM % (metric, word, bound, over))
    [found] = sights(resolve(load_plan(plan)))
    return found


def test_a_bound_below_what_a_flawless_result_shows_is_hopeless(plan: Path):
    found = sight_of(plan, "invention_rate", "at_most", 0.001)
    assert found.hopeless
    assert "cannot be shown" in found.says


def test_only_samples_that_count_for_a_metric_are_counted(plan: Path):
    everything = sight_of(plan, "accuracy", "at_least", 0.8)
    without_answer = sight_of(plan, "invention_rate", "at_most", 0.3)
    assert everything.n == 120
    assert 0 < without_answer.n < 120
    assert without_answer.n_groups <= without_answer.n


@pytest.mark.parametrize("bound", [0.35, 0.5, 0.7])
def test_a_truth_that_is_shown_four_times_in_five_is_better_than_the_bound(plan: Path, bound):
    found = sight_of(plan, "invention_rate", "at_most", bound)
    assert found.shown_from is not None
    assert 0 <= found.shown_from < bound
    least = upper_bound(0, found.n_groups, confidence=1 - ALPHA / 2)
    assert least < bound
    mirrored = sight_of(plan, "invention_rate", "at_least", 1 - bound)
    assert mirrored.shown_from == pytest.approx(1 - found.shown_from)


def test_a_claim_that_every_system_satisfies_says_so(plan: Path):
    assert "true of every system" in sight_of(plan, "accuracy", "at_least", 0.0).says


def test_timed_claims_need_blocks_and_determinism_speaks_of_nothing_else(plan: Path):
    assert sight_of(plan, "latency_mean", "at_most", 1.0).hopeless
    assert sight_of(plan, "latency_p50", "at_most", 1.0).hopeless
    assert sight_of(plan, "determinism", "at_least", 1.0).hopeless
    assert not sight_of(plan, "determinism", "at_least", 1.0, "").hopeless


def test_what_a_plan_says_is_shown_and_not_obeyed(say: Say, plan: Path):
    plan.write_text(PLAN.replace("says: A small", 'says: "\\e[31m\\u202e"  #'))
    said = say("plan", plan)
    assert said.code == 0, said.err
    assert r"\x1b[31m\u202e" in said.out


def test_claims_are_told_in_the_output(say: Say, plan: Path):
    said = say("plan", plan)
    assert "What the claims could show" in said.out
    assert "the true difference is at least +" in said.out


def test_an_extra_that_is_missing_is_an_error_before_anything_runs(say: Say, plan: Path):
    text = PLAN.replace("use: toy.last_word", "use: intent.mapper, options: {encoder: ./nowhere}")
    plan.write_text(text)
    said = say("plan", plan)
    assert said.code == 2
    assert said.err[:4] in ("A401", "A403")


def test_a_limit_that_leaves_too_few_groups_says_how_many_it_takes(plan: Path):
    found = sight_of(plan, "accuracy", "at_least", 0.99)
    assert found.hopeless
    assert "takes 368 groups that count for it" in found.remedy
    assert "without its limits the test split has 132 of them" in found.remedy


def test_a_limit_is_named_only_where_it_leaves_out_samples_that_count(plan: Path):
    limited = sight_of(plan, "invention_rate", "at_most", 0.001)
    assert limited.n_groups < 45
    assert "without its limits the test split has 45 of them" in limited.remedy
    plan.write_text(plan.read_text().replace(", limit: 120", ""))
    [whole] = sights(resolve(load_plan(plan)))
    assert whole.n_groups == 45
    assert whole.remedy == "takes 3,688 groups that count for it, all flawless"


def test_more_effect_is_shown_more_often_and_takes_fewer_groups(plan: Path):
    text = PLAN.partition("claims:")[0] + "claims:" + CLAIM.replace("votes,", "votes, %s")
    plan.write_text(text % ("against: last-word,", "accuracy", "at_least", 0.0, "samples"))
    resolved = resolve(load_plan(plan))
    small, large = (sights(resolved, Guess(effect=e))[0].prospect for e in (0.05, 0.3))
    assert small.power < large.power
    assert small.groups_needed > large.groups_needed
    sure, loose = (sights(resolved, Guess(discordance=d))[0] for d in (0.1, 0.4))
    assert sure.shown_from < loose.shown_from


def test_systems_that_are_the_same_are_supposed_where_a_margin_is_claimed(plan: Path):
    text = PLAN.partition("claims:")[0] + "claims:" + CLAIM.replace("votes,", "votes, %s")
    for word, bound in (("at_least", -0.1), ("within", 0.1)):
        plan.write_text(text % ("against: last-word,", "accuracy", word, bound, "samples"))
        [found] = sights(resolve(load_plan(plan)))
        assert found.prospect.truth == 0.0
        assert not found.hopeless


@pytest.mark.parametrize(("word", "bound"), [("at_least", 1.0), ("at_least", 1.5), ("at_most", -1)])
def test_a_difference_that_two_shares_cannot_have_asks_for_another_bound(plan: Path, word, bound):
    text = PLAN.partition("claims:")[0] + "claims:" + CLAIM.replace("votes,", "votes, %s")
    plan.write_text(text % ("against: last-word,", "accuracy", word, bound, "samples"))
    [found] = sights(resolve(load_plan(plan)))
    assert found.hopeless
    assert found.remedy == "no number of samples shows it: change the bound"


def test_a_quantile_that_the_timed_questions_do_not_reach_is_hopeless(plan: Path):
    found = sight_of(plan, "latency_p99", "at_most", 1.0, "")
    assert found.hopeless
    assert found.remedy == "takes 368: set timing.questions to 184"
    text = plan.read_text().replace("questions: 1", "questions: 184")
    plan.write_text(text)
    [enough] = sights(resolve(load_plan(plan)))
    assert not enough.hopeless


def test_a_threshold_without_enough_calibration_groups_is_told_before_the_run(say: Say, plan: Path):
    plan.write_text(PLAN.replace("max_risk: 0.2", "max_risk: 0.01"))
    said = say("plan", plan)
    assert said.code == 0
    assert "votes will decline everything on toy.errands" in said.out
    assert "takes 299 accepted calibration groups without an error" in said.out
    [one] = say("plan", plan, "--json").json["thresholds"]
    assert one["needed"] == 299 > one["groups"]
    risk = PLAN.replace("max_risk: 0.2", "max_risk: 0.01").partition("claims:")[0]
    plan.write_text(risk + "claims:" + CLAIM % ("risk", "at_most", 0.3, "samples"))
    [found] = sights(resolve(load_plan(plan)))
    assert found.hopeless
    assert "decline everything" in found.says


def test_hopeless_claims_are_named_last_and_the_exit_status_stays_0(say: Say, plan: Path):
    text = PLAN.partition("claims:")[0] + "claims:"
    plan.write_text(text + CLAIM % ("accuracy", "at_least", 0.999, "samples"))
    said = say("plan", plan)
    assert said.code == 0
    assert "The claim cannot be supported by any result of this plan: c." in said.out
    [claim] = say("plan", plan, "--json").json["claims"]
    assert claim["hopeless"]
    assert claim["remedy"]
    assert claim["level"] == ALPHA / 2


def test_an_earlier_run_takes_the_place_of_guesses(say: Say, home, first, monkeypatch):
    monkeypatch.chdir(home)
    facts = say("plan", "small.yaml", "--from", first, "--json").json
    better = next(c for c in facts["claims"] if c["id"] == "better")
    assert better["basis"] == f"as in {first.name}"
    run = json.loads((first / "derived" / "claims.json").read_text())
    seen = next(f for f in run if f["id"] == "better")
    assert better["supposed"] == pytest.approx(seen["estimate"]["value"])
    assert 0 <= better["power"] <= 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--guess", "icy=0.1"], "nothing is called 'icy'"),
        (["--guess", "icc=much"], "'much' is no number"),
        (["--guess", "power=1"], "it must be between 0 and 1"),
        (["--guess", "spread=nan"], "it must be above 0"),
    ],
)
def test_a_wrong_guess_is_an_error(say: Say, plan: Path, words: list[str], hint: str):
    said = say("plan", plan, *words)
    assert said.code == 2
    assert hint in said.err


def test_an_earlier_run_that_is_none_is_an_error(say: Say, plan: Path):
    said = say("plan", plan, "--from", plan.parent / "nowhere")
    assert (said.code, said.err[:4]) == (2, "A303")


BOUNDS = {
    "at_least": (-0.5, 0.0, 0.02, 1.25),
    "at_most": (-0.5, 0.0, 0.02, 1.25),
    "within": (1.25,),
}
METRICS = ("accuracy", "risk", "usd_per_1k", "usd_per_correct", "determinism", "latency_p50")
OVERS = ("samples", "seeds", "samples, seeds", "")


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("guess", [Guess(), Guess(spread=0.4, icc=0.1, effect=0.3)])
def test_no_claim_that_a_plan_may_make_stops_the_planner(plan: Path, metric: str, guess: Guess):
    claims = [
        f"  - {{id: c{i}, says: s, system: votes{against}, metric: {metric}, "
        f"{word}: {bound}, over: [{over}]}}\n"
        for i, (word, bound, against, over) in enumerate(
            (word, bound, against, over)
            for word, bounds in BOUNDS.items()
            for bound in bounds
            for against in ("", ", against: last-word")
            for over in OVERS
            if against or word != "within"
        )
    ]
    text = PLAN.partition("claims:")[0].replace(
        "processes: 1, blocks: 2", "processes: 3, blocks: 7"
    )
    plan.write_text(f"{text}claims:\n{''.join(claims)}")
    found = sights(resolve(load_plan(plan)), guess)
    assert len(found) == len(claims)
    for sight in found:
        assert sight.says
        if sight.hopeless and sight.n_groups > 1:
            assert sight.remedy
        if sight.prospect and sight.prospect.power is not None:
            assert 0 <= sight.prospect.power <= 1


@pytest.mark.parametrize("metric", ["latency_mean", "latency_p50", "usd_per_1k"])
def test_a_clock_held_beside_one_seed_says_nothing_of_others_before_the_run(
    plan: Path, metric: str
):
    blocks = "timing: {processes: 3, blocks: 7, questions: 3}"
    text = PLAN.replace("timing: {processes: 1, blocks: 2, questions: 1}", blocks)
    text = text.replace("metric: accuracy\n    at_least: 0.0", f"metric: {metric}\n    at_most: 9")
    said = {}
    for over in ("[samples, seeds]", "[samples]"):
        claimed = text.replace("at_most: 9", f"at_most: 9\n    over: {over}", 1)
        claimed = claimed.replace("    against: last-word\n", "")
        plan.write_text(claimed)
        said[over] = sights(resolve(load_plan(plan)))[0]
    assert "one seed" in said["[samples, seeds]"].says
    assert said["[samples, seeds]"].remedy == "write `over: [samples]`"
    assert "one seed" not in said["[samples]"].says


def test_a_threshold_for_each_class_needs_groups_of_a_class(plan: Path):
    plan.write_text(PLAN.replace("{max_risk: 0.2}", "{max_risk: 0.1, per: class}"))
    (found,) = starved(resolve(load_plan(plan)))
    assert found.by_class
    assert found.groups < found.needed
    assert "its largest class has" in found.says
    plan.write_text(PLAN.replace("{max_risk: 0.2}", "{max_risk: 0.5, per: class}"))
    assert not starved(resolve(load_plan(plan)))


def test_an_earlier_run_of_something_else_is_said_to_be_of_no_use(
    say: Say, plan: Path, first: Path
):
    plan.write_text(PLAN.replace("votes", "ballots", 1).replace("system: votes", "system: ballots"))
    said = say("plan", plan, "--from", first)
    assert said.code == 0, said.err
    assert "first says nothing of these claims" in said.out
    plan.write_text(PLAN)
    assert "says nothing" not in say("plan", plan, "--from", first).out
