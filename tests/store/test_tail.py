"""What a journal gained is read once, whatever happens to the journal in between."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from assay.core.record import Cell, Record
from assay.core.reply import Answer, Usage
from assay.core.verdict import Outcome, Verdict
from assay.store.journal import Writer, repair
from assay.store.line import encode, to_line
from assay.store.tail import Tail

CELL = Cell(task="t", system="s", seed=0, split="test")


def line(name: str) -> bytes:
    record = Record(
        cell=CELL,
        sample=name,
        group=name,
        said=Answer(f"of {name}"),
        verdict=Verdict(outcome=Outcome.CORRECT),
        usage=Usage(busy_s=0.5),
    )
    return encode(to_line(record))


def samples(tail: Tail, most: int = 1 << 22) -> list[str]:
    return [reply.decided.sample for reply in tail.read(most).replies]


@given(
    names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=12),
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    most=st.sampled_from([1, 7, 300, 1 << 22]),
)
def test_every_line_is_read_once_however_the_bytes_arrive(tmp_path_factory, names, cuts, most):
    path = tmp_path_factory.mktemp("tail") / "j.jsonl"
    data = b"".join(map(line, names))
    tail, found = Tail(path), []
    for cut in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        path.write_bytes(data[:cut])
        while (fresh := tail.read(most)).replies:
            assert not fresh.again
            found += [reply.decided.sample for reply in fresh.replies]
    assert found == names


def test_a_journal_that_is_not_there_yet_is_an_empty_one(tmp_path):
    tail = Tail(tmp_path / "j.jsonl")
    assert not tail.read().replies
    (tmp_path / "j.jsonl").write_bytes(line("a"))
    assert samples(tail) == ["a"]


def test_a_tail_that_a_resuming_process_cuts_off_was_never_counted(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(line("a") + line("b")[:20])
    tail = Tail(path)
    assert samples(tail) == ["a"]
    repair(path)
    with Writer(path, tmp_path / "p.pack"):
        pass
    assert samples(tail) == []
    path.write_bytes(path.read_bytes() + line("c"))
    assert samples(tail) == ["c"]


def test_a_journal_that_begins_again_is_read_again(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(line("a") + line("b"))
    tail = Tail(path)
    assert samples(tail) == ["a", "b"]
    for other in (line("c"), line("d") + line("e") + line("f")):
        path.unlink()
        path.write_bytes(other)
        fresh = tail.read()
        assert fresh.again
        assert len(fresh.replies) == other.count(b"\n")


def test_a_journal_of_the_same_length_with_other_lines_is_seen_when_it_grows(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(line("a"))
    tail = Tail(path)
    tail.read()
    path.write_bytes(line("b") + line("c"))
    fresh = tail.read()
    assert fresh.again
    assert [r.decided.sample for r in fresh.replies] == ["b", "c"]


def test_a_damaged_line_is_counted_and_the_others_are_read(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(line("a") + b"{not json\n" + b"\xff\xfe\n" + line("b"))
    fresh = Tail(path).read()
    assert [r.decided.sample for r in fresh.replies] == ["a", "b"]
    assert fresh.damaged == 2


def test_only_what_was_appended_is_read(tmp_path: Path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(line("a") * 2000)
    tail = Tail(path)
    assert len(tail.read().replies) == 2000
    before = tail.at
    with path.open("ab") as file:
        file.write(line("b"))
    assert samples(tail) == ["b"]
    assert tail.at - before == len(line("b"))
