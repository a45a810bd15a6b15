"""A run is looked at while another process makes it, and feels nothing of it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import Run
from assay.publish.watched import Phase, Watching
from assay.publish.watched.writer import is_written
from assay.store.rundir import RunDir
from going import run_in_progress
from runs import copy_of, execute_plan, start_child, write_plan

PLAN = """\
name: going
says: One of its systems never answers
seeds: [0, 1]
tasks: [{use: toy.errands, limit: 90}]
systems:
  - {name: votes, use: toy.votes, abstain: {max_risk: 0.2}}
  - {name: last-word, use: toy.last_word}
  - {name: asleep, use: awkward.odd, options: {what: sleeps_for_ever}, limit: 30}
timing: {processes: 1, blocks: 2, questions: 1}
limits: {reply_s: 600}
"""


@pytest.fixture(scope="module")
def going(tmp_path_factory) -> Iterator[RunDir]:
    """A run that another process makes, all of it asked but what one system never answers."""
    with run_in_progress(tmp_path_factory.mktemp("going"), PLAN) as run:
        yield run


def listed(root: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(p.relative_to(root)): (p.stat().st_size, p.stat().st_mtime_ns, p.stat().st_mode)
        for p in root.rglob("*")
    }


def one(moment, system: str):
    return next(s for s in moment.systems if s.system == system)


def test_a_run_in_progress_is_shown_by_system_seed_and_split(going):
    moment = Watching(going.root).look()
    assert moment.phase is Phase.ASKING
    votes, asleep = one(moment, "votes"), one(moment, "asleep")
    assert {(c.seed, c.split) for c in votes.cells} == {
        (seed, split) for seed in (0, 1) for split in ("tune", "calibration", "test")
    }
    assert all(cell.finished and cell.there == cell.asked for cell in votes.cells)
    assert (asleep.there, asleep.asked) == (0, 30)
    assert moment.there == moment.asked - 30
    assert [s.system for s in moment.systems][:3] == ["votes", "last-word", "asleep"]
    assert moment.usd is not None
    assert moment.usd > 0
    assert moment.busy_s is not None


def test_what_is_shown_of_a_finished_system_is_what_its_records_say(going):
    seen = one(Watching(going.root).look(), "last-word")
    assert seen.right is not None
    assert seen.right.low < seen.right.value < seen.right.high
    journal = next((going.root / "records").glob("*/last-word/0-test.jsonl"))
    outcomes = [
        line.split('"outcome":"')[1].split('"')[0] for line in journal.read_text().splitlines()
    ]
    right = sum(o in ("correct", "declined") for o in outcomes)
    assert seen.right.value == pytest.approx(right / len(outcomes))


def test_looking_writes_nothing_and_does_not_touch_the_lock(going):
    run = going
    before = listed(run.root)
    watching = Watching(run.root)
    for _ in range(5):
        watching.look()
    assert listed(run.root) == before
    handles = [p.readlink() for p in Path("/proc/self/fd").iterdir() if p.is_symlink()]
    assert not any(str(run.root) in str(target) for target in handles)


def test_a_second_look_reads_only_what_came_since(going):
    watching = Watching(going.root)
    watching.look()
    places = {cell: one.tail.at for cell, one in watching._followed.items()}
    assert sum(places.values()) > 10_000
    assert watching._read() == 0
    assert {cell: one.tail.at for cell, one in watching._followed.items()} == places


def test_whoever_writes_a_run_is_seen_without_trying_its_lock(going, tmp_path):
    run = going
    assert is_written(run.root) is True
    assert is_written(tmp_path) is False
    (tmp_path / ".lock").touch()
    assert is_written(tmp_path) is False
    with (tmp_path / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_written(tmp_path) is True
    assert is_written(tmp_path, locks=tmp_path / "nowhere") is None


def test_a_killed_run_has_stopped_and_goes_on_when_it_is_resumed(going, tmp_path, plugins):
    """The same watcher sees it killed, resumed by another process, and sealed."""
    text = PLAN.replace("what: sleeps_for_ever", "what: counts_secretly").replace(
        "name: going", "name: again"
    )
    plan = write_plan(tmp_path, text)
    out = tmp_path / "run"
    child = start_child(plan, out)
    watching = Watching(out)
    while not watching.look().there:
        assert child.poll() is None
    child.kill()
    child.communicate()
    stopped = watching.look()
    assert stopped.phase is Phase.STOPPED
    assert any("goes on where it stopped" in note for note in stopped.notes)
    execute_plan(plan, out)
    moment = watching.look()
    assert moment.phase is Phase.SEALED
    assert moment.is_over
    assert moment.there == moment.asked
    assert Watching(out).look().systems == moment.systems


def test_a_sealed_run_is_over_and_its_numbers_are_those_of_the_report(smoke):
    moment = Watching(smoke.root).look()
    assert moment.phase is Phase.SEALED
    seen = one(moment, "last-word")
    assert seen.right is not None
    reported = Run.load(smoke.root).estimate("accuracy", "last-word")
    assert seen.right.value == pytest.approx(reported.value)
    assert seen.right.low <= reported.low
    assert seen.right.high >= reported.high


@pytest.mark.parametrize("there", [False, True])
def test_a_run_that_is_not_begun_is_waited_for(tmp_path, there):
    folder = tmp_path / "later"
    if there:
        folder.mkdir()
    watching = Watching(folder)
    moment = watching.look()
    assert (moment.phase, moment.systems) == (Phase.NOT_BEGUN, ())
    assert moment.notes
    assert folder.exists() == there


def test_a_crash_counts_as_not_observed_until_it_is_asked_again(smoke, tmp_path):
    run = copy_of(smoke, tmp_path / "run")
    path = run.root / "records" / "toy.errands" / "last-word" / "0-test.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    gone = b'{"decided":{"sample":"%s","group":"g","kind":"crash","outcome":"crashed","reason":"machine"},"usage":{}}\n'
    name = lines[0].split(b'"sample":"')[1].split(b'"')[0]
    path.write_bytes(gone % name + b"".join(lines[1:]))
    watching = Watching(run.root)
    before = one(watching.look(), "last-word")
    assert before.crashed == 1
    assert before.why == {"machine": 1}
    with path.open("ab") as file:
        file.write(lines[0])
    after = one(watching.look(), "last-word")
    assert (after.crashed, after.there) == (0, before.there)


DAMAGE = {
    "a manifest that is none": ("manifest.json", b"[]"),
    "a manifest of another version": ("manifest.json", b'{"schema_version": 99}'),
    "a manifest that is cut": ("manifest.json", b'{"schema_ver'),
    "a plan that is none": ("plan.yaml", b"\x00\xff: ["),
    "attempts that are none": ("cache/attempts.json", b'{"a": [[['),
    "samples that are none": ("samples/toy.errands/test.jsonl", b"\xff\n[]\n"),
    "a cell file that is none": ("records/toy.errands/votes/0-test.cell.json", b"{}"),
    "a journal that is none": ("records/toy.errands/votes/0-test.jsonl", b"\xff\n{}\n[1,2]\n"),
    "a journal with another name": ("records/toy.errands/votes/what-test.jsonl", b"{}\n"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_is_shown_as_far_as_it_can_be_read(smoke, tmp_path, name):
    run = copy_of(smoke, tmp_path / "run")
    place, data = DAMAGE[name]
    (run.root / place).write_bytes(data)
    moment = Watching(run.root).look()
    if place == "manifest.json":
        assert moment.phase is Phase.BROKEN
        assert moment.notes
    else:
        assert moment.phase is Phase.SEALED
        assert one(moment, "last-word").there


def test_names_of_a_manifest_lead_nowhere(smoke, tmp_path):
    """A stranger's manifest names a system ``../../x``: no file of that name is looked for."""
    run = copy_of(smoke, tmp_path / "run")
    text = run.manifest.read_text().replace('"last-word"', '"../../../outside"')
    run.manifest.write_text(text)
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(run.root / "records/toy.errands/last-word/0-test.jsonl", outside)
    moment = Watching(run.root).look()
    assert {s.system for s in moment.systems} == {"votes", "constant", "random", "silent"}
