"""How cells become processes, and what a run says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.engine.teller import Silence
from assay.engine.works import works
from assay.store.manifest import CellFacts, Manifest, Provenance, read_doc
from assay.store.rundir import RunDir
from assay.store.samples import fingerprint, read_samples
from assay.store.seal import faults, journals
from runs import SMOKE, execute_plan, lines_of, resolve_plan, write_plan

TOGETHER = """
    name: together
    seeds: [3, 5]
    tasks: [{use: awkward.copy, options: {n: 6}}]
    timing: {processes: 1, blocks: 1, questions: 1}
    systems:
      - {name: many, use: awkward.together}
      - {name: votes, use: toy.votes}
"""


def test_seeds_that_are_built_together_share_one_process_and_each_has_its_cell(
    plugins: None, tmp_path: Path
) -> None:
    run = execute_plan(write_plan(tmp_path, TOGETHER), tmp_path / "run")
    for seed in (3, 5):
        said = {line.decided.value for line in lines_of(run, "many", seed=seed).values()}
        assert said == {seed}
    cells = [c for c in read_doc(Provenance, run.provenance).cells if c.system == "many"]
    assert [cell.seed for cell in cells] == [3, 5]
    assert len({cell.notes["process"] for cell in cells}) == 1
    assert all(cell.build_s is not None for cell in cells)
    assert faults(run) == []


def test_what_needs_the_machine_alone_is_asked_alone(plugins: None, tmp_path: Path) -> None:
    resolved = resolve_plan(write_plan(tmp_path, TOGETHER))
    found = list(works(RunDir(tmp_path / "run"), resolved, Silence()))
    alone = {work.system for work, exclusive in found if exclusive}
    assert alone == {"many"}
    seeds = {work.system: work.job.seeds for work, _ in found}
    assert seeds["many"] == [3, 5]
    assert [work.job.seeds for work, _ in found if work.system == "votes"] == [[3], [5]]


def test_a_system_that_may_abstain_is_also_asked_what_thresholds_are_chosen_from() -> None:
    found = works(RunDir(Path("/nowhere")), resolve_plan(SMOKE), Silence())
    splits = {work.system: tuple(work.asked) for work, _ in found}
    assert splits["votes"] == ("tune", "calibration", "test")
    assert splits["last-word"] == ("test",)


def test_a_worker_is_never_told_where_the_test_samples_are(smoke: RunDir) -> None:
    resolved = resolve_plan(SMOKE)
    for work, _ in works(smoke, resolved, Silence()):
        told = (work.job.train, work.job.tune, work.job.workdir, json.dumps(work.job.options))
        assert not any("test.jsonl" in word or "calibration" in word for word in told)


def test_the_manifest_says_what_was_asked(smoke: RunDir) -> None:
    manifest = read_doc(Manifest, smoke.manifest)
    resolved = resolve_plan(SMOKE)
    assert manifest.seeds == (0, 1, 2)
    assert set(manifest.systems) == set(resolved.systems)
    for split, facts in manifest.tasks["toy.errands"].splits.items():
        samples = read_samples(smoke.samples("toy.errands", split))
        assert facts.samples == len(samples)
        assert facts.groups == len({s.cluster for s in samples})
        assert facts.digest == fingerprint(samples)
    assert manifest.systems["votes"].max_risk == 0.1
    assert {n for n, s in manifest.systems.items() if s.control} == {"silent", "random", "constant"}


def test_the_plan_is_kept_as_given(smoke: RunDir) -> None:
    assert smoke.plan.read_bytes() == SMOKE.read_bytes()
    assert read_doc(Manifest, smoke.manifest).overrides == ("timing.blocks=2",)


def test_the_provenance_says_where_it_ran(smoke: RunDir) -> None:
    found = read_doc(Provenance, smoke.provenance)
    assert found.machine["cpus"]
    assert found.machine["python"]
    assert "assay-eval" in found.packages
    assert len(found.attempts) == 1
    assert set(found.attempts[0]) == {"started", "assay", "how", "kept", "sealed"}
    assert (found.attempts[0]["how"], found.attempts[0]["kept"]) == ("new", 0)


def test_every_journal_has_the_facts_of_its_cell(smoke: RunDir) -> None:
    for path in journals(smoke):
        facts = read_doc(CellFacts, path.with_suffix(".cell.json"))
        assert facts.n == path.read_bytes().count(b"\n")
        assert facts.crashes == 0
        assert f"{facts.seed}-{facts.split}" == path.stem


def test_the_second_pass_asks_every_system_the_same_questions(smoke: RunDir) -> None:
    asked: dict[str, list[tuple[int, str]]] = {}
    for raw in smoke.timing("toy.errands", 0).read_text().splitlines():
        line = json.loads(raw)
        asked.setdefault(line["system"], []).append((line["block"], line["sample"]))
        assert line["latency_s"] > 0
    assert set(asked) == {"votes", "last-word"}
    assert sorted(asked["votes"]) == sorted(asked["last-word"])
    assert {block for block, _ in asked["votes"]} == {0, 1}


@pytest.mark.parametrize("workers", [1, 8])
def test_any_number_of_workers_will_do(plugins: None, tmp_path: Path, workers: int) -> None:
    plan = write_plan(tmp_path, TOGETHER.replace("seeds: [3, 5]", "seeds: [3]"))
    assert faults(execute_plan(plan, tmp_path / "run", workers=workers)) == []
