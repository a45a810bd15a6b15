"""A run on a real Ray cluster of several nodes: what is lost, killed or stopped changes no decision."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray")

from assay.store.journal import read_lines
from assay.store.manifest import Provenance, read_doc
from assay.store.replies import read_replies
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals, read_seal
from ray_here import PATIENCE_S, Nodes, answers, client_server, killing, ray_nodes, wait_for
from runs import PLUGINS, SMOKE, decisions, execute_plan, installed, write_plan

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

MANY = """\
name: many
seeds: [0]
tasks: [{use: toy.errands, options: {copies: 48}}]
timing: {processes: 1, blocks: 1, questions: 1}
systems:
  - {name: last-word, use: toy.last_word}
"""
"""25,344 samples, asked of a system and three controls: 101,376 replies."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Hold a cluster of three nodes; the last one has a GPU, which is only counted."""
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        assert PLUGINS.is_dir()
        with ray_nodes("2", "2", "1+1") as up:
            yield up


def once(run: RunDir) -> dict[str, list[str]]:
    """Return what was decided, line by line, sorted; a line that is there twice is there twice."""
    return {
        str(path.relative_to(run.root)): sorted(repr(line.decided) for line in read_lines(path))
        for path in journals(run)
    }


def test_a_cluster_decides_what_this_machine_decides_record_for_record(
    nodes: Nodes, smoke: RunDir, tmp_path: Path
) -> None:
    run = RunDir(tmp_path / "run")
    nodes.run(SMOKE, run.root, "timing.blocks=2", per_task=150)
    assert decisions(run) == decisions(smoke)
    assert once(run) == once(smoke)
    assert faults(run) == []
    [attempt] = read_doc(Provenance, run.provenance).attempts
    assert (attempt["engine"], attempt["nodes"], attempt["cpus"]) == ("ray", 4, 5.0)
    assert not (run.work / "shards").exists()


def test_systems_that_die_count_build_together_or_want_a_gpu_decide_the_same(
    nodes: Nodes, tmp_path: Path
) -> None:
    plan = write_plan(
        tmp_path,
        """\
        name: odd
        seeds: [0, 1]
        tasks: [{use: awkward.copy, options: {n: 120}}]
        timing: {processes: 1, blocks: 1, questions: 1}
        limits: {deaths: 3}
        systems:
          - {name: dies, use: testing.faulty, options: {fault: dies, every: 40}}
          - {name: doomed, use: testing.faulty, options: {fault: dies, every: 6}}
          - {name: counts, use: awkward.odd, options: {what: counts}}
          - {name: together, use: awkward.together}
          - {name: gpu, use: awkward.wants, options: {gpu: true}}
        """,
    )
    here = execute_plan(plan, tmp_path / "here")
    there = RunDir(tmp_path / "there")
    nodes.run(plan, there.root, per_task=30)
    assert decisions(there) == decisions(here)
    assert once(there) == once(here)


def test_a_hundred_thousand_replies_outlive_a_process_killed_every_few_seconds(
    nodes: Nodes, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path, MANY)
    here = execute_plan(plan, tmp_path / "here")
    there = RunDir(tmp_path / "there")
    with killing(nodes, there.root, every_s=3.0, seed=1) as killed:
        said = nodes.run(plan, there.root, per_task=2000)
    assert killed, "nobody was killed: nothing was tried"
    assert said.count("was lost") >= 1
    # A part of which five processes in a row were killed before any answer is given up, and the seal says so.
    if read_seal(there).incomplete:
        nodes.run(plan, there.root, per_task=2000)
    assert read_seal(there).incomplete == ()
    assert decisions(there) == decisions(here)
    lines = [line.decided for path in journals(there) for line in read_lines(path)]
    assert {line.reason for line in lines if line.kind == "crash"} <= {"machine_lost"}
    answered = {
        path: [line for line in found if "kind='crash'" not in line]
        for path, found in once(there).items()
    }
    assert sum(map(len, answered.values())) == 4 * 48 * 528
    assert answered == once(here), "something is lost, or there twice"


def test_a_node_that_dies_while_it_works_costs_nothing_but_time(
    nodes: Nodes, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path, MANY.replace("48", "6"))
    here = execute_plan(plan, tmp_path / "here")
    there = RunDir(tmp_path / "there")
    child = nodes.start(plan, there.root, per_task=400)
    wait_for(lambda: answers(there.root) > 0 and nodes.busy())
    nodes.kill_node(0)
    said, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, said
    nodes.add_node("2")
    assert once(there) == once(here)


def test_a_driver_that_is_killed_goes_on_with_what_its_cluster_answered(
    nodes: Nodes, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path, MANY.replace("48", "6"))
    here = execute_plan(plan, tmp_path / "here")
    there = RunDir(tmp_path / "there")
    for _ in range(2):
        before = answers(there.root)
        child = nodes.start(plan, there.root, per_task=400)
        wait_for(lambda: answers(there.root) > before or child.poll() is not None)  # noqa: B023
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert not there.seal.is_file()
    nodes.run(plan, there.root, per_task=700)  # cut otherwise than before
    assert once(there) == once(here)
    history = read_doc(Provenance, there.provenance).attempts
    assert [attempt["how"] for attempt in history][-1] == "resumed"


