"""A run that stopped goes on where it stopped, and never asks twice what it knows."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from assay import PlanError
from assay.core.errors import RunError, SealError
from assay.engine.execute import execute
from assay.engine.resolve import CONTROLS
from assay.store.canon import digest
from assay.store.journal import repair
from assay.store.manifest import Manifest, Provenance, read_doc, write_doc
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals, read_seal
from runs import (
    CHILD,
    SMOKE,
    copy_of,
    decisions,
    execute_plan,
    finish,
    lines_of,
    resolve_plan,
    start_child,
    write_plan,
)

COPY = """\
name: copy
seeds: [0]
tasks: [{use: awkward.copy, options: {n: 40}}]
timing: {processes: 1, blocks: 1, questions: 1}
limits: {reply_s: 600}
systems:
"""
FAST = ("timing.blocks=1", "timing.questions=1", "tasks.toy.errands.limit=60")


class Counting:
    """A teller that counts what was asked in this process."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.notes: list[str] = []

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """Start counting again: only the first phase asks what is recorded."""
        if phase.startswith("timing"):
            self.advance = lambda _system, _replies: None  # type: ignore[method-assign]

    def advance(self, system: str, replies: int) -> None:
        """Count."""
        self.asked[system] += replies

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


def reopen(run: RunDir, system: str, kept: int) -> None:
    """Take back the seal and all but the first lines of a system's test cell."""
    run.seal.unlink()
    [path] = [p for p in journals(run) if p.parent.name == system and p.stem == "0-test"]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:17])
    path.with_suffix(".cell.json").unlink()


def resume(run: RunDir, plan: Path, *overrides: str) -> Counting:
    teller = Counting()
    execute(resolve_plan(plan, *overrides), out=run.root, workers=2, teller=teller)
    return teller


def restarts(run: RunDir) -> dict[str, int]:
    cells = read_doc(Provenance, run.provenance).cells
    return {c.system: c.restarts for c in cells if c.system not in CONTROLS}


def test_only_what_is_missing_is_asked(plugins: None, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, COPY + "  - {name: echo, use: awkward.echo}\n")
    run = execute_plan(plan, tmp_path / "run")
    wanted = decisions(run)
    reopen(run, "echo", 33)
    assert resume(run, plan).asked == {"echo": 7}
    assert decisions(run) == wanted
    assert faults(run) == []


def test_the_cell_of_a_stateful_system_starts_again(plugins: None, tmp_path: Path) -> None:
    rows = "  - {name: honest, use: awkward.odd, options: {what: counts}}\n"
    rows += "  - {name: secret, use: awkward.odd, options: {what: counts_secretly}}\n"
    plan = write_plan(tmp_path, COPY + rows)
    run = execute_plan(plan, tmp_path / "run")
    wanted = [line.decided.value for line in lines_of(run, "honest").values()]
    assert wanted == list(range(40))
    reopen(run, "honest", 30)
    assert resume(run, plan).asked == {"honest": 40}
    assert restarts(run) == {"honest": 1, "secret": 0}
    assert [line.decided.value for line in lines_of(run, "honest").values()] == wanted
    # Who keeps it a secret goes on with a new past: this is why it must be said.
    reopen(run, "secret", 30)
    assert resume(run, plan).asked == {"secret": 10}
    secret = [line.decided.value for line in lines_of(run, "secret").values()]
    assert secret == [*range(30), *range(10)]


def test_crashes_are_asked_again_by_the_next_process(plugins: None, tmp_path: Path) -> None:
    rows = "  - {name: disk, use: testing.faulty, options: {fault: disk, every: 4}}\n"
    plan = write_plan(tmp_path, COPY + rows)
    run = execute_plan(plan, tmp_path / "run")
    before = Counter(line.decided.kind for line in lines_of(run, "disk").values())
    assert before["crash"] >= 1
    run.seal.unlink()
    assert resume(run, plan).asked["disk"] >= before["crash"]
    assert faults(run) == []


def test_a_sealed_run_is_not_asked_again(smoke: RunDir) -> None:
    teller = resume(smoke, SMOKE, "timing.blocks=2")
    assert teller.asked == {}
    assert teller.notes == [f"{smoke.root} is sealed already; nothing was asked"]


def test_every_process_that_wrote_a_run_is_remembered(plugins: None, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, COPY + "  - {name: echo, use: awkward.echo}\n")
    run = execute_plan(plan, tmp_path / "run")
    for _ in range(2):
        run.seal.unlink()
        resume(run, plan)
    history = read_doc(Provenance, run.provenance).attempts
    assert len(history) == 3
    assert all(attempt["started"] for attempt in history)
    assert [attempt["how"] for attempt in history] == ["new", "resumed", "resumed"]
    assert [attempt["kept"] for attempt in history] == [0, 160, 160]


