"""Parts of a run that others answer: whatever happens to the tries, each question is answered once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import RunError
from assay.core.record import Cell
from assay.engine.engines import Processes
from assay.engine.folding import fold, forget_shards
from assay.engine.keeping import Journals
from assay.engine.ray.batch import LOST_TRIES, Batch, Part
from assay.engine.ray.driver import _Desk
from assay.engine.ray.node import MARK, answer, look
from assay.engine.ray.order import cut, encode
from assay.engine.resolve import Resolved
from assay.store.canon import write_whole
from assay.store.journal import decision_digest, read_lines
from assay.store.manifest import CellFacts, read_doc
from assay.store.rundir import RunDir
from assay.store.shards import Shard, answered, shards_in
from parts_here import batch_of, divide, reopened, reopened_lightly, serve, truth
from runs import PLUGINS, decisions, execute_plan, installed, resolve_plan, write_plan

PLAN = """\
name: parts
seeds: [0]
tasks: [{use: awkward.copy, options: {n: 40}}]
timing: {processes: 1, blocks: 1, questions: 1}
limits: {deaths: 3}
systems:
  - {name: echo, use: awkward.echo}
  - {name: dies, use: testing.faulty, options: {fault: dies, every: 6}}
  - {name: doomed, use: testing.faulty, options: {fault: dies, every: 2}}
  - {name: counts, use: awkward.odd, options: {what: counts}}
  - {name: unbuilt, use: testing.faulty, options: {fault: build_raises}}
"""
CELL = Cell(task="awkward.copy", system="dies", seed=0, split="test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunDir, Resolved]]:
    """Return a run that this machine's processes made, and its plan."""
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        assert PLUGINS.is_dir()
        plan = write_plan(folder, PLAN)
        yield execute_plan(plan, folder / "run"), resolve_plan(plan)