def test_a_system_that_no_machine_has_room_for_is_said_before_anything_is_asked(
    nodes: Nodes, tmp_path: Path
) -> None:
    plan = write_plan(
        tmp_path,
        """\
        name: large
        tasks: [{use: awkward.copy}]
        systems: [{name: large, use: awkward.wants, options: {cpus: 64}}]
        """,
    )
    child = nodes.start(plan, tmp_path / "run")
    said, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode != 0
    assert "A505 no machine of the cluster has room for large: it needs 64 CPUs" in said
    assert not (tmp_path / "run" / "records").exists()


APART = """\
name: apart
seeds: [0]
tasks: [{{use: witnessed.copy, options: {{notes: {notes}, n: 240, every: 60, gated: true}}}}]
timing: {{processes: 0}}
systems:
  - {{name: gpu, use: witnessed.speaker, options: {{notes: {notes}, gpu: true}}}}
"""
"""Nothing is checked before there is a file ``go``; every sixtieth answer ends who checks it for the first time."""

COUNTS = "  - {{name: counts, use: witnessed.speaker, options: {{notes: {notes}, gpu: true, what: counts}}}}\n"


def noted(notes: Path, name: str) -> list[list[str]]:
    """Return what systems or verifiers noted, line by line."""
    path = notes / name
    return [line.split() for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def replies_kept(run: RunDir) -> int:
    """Return how many replies of the system with a GPU are in files."""
    return sum(
        sum(1 for _ in read_replies(path)) for path in run.work.glob("shards/*/gpu/*/*.replies")
    )


def test_a_check_holds_no_gpu_and_a_verifier_that_is_killed_asks_nobody_again(
    nodes: Nodes, tmp_path: Path
) -> None:
    notes, there = tmp_path / "notes", RunDir(tmp_path / "there")
    text = APART + COUNTS
    here = execute_plan(
        write_plan(tmp_path, text.format(notes=tmp_path / "other"), "here.yaml"), tmp_path / "here"
    )
    child = nodes.start(write_plan(tmp_path, text.format(notes=notes)), there.root, per_task=60)
    # The one GPU is free for the next question while all answers before it wait for their check.
    wait_for(lambda: len(noted(notes, "asked")) == 480)
    (notes / "go").touch()
    said, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, said
    assert "its rest is checked again" in said
    assert len(list(notes.glob("died-*"))) == 4
    asked = Counter((question, system) for question, system, _ in noted(notes, "asked"))
    assert set(asked.values()) == {1}
    assert {seen for _, _, seen in noted(notes, "asked")} == {"0"}
    checks = noted(notes, "checks")
    assert {(cpus, gpus) for *_, cpus, gpus in checks} == {("1", "0")}
    assert nodes.tell("name 2") not in {node for _, _, node, _, _ in checks}
    assert len({node for _, _, node, _, _ in checks}) == 2
    assert once(there) == once(here)
    assert faults(there) == []
    assert not (there.work / "shards").exists()


def test_a_driver_that_is_killed_between_asking_and_checking_goes_on_with_checking(
    nodes: Nodes, tmp_path: Path
) -> None:
    notes, there = tmp_path / "notes", RunDir(tmp_path / "there")
    here = execute_plan(
        write_plan(tmp_path, APART.format(notes=tmp_path / "other"), "here.yaml"), tmp_path / "here"
    )
    plan = write_plan(tmp_path, APART.format(notes=notes))
    child = nodes.start(plan, there.root, per_task=60)
    wait_for(lambda: replies_kept(there) == 240 and noted(notes, "checks"))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not there.seal.is_file()
    (notes / "go").touch()
    nodes.run(plan, there.root, per_task=100)  # cut otherwise than before
    assert len(noted(notes, "asked")) == 240, "somebody was asked again"
    assert once(there) == once(here)
    assert not (there.work / "shards").exists()


def test_a_client_server_of_ray_decides_what_this_machine_decides(
    smoke: RunDir, tmp_path: Path
) -> None:
    run = RunDir(tmp_path / "run")
    with client_server(2) as (nodes, address):
        nodes.run(SMOKE, run.root, "timing.blocks=2", per_task=150, engine=f"ray://{address}")
    assert decisions(run) == decisions(smoke)
    assert once(run) == once(smoke)
    assert faults(run) == []
    [attempt] = read_doc(Provenance, run.provenance).attempts
    assert (attempt["engine"], attempt["nodes"], attempt["cpus"]) == ("ray", 1, 2.0)


def test_a_run_whose_cluster_goes_away_says_so_and_goes_on_without_it(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, MANY.replace("48", "6"))
    here, there = execute_plan(plan, tmp_path / "here"), RunDir(tmp_path / "there")
    with client_server(2) as (nodes, address):
        child = nodes.start(plan, there.root, per_task=400, engine=f"ray://{address}")
        wait_for(lambda: answers(there.root) > 0 or child.poll() is not None)
        nodes.host.terminate()
        said, _ = child.communicate(timeout=PATIENCE_S)
    assert "A505 the head of the cluster was lost" in said, (child.returncode, said)
    assert child.returncode != 0
    assert once(execute_plan(plan, there.root)) == once(here)
    history = read_doc(Provenance, there.provenance).attempts
    assert int(str(history[-1]["kept"])) > 0
