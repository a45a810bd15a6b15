"""Replies that are checked apart from where they came: whoever is lost, nobody is asked twice."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import PluginError
from assay.core.record import Cell
from assay.core.system import Needs
from assay.core.verdict import SameAnswer
from assay.engine.engines import Processes
from assay.engine.folder import Stand, begin_attempt
from assay.engine.folding import fold, forget_shards
from assay.engine.ray.batch import LOST_TRIES, Batch
from assay.engine.ray.cluster import Machine
from assay.engine.ray.driver import _Desk
from assay.engine.ray.left import adopt
from assay.engine.ray.node import answer
from assay.engine.ray.order import encode
from assay.engine.ray.placing import check_needs, is_apart, place
from assay.engine.resolve import Resolved
from assay.engine.unchecked import keeping, reply_of, said_of
from assay.store.journal import read_lines
from assay.store.manifest import CellFacts, read_doc
from assay.store.replies import first_of, read_replies
from assay.store.rundir import RunDir
from assay.store.shards import Shard, shards_in
from parts_here import batch_of, divide, reopened, reopened_lightly, serve, truth
from runs import PLUGINS, decisions, execute_plan, installed, resolve_plan, write_plan
from strategies import replies

PLAN = """\
name: apart
seeds: [0]
tasks: [{use: witnessed.copy, options: {notes: NOTES, n: 40}}]
timing: {processes: 1, blocks: 1, questions: 1}
limits: {deaths: 3}
systems:
  - {name: echo, use: witnessed.speaker, options: {notes: NOTES, gpu: true}}
  - {name: dies, use: witnessed.speaker, options: {notes: NOTES, what: dies, gpu: true}}
  - {name: counts, use: witnessed.speaker, options: {notes: NOTES, what: counts, gpu: true}}
"""
TASK = "witnessed.copy"
ECHO = Cell(task=TASK, system="echo", seed=0, split="test")


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which systems and verifiers note what they did."""
    return tmp_path_factory.mktemp("notes")


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, notes: Path
) -> Iterator[tuple[RunDir, Resolved]]:
    """Return a run that this machine's processes made, and its plan."""
    folder = tmp_path_factory.mktemp("apart")
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        assert PLUGINS.is_dir()
        plan = write_plan(folder, PLAN.replace("NOTES", str(notes)))
        yield execute_plan(plan, folder / "run"), resolve_plan(plan)


def apart(run: RunDir, resolved: Resolved, system: str, prefix: str = "p") -> Batch:
    """Return the batch of a system whose replies are checked in tasks of their own."""
    batch = batch_of(run, resolved, system, prefix)
    recipe = resolved.systems[system].recipe
    batch.apart = is_apart(recipe, batch.work.verifier)
    assert batch.apart
    return batch


def asked(notes: Path) -> Counter[str]:
    """Return how often each question was asked, by the notes."""
    path = notes / "asked"
    return Counter(line.split()[0] for line in path.read_text().splitlines())


@given(replies())
def test_a_reply_is_kept_as_it_was_said(reply: object) -> None:
    assert reply_of(said_of(reply)) == reply


@pytest.mark.slow
@pytest.mark.parametrize("system", ["echo", "dies", "counts"])
def test_what_is_checked_apart_is_decided_as_here_and_asked_once(
    made: tuple[RunDir, Resolved], notes: Path, tmp_path: Path, system: str
) -> None:
    whole, resolved = made
    run = reopened(whole, tmp_path / "run")
    batch = apart(run, resolved, system)
    divide(batch, 3)
    before = asked(notes)
    serve(run, resolved, batch)
    assert batch.over
    cell = Cell(task=TASK, system=system, seed=0, split="test")
    assert truth(run, cell) == truth(whole, cell)
    facts, wanted = (read_doc(CellFacts, r.finished(cell)) for r in (run, whole))
    assert facts.decisions == wanted.decisions
    if system == "echo":
        assert set((asked(notes) - before).values()) == {1}
    forget_shards(run)
    assert not (run.work / "shards").exists()