def test_a_run_of_another_plan_is_not_written_over(smoke: RunDir, tmp_path: Path) -> None:
    run = copy_of(smoke, tmp_path / "copy")
    with pytest.raises(PlanError) as caught:
        execute(resolve_plan(SMOKE, "ship.margin=0.02"), out=run.root)
    assert caught.value.code == "A503"
    assert faults(run) == []


DOWN = COPY + "  - {name: odd, use: awkward.odd, options: {what: needs_the_machine}}\n"


def test_a_sealed_run_with_crashes_left_is_asked_those_again_and_sealed_again(
    plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write_plan(tmp_path, DOWN)
    monkeypatch.setenv("AWKWARD_DOWN", "1")
    run = execute_plan(plan, tmp_path / "run")
    before, sealed = lines_of(run, "odd"), run.seal.read_bytes()
    crashed = {name for name, line in before.items() if line.crashed}
    assert 0 < len(crashed) < 40
    assert read_seal(run).incomplete
    monkeypatch.delenv("AWKWARD_DOWN")
    shutil.rmtree(run.work)  # the history is in the provenance too
    teller = resume(run, plan)
    assert teller.asked == {"odd": len(crashed)}
    assert teller.notes == [
        f"{run.root} was sealed with crashes left: they are asked again, and it is sealed again"
    ]
    after = lines_of(run, "odd")
    assert read_seal(run).incomplete == ()
    assert {n: line for n, line in after.items() if n not in crashed} == {
        n: line for n, line in before.items() if n not in crashed
    }
    assert faults(run) == []
    one, two = read_doc(Provenance, run.provenance).attempts
    assert (one["how"], two["how"]) == ("new", "crashes retried")
    assert one["sealed"] < two["sealed"]
    assert two["unsealed"] == digest(sealed)
    whole = run.seal.read_bytes()
    assert resume(run, plan).asked == {}
    assert run.seal.read_bytes() == whole


def test_an_edited_run_with_crashes_left_is_not_sealed_again(
    plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write_plan(tmp_path, DOWN)
    monkeypatch.setenv("AWKWARD_DOWN", "1")
    run = execute_plan(plan, tmp_path / "run")
    [path] = [p for p in journals(run) if p.parent.name == "odd"]
    path.write_bytes(path.read_bytes().replace(b'"correct"', b'"wrongly"', 1))
    sealed = run.seal.read_bytes()
    with pytest.raises(SealError) as caught:
        resume(run, plan)
    assert caught.value.code == "A300"
    assert run.seal.read_bytes() == sealed


def test_another_version_of_assay_does_not_go_on_with_a_run(smoke: RunDir, tmp_path: Path) -> None:
    run = copy_of(smoke, tmp_path / "copy")
    manifest = read_doc(Manifest, run.manifest)
    packages = manifest.packages | {"assay-eval": "0.0.7"}
    write_doc(run.manifest, manifest.model_copy(update={"packages": packages}))
    assert resume(run, SMOKE, "timing.blocks=2").asked == {}  # a complete run needs no version
    run.seal.unlink()
    with pytest.raises(PlanError) as caught:
        resume(run, SMOKE, "timing.blocks=2")
    assert caught.value.code == "A503"
    assert "assay 0.0.7 began this run" in caught.value.what
    assert "assay-eval==0.0.7" in caught.value.hint


@pytest.mark.parametrize("name", ["notes.txt", "samples", "plan.yaml", ".hidden"])
def test_a_folder_that_holds_something_else_is_not_written_into(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(SealError) as caught:
        execute(resolve_plan(SMOKE), out=tmp_path)
    assert caught.value.code == "A303"
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_process_that_died_before_the_manifest_leaves_a_folder_that_can_be_resumed(
    smoke: RunDir, tmp_path: Path
) -> None:
    run = copy_of(smoke, tmp_path / "copy")
    for name in ("manifest.json", "SEAL", "provenance.json"):
        (run.root / name).unlink()
    (run.root / ".plan.yaml.1.part").write_text("half")
    (run.root / "samples" / "other").mkdir()
    (run.root / "samples" / "other" / "test.jsonl").write_text("of another plan")
    execute(resolve_plan(SMOKE, "timing.blocks=2"), out=run.root)
    assert decisions(run) == decisions(smoke)
    assert faults(run) == []
    assert not (run.root / "samples" / "other").exists()
    assert not list(run.root.rglob("*.part"))


def test_a_damaged_journal_stops_the_run_and_says_which_file_to_delete(
    smoke: RunDir, tmp_path: Path
) -> None:
    run = copy_of(smoke, tmp_path / "copy")
    reopen(run, "votes", 100)
    path = run.root / "records" / "toy.errands" / "votes" / "0-test.jsonl"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"correct"', b'"wrongly"', 1))
    with pytest.raises(SealError) as caught:
        resume(run, SMOKE, "timing.blocks=2")
    assert caught.value.code == "A304"
    assert caught.value.where.startswith(str(path))
    assert "delete this one file" in caught.value.hint
    path.unlink()
    resume(run, SMOKE, "timing.blocks=2")
    assert decisions(run) == decisions(smoke)


INTERRUPTED = """
import os, signal
real, left = os.write, [4]
def write(handle, data):
    left[0] -= data[:10] == b'{"decided"'
    if not left[0]:
        os.kill(os.getpid(), signal.SIGINT)
    return real(handle, data)
os.write = write
"""


def test_control_c_ends_a_run_that_can_be_resumed(smoke: RunDir, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED + CHILD, str(SMOKE), str(out), "2", "timing.blocks=2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (-signal.SIGINT, 130), done.stderr
    assert done.stderr.strip().endswith("KeyboardInterrupt")
    assert "never retrieved" not in done.stderr
    run = RunDir(out)
    assert not run.seal.exists()
    kept = sum(len(repair(path).lines) for path in journals(run))
    assert kept > 0
    teller = resume(run, SMOKE, "timing.blocks=2")
    whole = sum(path.read_bytes().count(b"\n") for path in journals(smoke))
    assert sum(teller.asked.values()) == whole - kept
    assert decisions(run) == decisions(smoke)


def children_of(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_do_not_outlive_a_killed_engine_for_long(
    plugins: None, tmp_path: Path, how: signal.Signals
) -> None:
    rows = "  - {name: a, use: awkward.odd, options: {what: sleeps_for_ever}}\n"
    rows += "  - {name: b, use: awkward.odd, options: {what: builds_for_ever}}\n"
    engine = start_child(write_plan(tmp_path, COPY + rows), tmp_path / "run")
    log = tmp_path / "run" / "records" / "awkward.copy" / "a" / "0-test.jsonl"
    while not (log.exists() and len(children_of(engine.pid)) == 2):
        assert engine.poll() is None
        select.select([], [], [], 0.02)
    workers = [os.pidfd_open(pid) for pid in children_of(engine.pid)]
    assert select.select(workers, [], [], 0)[0] == []
    os.kill(engine.pid, how)
    finish(engine)
    for worker in workers:
        ended, _, _ = select.select([worker], [], [], 20)
        os.close(worker)
        assert ended, "a worker still hangs 20 s after its engine is gone"


CHILDREN = COPY + "  - {name: parent, use: awkward.odd, options: {what: has_a_child}}\n"


def has_ended(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([handle], [], [], 20)
    os.close(handle)
    return bool(ended)


def test_what_a_system_started_ends_with_it(plugins: None, tmp_path: Path) -> None:
    run = execute_plan(write_plan(tmp_path, CHILDREN), tmp_path / "run")
    [noted] = run.work.rglob("child")
    assert has_ended(int(noted.read_text()))


def test_what_a_system_started_does_not_outlive_a_killed_engine(
    plugins: None, tmp_path: Path
) -> None:
    rows = "  - {name: b, use: awkward.odd, options: {what: sleeps_for_ever}}\n"
    engine = start_child(write_plan(tmp_path, CHILDREN + rows), tmp_path / "run")
    work = tmp_path / "run" / "cache"
    noted: list[Path] = []
    while not any(path.read_text() for path in noted):
        assert engine.poll() is None
        select.select([], [], [], 0.02)
        noted = list(work.rglob("child"))
    os.kill(engine.pid, signal.SIGKILL)
    finish(engine)
    assert has_ended(int(noted[0].read_text()))


def test_two_processes_cannot_write_one_run(plugins: None, tmp_path: Path) -> None:
    rows = "  - {name: a, use: awkward.odd, options: {what: sleeps_for_ever}}\n"
    plan = write_plan(tmp_path, COPY + rows)
    engine = start_child(plan, tmp_path / "run")
    while not (tmp_path / "run" / "manifest.json").exists():
        assert engine.poll() is None
        select.select([], [], [], 0.02)
    try:
        with pytest.raises(RunError, match="A501"):
            execute_plan(plan, tmp_path / "run")
    finally:
        engine.kill()
        finish(engine)


def test_without_a_folder_an_unfinished_run_of_the_plan_is_found_again(
    plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = write_plan(tmp_path, COPY + "  - {name: echo, use: awkward.echo}\n")
    first = execute(resolve_plan(plan))
    assert first.root.parent == Path("runs")
    first.seal.unlink()
    assert execute(resolve_plan(plan)).root == first.root
    second = execute(resolve_plan(plan))
    assert second.root != first.root, "a sealed run is not written again"
    ledger = [json.loads(line) for line in Path("runs/ledger.jsonl").read_text().splitlines()]
    assert {use["run"] for use in ledger} == {first.root.name, second.root.name}


def test_a_ledger_that_cannot_be_written_is_said_and_stops_nothing(
    plugins: None, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path, COPY + "  - {name: echo, use: awkward.echo}\n")
    (tmp_path / "ledger.jsonl").mkdir()
    teller = resume(RunDir(tmp_path / "run"), plan)
    assert any("ledger" in note for note in teller.notes)
    assert RunDir(tmp_path / "run").seal.exists()