@settings(max_examples=25)
@given(data=st.data())
def test_any_tries_at_any_parts_come_to_what_one_process_came_to(
    data: st.DataObject,
    made: tuple[RunDir, Resolved],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole, resolved = made
    run = reopened_lightly(whole, tmp_path_factory.mktemp("any"))
    lines = {
        (line.decided.sample, 0): (line, packed_of(whole, line.usage.at))
        for line in read_lines(whole.journal(CELL))
    }
    batch = batch_of(run, resolved, "dies")
    divide(batch, data.draw(st.integers(1, 7), label="parts"))
    zombies = []
    for part in data.draw(st.permutations(batch.parts), label="order"):
        keys = [(batch.asks["test"][i][0].id, 0) for i in part.places.get(CELL, [])]
        for _ in range(data.draw(st.integers(0, 3), label="lost tries")):
            part.tries += 1
            shard = Shard(part.name, part.tried, run.shards(CELL))
            # It read what was there when it began: all of it, or (a zombie) nothing.
            late = data.draw(st.booleans(), label="zombie")
            known = {} if late else answered(shards_in(run.shards(CELL), part.name))
            todo = [key for key in keys if key not in known]
            wrote = data.draw(st.integers(0, len(todo)), label="answers")
            with shard.writer() as writer:
                writer.take(lines[key] for key in todo[:wrote])
            torn = data.draw(st.integers(0, 200), label="torn bytes")
            data_there = shard.lines.read_bytes()
            shard.lines.write_bytes(data_there[: len(data_there) - torn])
            if late:
                zombies.append((shard, todo[wrote:]))
            batch.lose(part)
            if part.lost:
                part.lost, part.barren = False, 0
        part.tries += 1
        last = Shard(part.name, part.tried, run.shards(CELL))
        known = answered(shards_in(run.shards(CELL), part.name))
        with last.writer() as writer:
            writer.take(lines[key] for key in keys if key not in known)
        for shard, rest in zombies:  # they are not dead: they go on into files of their own
            if rest and data.draw(st.booleans(), label="goes on"):
                with shard.writer() as writer:
                    writer.take([lines[rest.pop(0)]])
        part.result = {"built": [[0, "test", {"build_s": 1.0}]], "whole": False, "restarts": 0}
        assert batch.merge() is None
    assert batch.over
    assert truth(run, CELL) == truth(whole, CELL)
    facts, wanted = (read_doc(CellFacts, r.finished(CELL)) for r in (run, whole))
    assert (facts.decisions, facts.n) == (wanted.decisions, wanted.n)
    assert shards_in(run.shards(CELL)) == [] or zombies


def packed_of(run: RunDir, at: tuple[int, int] | None) -> bytes:
    if at is None:
        return b""
    return run.evidence(CELL).read_bytes()[at[0] : at[0] + at[1]]


@settings(max_examples=20)
@given(
    wrote=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    torn=st.integers(0, 300),
    kept=st.integers(0, 40),
)
def test_what_a_lost_driver_left_is_taken_into_the_journals_once(
    wrote: list[int],
    torn: int,
    kept: int,
    made: tuple[RunDir, Resolved],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole, resolved = made
    run = reopened_lightly(whole, tmp_path_factory.mktemp("fold"))
    lines = [(line, packed_of(whole, line.usage.at)) for line in read_lines(whole.journal(CELL))]
    batch = batch_of(run, resolved, "dies")
    with batch.journals.writer(CELL) as writer:
        writer.take(lines[:kept])
    for number, count in enumerate(wrote):
        shard = Shard("old", f"{number:04}", run.shards(CELL))
        with shard.writer() as writer:
            writer.take(lines[count // 2 : count])
    there = shard.lines.read_bytes()
    shard.lines.write_bytes(there[: len(there) - torn])
    found = answered(shards_in(run.shards(CELL)))
    fold(run, batch.work)
    here = [(line.decided.sample, line.decided.attempt) for line in read_lines(run.journal(CELL))]
    assert len(here) == len(set(here))
    assert set(here) == {(line.decided.sample, 0) for line, _ in lines[:kept]} | set(found)
    assert shards_in(run.shards(CELL)) == []
    assert fold(run, batch.work) == 0
    assert {(s.id, a) for s, a in batch.journals.left(CELL)}.isdisjoint(here)


@pytest.mark.slow
@pytest.mark.parametrize("system", ["echo", "dies", "doomed", "counts", "unbuilt"])
def test_parts_decide_what_this_machine_decided_record_for_record(
    made: tuple[RunDir, Resolved], tmp_path: Path, system: str
) -> None:
    whole, resolved = made
    run = reopened(whole, tmp_path / "run")
    batch = batch_of(run, resolved, system)
    divide(batch, 3)
    serve(run, resolved, batch)
    assert batch.over
    cell = Cell(task="awkward.copy", system=system, seed=0, split="test")
    assert [row[1:] for row in truth(run, cell)] == [row[1:] for row in truth(whole, cell)]
    facts, wanted = (read_doc(CellFacts, r.finished(cell)) for r in (run, whole))
    assert facts.decisions == wanted.decisions
    assert facts.notes == wanted.notes
    forget_shards(run)


def test_a_machine_that_is_lost_again_and_again_is_our_crash(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    whole, resolved = made
    run = reopened(whole, tmp_path / "run")
    batch = batch_of(run, resolved, "echo")
    divide(batch, 2)
    first, second = batch.parts
    for lost in range(1, LOST_TRIES + 1):
        assert not first.lost
        first.tries = lost
        batch.lose(first)
    assert first.lost
    assert batch.merge() is None
    assert not batch.over  # the rest goes on
    second.tries = 1
    second.result = answer(encode(_Desk(None, run, resolved, None, None)._order(batch, second)))
    batch.merge()
    kinds = [line.decided.kind for line in read_lines(run.journal(cell_of_echo()))]
    assert kinds == ["crash"] * 20 + ["answer"] * 20
    assert read_doc(CellFacts, run.finished(cell_of_echo())).crashes == 20


def cell_of_echo() -> Cell:
    return Cell(task="awkward.copy", system="echo", seed=0, split="test")


def test_a_part_that_makes_progress_is_never_given_up(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    whole, resolved = made
    run = reopened_lightly(whole, tmp_path)
    lines = [(line, b"") for line in read_lines(whole.journal(cell_of_echo()))]
    batch = batch_of(run, resolved, "echo")
    divide(batch, 1)
    [part] = batch.parts
    for number in range(3 * LOST_TRIES):
        part.tries = number
        with Shard(part.name, part.tried, run.shards(cell_of_echo())).writer() as writer:
            writer.take(lines[number : number + 1])
        batch.lose(part)
    assert not part.lost


def test_an_answer_that_did_not_arrive_is_asked_again(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    whole, resolved = made
    run = reopened_lightly(whole, tmp_path)
    batch = batch_of(run, resolved, "echo")
    divide(batch, 1)
    [part] = batch.parts
    part.tries, part.result = 1, {"built": [], "whole": False, "restarts": 0}
    assert batch.merge() is part  # it says that it is done, and nothing is there
    assert not part.over
    assert not run.journal(cell_of_echo()).exists()


def order_of(
    made: tuple[RunDir, Resolved], run: RunDir, part: int = 0
) -> tuple[Batch, Part, object]:
    batch = batch_of(run, made[1], "echo")
    divide(batch, 2)
    desk = _Desk(None, run, made[1], None, None)
    return batch, batch.parts[part], desk._order(batch, batch.parts[part])


def test_a_machine_that_sees_another_folder_says_so(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    run = reopened(made[0], tmp_path / "run")
    _, _, order = order_of(made, run)
    write_whole(run.work / MARK, b"another run's")
    for said in (answer(encode(order)), look(str(run.root), "seen", "required")):
        assert said["error"].code == "A505"
        assert "another folder of that name" in said["error"].what
    (run.work / MARK).unlink()
    assert "No such file" in answer(encode(order))["error"].what
    assert not (run.work / "shards").exists()


def test_a_machine_with_other_samples_or_another_assay_says_so(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    import msgspec

    run = reopened(made[0], tmp_path / "run")
    _, _, order = order_of(made, run)
    other = msgspec.structs.replace(order, digests={"test": "sha256:0"})
    assert "other samples of awkward.copy (test)" in answer(encode(other))["error"].what
    other = msgspec.structs.replace(order, assay="0.0.1")
    assert "the run is of assay 0.0.1" in answer(encode(other))["error"].what


def test_another_engine_goes_on_with_what_a_cluster_left(
    made: tuple[RunDir, Resolved], tmp_path: Path
) -> None:
    whole, resolved = made
    run = reopened(whole, tmp_path / "run")
    _, _, order = order_of(made, run, 1)
    assert answer(encode(order))["built"]
    work = batch_of(run, resolved, "echo").work
    assert fold(run, work) == 20
    assert len(Journals(run, work).left(cell_of_echo())) == 20
    Processes(1).ask(run, resolved, None, [(work, False)])
    assert (
        decision_digest(read_lines(run.journal(cell_of_echo())))
        == decisions(whole)["records/awkward.copy/echo/0-test.jsonl"]
    )


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5), st.integers(1, 9))
def test_parts_are_equal_and_hold_every_question_once_in_order(
    lengths: list[int], parts: int
) -> None:
    made = cut(lengths, parts)
    flat = [(row, i) for pieces in made for row, start, stop in pieces for i in range(start, stop)]
    assert flat == [(row, i) for row, length in enumerate(lengths) for i in range(length)]
    sizes = [sum(stop - start for _, start, stop in pieces) for pieces in made]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "127.0.0.1:99999"])
def test_an_address_where_nobody_answers_is_said_at_once(
    address: str,
) -> None:
    from assay.engine.ray.cluster import _require_listening

    with pytest.raises(RunError, match="A505 nobody answers at"):
        _require_listening(address)