@settings(max_examples=15)
@given(data=st.data())
def test_any_losses_while_asking_or_checking_come_to_what_one_process_came_to(
    data: st.DataObject,
    made: tuple[RunDir, Resolved],
    notes: Path,
    kept: RunDir,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole, resolved = made
    run = reopened_lightly(whole, tmp_path_factory.mktemp("any"))
    (run.work).mkdir()
    (run.work / "cluster").write_bytes(b"seen")
    said = {s.sample: s for s in read_replies(next(kept.shards(ECHO).glob("*.replies")))}
    batch = apart(run, resolved, "echo")
    divide(batch, data.draw(st.integers(1, 5), label="parts"))
    desk = _Desk(None, run, resolved, None, None)
    before = asked(notes)
    for part in data.draw(st.permutations(batch.parts), label="order"):
        keys = [batch.asks["test"][i][0].id for i in part.places[ECHO]]
        losses = data.draw(st.integers(0, 2), label="lost while asking")
        for at in range(losses + 1):
            part.tries += 1
            shard = Shard(part.name, part.tried, run.shards(ECHO))
            old = [tried.replies for tried in shards_in(run.shards(ECHO), part.name)]
            known = {key for key, _ in first_of(old)}
            todo = [key for key in keys if key not in known]
            last = at == losses
            n = len(todo) if last else data.draw(st.integers(0, len(todo)), label="said")
            with keeping(shard.replies) as taker:
                asyncio.run(taker.take([(None, reply_of(said[key])) for key in todo[:n]]))
            if not last:
                tear(shard.replies, data.draw(st.integers(0, 300), label="torn"))
                batch.lose(part)
                part.lost, part.barren = False, 0
        part.end_try(
            {"built": [[0, "test", {"build_s": 1.0}]], "whole": False, "restarts": 0}, "ask"
        )
        for _ in range(data.draw(st.integers(0, 2), label="lost while checking")):
            part.tries += 1
            assert batch.step(part) == "check"
            assert "error" not in answer(encode(desk._order(batch, part)))
            shard = Shard(part.name, part.tried, run.shards(ECHO))
            tear(shard.lines, data.draw(st.integers(0, 4000), label="torn"))
            batch.lose(part)
            part.lost, part.barren = False, 0
        part.tries += 1
        part.end_try(answer(encode(desk._order(batch, part))), "check")
        assert batch.merge() is None
    assert batch.over
    assert truth(run, ECHO) == truth(whole, ECHO)
    assert asked(notes) == before
    assert shards_in(run.shards(ECHO)) == []


@pytest.fixture(scope="module")
def kept(made: tuple[RunDir, Resolved], tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a run in which everything was asked, and nothing checked: its driver was lost."""
    whole, resolved = made
    run = reopened(whole, tmp_path_factory.mktemp("kept") / "run")
    batch = apart(run, resolved, "echo")
    divide(batch, 1)
    ask(run, resolved, batch)
    return run


def ask(run: RunDir, resolved: Resolved, batch: Batch) -> None:
    """Ask the parts of a batch, and check nothing."""
    desk = _Desk(None, run, resolved, None, None)
    for part in batch.parts:
        part.tries += 1
        result = answer(encode(desk._order(batch, part)))
        assert "error" not in result, result
        part.end_try(result, "ask")


def tear(path: Path, by: int) -> None:
    """Cut the end of a file off."""
    if path.exists():
        path.write_bytes(path.read_bytes()[: max(0, path.stat().st_size - by)])


def copied(run: RunDir, to: Path) -> RunDir:
    """Return a copy of an unfinished run."""
    return RunDir(Path(shutil.copytree(run.root, to / "run")))


@pytest.mark.parametrize("engine", ["cluster", "here"])
def test_what_a_lost_driver_left_unchecked_is_only_checked(
    made: tuple[RunDir, Resolved], notes: Path, kept: RunDir, tmp_path: Path, engine: str
) -> None:
    whole, resolved = made
    run = copied(kept, tmp_path)
    before = asked(notes)
    batch = apart(run, resolved, "echo", "q")
    assert fold(run, batch.work) == 0  # nothing is decided
    if engine == "here":
        Processes(1).ask(run, resolved, None, [(batch.work, False)])
    else:
        left = batch.left()
        adopt(batch, left)
        assert left == {ECHO: []}
        batch.divide(left, 1)
        serve(run, resolved, batch)
    assert truth(run, ECHO) == truth(whole, ECHO)
    assert read_doc(CellFacts, run.finished(ECHO)).build_s is not None
    assert asked(notes) == before
    assert shards_in(run.shards(ECHO)) == []


@settings(max_examples=15)
@given(decided=st.integers(0, 40), torn=st.integers(0, 5000), again=st.booleans())
def test_what_is_left_of_replies_is_adopted_once_and_the_rest_is_asked(
    decided: int,
    torn: int,
    again: bool,
    made: tuple[RunDir, Resolved],
    kept: RunDir,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole, resolved = made
    run = copied(kept, tmp_path_factory.mktemp("left"))
    [old] = shards_in(run.shards(ECHO))
    lines = list(read_lines(whole.journal(ECHO)))
    with old.writer() as writer:
        writer.take((line, b"") for line in lines[:decided])
    tear(old.replies, torn)
    there = {said.sample for said in read_replies(old.replies)}
    done = {line.decided.sample for line in lines[:decided]}
    batch = apart(run, resolved, "echo", "q")
    for prefix in ("q", "r") if again else ("q",):  # another driver is lost when it has adopted
        batch = apart(run, resolved, "echo", prefix)
        fold(run, batch.work)
        left = batch.left()
        adopt(batch, left)
        assert {batch.asks["test"][i][0].id for i in left[ECHO]}.isdisjoint(there | done)
        adopted = [i for part in batch.kept for i in part.places[ECHO]]
        assert len(adopted) == len(set(adopted))
        assert {batch.asks["test"][i][0].id for i in adopted} == there - done
        assert len(adopted) + len(left[ECHO]) + len(done) == 40
        assert old.part not in {shard.part for shard in shards_in(run.shards(ECHO))}


def test_the_history_counts_replies_that_nobody_has_checked_as_kept_once(
    made: tuple[RunDir, Resolved], kept: RunDir, tmp_path: Path
) -> None:
    run = copied(kept, tmp_path)
    when = datetime(2026, 11, 30, tzinfo=UTC)
    assert begin_attempt(run, Stand.UNFINISHED, when, {})[-1]["kept"] == 40
    [old] = shards_in(run.shards(ECHO))
    with old.writer() as writer:  # twelve of them were checked
        writer.take((line, b"") for line in list(read_lines(made[0].journal(ECHO)))[:12])
    assert begin_attempt(run, Stand.UNFINISHED, when, {})[-1]["kept"] == 40


def test_a_verifier_that_ends_every_machine_is_our_crash_and_later_nothing_is_asked_again(
    made: tuple[RunDir, Resolved], notes: Path, tmp_path: Path
) -> None:
    whole, resolved = made
    run = reopened(whole, tmp_path / "run")
    batch = apart(run, resolved, "echo")
    divide(batch, 2)
    ask(run, resolved, batch)
    first, second = batch.parts
    for _ in range(LOST_TRIES):
        assert not first.lost
        first.tries += 1
        batch.lose(first)
    desk = _Desk(None, run, resolved, None, None)
    second.tries += 1
    second.end_try(answer(encode(desk._order(batch, second))), "check")
    assert batch.merge() is None
    assert batch.over
    assert read_doc(CellFacts, run.finished(ECHO)).crashes == 20
    forget_shards(run)
    run.finished(ECHO).unlink()  # as the next start does where crashes are left
    before = asked(notes)
    work = batch_of(run, resolved, "echo").work
    fold(run, work)
    Processes(1).ask(run, resolved, None, [(work, False)])
    assert asked(notes) == before
    assert (
        read_doc(CellFacts, run.finished(ECHO)).decisions
        == decisions(whole)[f"records/{ECHO}.jsonl"]
    )
    forget_shards(run)
    assert not (run.work / "shards").exists()


def test_answers_that_a_run_may_not_keep_do_not_outlive_it(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    whole, resolved = made
    run = reopened(whole, tmp_path / "run")
    batch = apart(run, resolved, "echo")
    batch.work = replace(batch.work, keeps_evidence=False)
    divide(batch, 1)
    ask(run, resolved, batch)
    [part] = batch.parts
    part.lost = True
    batch.merge()
    assert shards_in(run.shards(ECHO)) == []


def test_a_check_goes_to_a_machine_without_a_gpu_that_has_least_to_do() -> None:
    there = [Machine("a", 4, 1, 2**33), Machine("b", 2, 0, 2**33), Machine("c", 4, 0, 2**33)]
    assert place(there, Needs(), {}) == "b"
    assert place(there, Needs(), {"b": 1, "c": 1}) == "c"
    assert place(there, Needs(cpus=3), {"c": 9}) == "c"
    assert place(there[:1], Needs(), {}) == ""
    assert place(there, Needs(gpu=True), {}) == ""


def test_a_verifier_says_what_it_needs_or_its_system_s_gpu_does(
    made: tuple[RunDir, Resolved],
) -> None:
    @dataclass(frozen=True)
    class Heavy(SameAnswer):
        needs: object = None

    echo = made[1].systems["echo"].recipe
    echo = replace(echo, gpu=False)
    assert not is_apart(echo, SameAnswer())
    assert not is_apart(echo, Heavy())
    assert is_apart(echo, Heavy(Needs(memory_mb=2000)))
    assert is_apart(replace(echo, gpu=True), SameAnswer())
    with pytest.raises(PluginError, match="A402 a verifier's needs are 4"):
        check_needs(Heavy(4))
