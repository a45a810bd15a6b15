"""Shards: what is read of files that a lost process left, whatever became of their last bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.record import Cell, Record
from assay.core.reply import Answer, Crash, Usage
from assay.core.verdict import Outcome, Verdict
from assay.store.shards import End, Shard, answered, shards_in

CELL = Cell(task="t", system="s", seed=0, split="test")
PLACES = range(6)


def record(place: int, *, crashed: bool = False, by: str = "") -> Record:
    said = Crash("machine") if crashed else Answer(f"{place}{by}")
    outcome = Outcome.CRASHED if crashed else Outcome.CORRECT
    return Record(
        cell=CELL,
        sample=f"q{place}",
        attempt=0,
        group="g",
        said=said,
        verdict=Verdict(outcome=outcome),
        usage=Usage(),
    )


def fill(shard: Shard, places=PLACES, *, crashed=(), by: str = "") -> None:
    with shard.writer() as writer:
        for p in places:
            evidence = {(f"q{p}", 0): f"log of {p}".encode()} if p % 2 else {}
            writer.write([record(p, crashed=p in crashed, by=by)], evidence)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Return the lines and the evidence of a shard that nothing happened to."""
    shard = Shard("p", "0001", tmp_path_factory.mktemp("whole"))
    fill(shard)
    return shard.lines.read_bytes(), shard.pack.read_bytes()


def kept(folder: Path, lines: bytes, pack: bytes) -> list[str]:
    shard = Shard("p", "0001", folder)
    shard.lines.write_bytes(lines)
    shard.pack.write_bytes(pack)
    return [line.decided.value for line, _ in shard.read()]


def test_a_shard_cut_at_any_byte_keeps_its_whole_lines(
    whole: tuple[bytes, bytes], tmp_path: Path
) -> None:
    lines, pack = whole
    for end in range(len(lines) + 1):
        here = lines[:end]
        assert kept(tmp_path, here, pack) == [str(p) for p in range(here.count(b"\n"))]
        assert (tmp_path / "p.0001.jsonl").read_bytes() == here, "who reads changes nothing"


def test_a_line_whose_evidence_did_not_arrive_is_asked_again(
    whole: tuple[bytes, bytes], tmp_path: Path
) -> None:
    lines, pack = whole
    found = [len(kept(tmp_path, lines, pack[:end])) for end in range(len(pack) + 1)]
    assert found == sorted(found)
    assert found[0] == 1  # the first has none
    assert found[-1] == 6
    assert found[-2] == 5


@given(data=st.data())
def test_a_damaged_byte_costs_no_more_than_what_stands_behind_it(
    data: st.DataObject, whole: tuple[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines, pack = map(bytearray, whole)
    hurt = data.draw(st.sampled_from(["lines", "pack"]))
    where = lines if hurt == "lines" else pack
    at = data.draw(st.integers(0, len(where) - 1))
    where[at] = data.draw(st.integers(0, 255).filter(lambda b: b != where[at]))
    found = kept(tmp_path_factory.mktemp("d"), bytes(lines), bytes(pack))
    assert found == [str(p) for p in range(len(found))]
    if hurt == "lines":
        # A line feed that is gone or new damages the line that it ends or cuts.
        assert len(found) == whole[0][:at].count(b"\n")
    else:
        assert len(found) >= 1


def test_the_first_answer_counts_and_a_crash_only_for_lack_of_one(tmp_path: Path) -> None:
    first, second = Shard("p", "0001", tmp_path), Shard("p", "0002", tmp_path)
    fill(first, [0, 1, 2], crashed=[1, 2], by="a")
    fill(second, [0, 1, 3], by="b")
    found = answered(shards_in(tmp_path))
    assert {k[0]: line.decided.value for k, (line, _) in found.items()} == {
        "q0": "0a",
        "q1": "1b",
        "q2": None,
        "q3": "3b",
    }


def test_tries_at_a_part_are_found_by_its_name_and_in_order(tmp_path: Path) -> None:
    made = [Shard(p, t, tmp_path) for p in ("a-1", "a-10", "b") for t in ("0001", "0002")]
    for shard in reversed(made):
        fill(shard, [0])
    fill(Shard("c", "0001", tmp_path, whole=True), [0])
    (tmp_path / ".c.0001.jsonl.123.part").write_bytes(b"half")
    assert shards_in(tmp_path, "a-1") == made[:2]
    assert shards_in(tmp_path) == [*made, Shard("c", "0001", tmp_path, whole=True)]
    assert shards_in(tmp_path / "nowhere") == []


def test_who_writes_on_after_a_shard_was_removed_writes_into_the_void(tmp_path: Path) -> None:
    shard = Shard("p", "0001", tmp_path)
    with shard.writer() as writer:
        writer.write([record(1)], {("q1", 0): b"log"})
        shard.remove()
        writer.write([record(3)], {("q3", 0): b"log"})
    assert list(tmp_path.iterdir()) == []


def test_ends_are_read_back_up_to_a_torn_one(tmp_path: Path) -> None:
    shard = Shard("p", "0001", tmp_path)
    assert shard.read_ends() == []
    ends = [End("q1", 0, "died", "exit status -9\nwords"), End("q2", 1, "too_slow", "")]
    for end in ends:
        shard.end(end)
    assert shard.read_ends() == ends
    shard.ends.write_bytes(shard.ends.read_bytes()[:-3])
    assert shard.read_ends() == ends[:1]
