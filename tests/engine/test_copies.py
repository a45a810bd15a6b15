"""A system that has the replies of another, above a threshold of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import PlanError
from assay.core.record import Cell
from assay.publish.running import run
from assay.store.manifest import CellFacts, read_doc
from assay.store.rundir import RunDir
from assay.store.seal import read_seal
from assay.store.timed import read_timing
from runs import execute_plan, resolve_plan, write_plan

PLAN = """
    name: points
    seeds: [0, 1]
    tasks: [{use: toy.errands, limit: 120}]
    timing: {processes: 2, blocks: 2, questions: 2}
    systems:
      - {name: careful, of: votes, abstain: {utility: {wrong: -9}}}
      - {name: votes, use: toy.votes, abstain: {utility: {wrong: -0.1}}}
      - {name: last, use: toy.last_word}
    claims:
      - {id: c, says: Care lowers the risk, system: careful, against: votes, metric: risk, at_most: 0.0}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    folder = tmp_path_factory.mktemp("points")
    return execute_plan(write_plan(folder, PLAN), folder / "run")


def test_both_have_the_same_replies_and_only_one_was_asked(made: RunDir) -> None:
    for split in ("tune", "calibration", "test"):
        for seed in (0, 1):
            one, other = (
                Cell(task="toy.errands", system=name, seed=seed, split=split)
                for name in ("votes", "careful")
            )
            assert made.journal(one).read_bytes() == made.journal(other).read_bytes()
            facts = [read_doc(CellFacts, made.finished(cell)) for cell in (one, other)]
            assert facts[0].decisions == facts[1].decisions
    assert not (made.work / "logs" / "toy.errands" / "careful").exists()


def test_both_took_the_same_time(made: RunDir) -> None:
    lines = [x for p in sorted((made.root / "timing").glob("*/*.jsonl")) for x in read_timing(p)]
    took = {name: [x.latency_s for x in lines if x.system == name] for name in ("votes", "careful")}
    assert took["votes"] == took["careful"] != []


def test_each_has_a_threshold_of_its_own_and_a_claim_may_compare_them(made: RunDir) -> None:
    found = run(made.plan, out=made.root)
    case = found.results.cases["toy.errands"]
    for seed in (0, 1):
        assert case.thresholds["careful"][seed].value > case.thresholds["votes"][seed].value
    risk = {name: found.estimate("risk", name).value for name in ("votes", "careful")}
    assert risk["careful"] < risk["votes"]
    assert [finding.claim.system for finding in found.results.findings] == ["careful"]
    assert found.verify() == []
    assert found.manifest.systems["careful"].of == "votes"


def test_a_run_that_was_stopped_between_the_copies_goes_on(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, PLAN)
    made = execute_plan(plan, tmp_path / "run")
    decisions = read_seal(made).decisions
    made.seal.unlink()
    cell = Cell(task="toy.errands", system="careful", seed=1, split="test")
    made.finished(cell).unlink()
    made.journal(cell).write_bytes(b"")
    for path in (made.root / "timing").glob("*/*.jsonl"):
        kept = [x for x in path.read_bytes().splitlines(keepends=True) if b"careful" not in x]
        path.write_bytes(b"".join(kept))
    again = execute_plan(plan, tmp_path / "run")
    assert read_seal(again).decisions == decisions


@pytest.mark.parametrize(
    ("systems", "code", "says"),
    [
        ("{name: a, of: b, abstain: {utility: {wrong: -1}}}", "A103", "no system with a recipe"),
        (
            (
                "{name: a, of: b, abstain: {utility: {wrong: -1}}}, {name: b, of: c, abstain: "
                "{utility: {wrong: -1}}}, {name: c, use: toy.votes}"
            ),
            "A103",
            "is of 'b'",
        ),
        ("{name: a, of: b}, {name: b, use: toy.votes}", "A102", "give it `abstain`"),
        ("{name: a}", "A102", "`use` a recipe"),
        (
            "{name: a, use: toy.votes, abstain: {metric: acuracy}}",
            "A103",
            "no metric of toy.errands",
        ),
        (
            "{name: a, use: toy.votes, abstain: {metric: accuracy, per: class}}",
            "A102",
            "leave `per` out",
        ),
        (
            "{name: a, of: b, use: toy.votes, abstain: {utility: {wrong: -1}}}, {name: b, use: toy.votes}",
            "A102",
            "`use` a recipe",
        ),
        (
            (
                "{name: a, of: b, options: {bag: 0.5}, abstain: {utility: {wrong: -1}}}, "
                "{name: b, use: toy.votes}"
            ),
            "A102",
            "the options and the limit of the system",
        ),
    ],
)
def test_what_a_system_cannot_be_of_is_refused(
    tmp_path: Path, systems: str, code: str, says: str
) -> None:
    plan = f"""
        name: wrong
        tasks: [{{use: toy.errands}}]
        systems: [{systems}]
    """
    with pytest.raises(PlanError) as caught:
        resolve_plan(write_plan(tmp_path, plan))
    assert caught.value.code == code
    assert says in str(caught.value)
