"""The published plans of the science family, and what they claim."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from assay.core.errors import PlanError, SealError
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve
from assay.families.science.plans import MODES, SEEDS, Asked, plan_of
from assay.families.science.published import DOMAINS
from assay.families.science.running import Wanted, run_domain
from assay.plans import write_plan
from assay.publish.gate import gate
from assay.publish.running import run
from runs import ROOT

PAIRS = [(d, m) for d in DOMAINS for m in MODES if m != "frozen-dirhead" or d == "dose"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_published_plan_is_the_one_that_the_command_runs(domain: str) -> None:
    """`python tools/science_plans.py` writes them again."""
    asked = Asked(domain=domain, mode="paper", seeds=range(SEEDS["paper"]))
    there = yaml.safe_load((ROOT / "plans" / f"{domain}.yaml").read_text("utf-8"))
    assert there == plan_of(asked)


@pytest.mark.parametrize(("domain", "mode"), PAIRS)
def test_every_name_of_a_plan_is_one(domain: str, mode: str, tmp_path: Path) -> None:
    asked = Asked(domain=domain, mode=mode, seeds=[3, 4])
    loaded = write_plan(tmp_path / "plan.yaml", plan_of(asked), says="")
    resolved = resolve(loaded)
    assert set(resolved.systems) > {"two-heads", "projective", "oracle", "median"}


@pytest.mark.parametrize("domain", DOMAINS)
def test_rivals_have_the_same_budget_and_the_same_rule_for_declining(domain: str) -> None:
    plan = load_plan(ROOT / "plans" / f"{domain}.yaml").plan
    learners = [s for s in plan.systems if s.options.get("tries")]
    assert len(learners) >= 8
    assert {s.options["tries"] for s in learners} == {3}
    assert {s.options["gate"] for s in learners} == {"never"}
    assert len({s.abstain.model_dump_json() for s in learners}) == 1
    networks = [s for s in learners if s.use != "science.trees"]
    for option in ("epochs", "hidden", "activation", "rate", "batch", "values"):
        assert len({str(s.options.get(option)) for s in networks}) == 1, option


@pytest.mark.parametrize("domain", DOMAINS)
def test_operating_points_are_claimed_and_asked_once(domain: str) -> None:
    plan = load_plan(ROOT / "plans" / f"{domain}.yaml").plan
    points = {s.name for s in plan.systems if s.of}
    assert {
        f"{s}-{p}"
        for s in ("two-heads", "projective")
        for p in ("safety-first", "accuracy-first", "balanced")
    } <= points
    assert points == {c.system for c in plan.claims} & points


def test_only_the_seeds_and_the_device_differ_between_runs_of_a_mode() -> None:
    one = plan_of(Asked(domain="rf", mode="paper", seeds=[1]))
    other = plan_of(Asked(domain="rf", mode="paper", seeds=[5], device="auto"))
    assert one["tasks"] == other["tasks"]
    strip = [
        {**s, "options": {k: v for k, v in s.get("options", {}).items() if k != "device"}}
        for s in other["systems"]
    ]
    assert strip == [{**s, "options": s.get("options", {})} for s in one["systems"]]


def test_a_run_at_chance_level_fails_its_audit(tmp_path: Path) -> None:
    """The claims are those of a smoke run; who stands for the networks says the commonest class."""
    plan = plan_of(Asked(domain="dose", mode="smoke", seeds=[0]))
    plan["tasks"][0]["options"] = {"train": 200, "tune": 20, "calibration": 20, "test": 200}
    chance = {"use": "science.constant", "options": {"say": "likeliest"}}
    plan["systems"] = [
        *(system for system in plan["systems"] if system["name"] in ("median", "decline")),
        *({"name": name, **chance} for name in ("two-heads", "projective")),
    ]
    plan["claims"] = [{**claim, "metric": "macro_f1"} for claim in plan["claims"]]
    made = run(write_plan(tmp_path / "chance.yaml", plan, says=""), out=tmp_path / "run")
    judged = gate(made)
    assert not judged.passes
    assert not any(check.passes for check in judged.checks)
    audit = (made.dir.derived / "CLAIM_AUDIT.md").read_text("utf-8")
    for claim in plan["claims"]:
        assert f"## {claim['id']}: supported" not in audit
    assert "records: 200 samples in 200 groups, seed 0" in audit
    assert "`assay verify RUN`" in audit


def test_a_folder_with_another_run_is_refused_and_the_plan_beside_it_stays(tmp_path: Path) -> None:
    plan = plan_of(Asked(domain="dose", mode="smoke", seeds=[0, 4]))
    plan["tasks"][0]["options"] = {"train": 200, "tune": 20, "calibration": 20, "test": 20}
    plan["systems"], plan["claims"] = plan["systems"][:1], []
    beside = tmp_path / "dose.yaml"
    run(write_plan(beside, plan, says="mine"), out=tmp_path / "dose")
    before = beside.read_bytes()
    asked = Asked(domain="dose", mode="smoke", seeds=[0, 1, 2])
    with pytest.raises(PlanError) as caught:
        run_domain(asked, Wanted(out=tmp_path / "dose"))
    assert caught.value.code == "A503"
    assert "its seeds are 0, 4" in caught.value.what
    assert "--skip-complete" in caught.value.hint
    assert beside.read_bytes() == before


def test_a_folder_that_is_no_run_gets_no_plan_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "mine"
    here.mkdir()
    (here / "thesis.txt").write_text("do not touch")
    monkeypatch.chdir(here)
    for out in (here, Path()):
        with pytest.raises(SealError):
            run_domain(Asked(domain="dose", mode="smoke", seeds=[0]), Wanted(out=out))
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
