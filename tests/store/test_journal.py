"""A journal survives a kill at any byte and names any byte that was flipped."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, Cell, Crash, Failed, Outcome, Record, Usage, Verdict
from assay.core.errors import SealError
from assay.store import evidence
from assay.store.evidence import read_evidence
from assay.store.journal import Line, Writer, decision_digest, read_lines, repair, said_digest
from assay.store.line import decode, encode, to_line, to_record
from strategies import cells, json_values, records, texts

CELL = Cell(task="t", system="s", seed=0, split="test")


def record(name: str, said: Any, outcome: Outcome, **more: Any) -> Record:
    return Record(
        cell=CELL,
        sample=name,
        group="g",
        said=said,
        verdict=Verdict(outcome=outcome),
        usage=more.pop("usage", Usage(busy_s=0.25)),
        **more,
    )


SMALL = (
    record("a", Answer("é🦀\u2028", 0.5, {"x": 1.0}), Outcome.CORRECT),
    record("b", Bottom("rail:ltv", Answer({"k": [1, None]}, 1)), Outcome.WITHHELD),
    record("c", Failed("died", "exit status -9"), Outcome.FAILED),
    record("d", Crash("machine"), Outcome.CRASHED, usage=Usage()),
)


def write(folder: Path, *rows: Record, details: dict[str, bytes] | None = None) -> Path:
    path = folder / "records" / "0-test.jsonl"
    with Writer(path, folder / "0-test.pack") as writer:
        writer.write(rows, {(name, 0): kept for name, kept in (details or {}).items()})
    return path


def stored(said: Any) -> Any:
    """What a journal keeps of a reply: no prose of failures, no scores of what was not said."""
    match said:
        case Answer():
            return said
        case Bottom(reason, Answer(value, confidence)):
            return Bottom(reason, Answer(value, confidence))
        case Failed(why):
            return Failed(why)
        case Crash(error):
            return Crash(error)
        case _:
            return said


def in_turn(said: Any) -> Any:
    """What a journal keeps of an earlier turn: which kind it was, and its value or reason."""
    match said:
        case Answer(value):
            return Answer(value)
        case Bottom(reason):
            return Bottom(reason)
        case Failed(why):
            return Failed(why)
        case Crash(error):
            return Crash(error)


@given(given_record=records())
def test_every_record_is_read_back_as_it_was_written(given_record: Record) -> None:
    line = decode(encode(to_line(given_record)))
    back = to_record(line, given_record.cell)
    assert back.said == stored(given_record.said)
    assert back.earlier == tuple(map(in_turn, given_record.earlier))
    assert back.usage == given_record.usage
    assert back.verdict.outcome == given_record.verdict.outcome
    assert back.verdict.scores == given_record.verdict.scores
    assert (back.cell, back.sample, back.attempt, back.group) == (
        given_record.cell,
        given_record.sample,
        given_record.attempt,
        given_record.group,
    )


@given(given_record=records(), at=st.none() | st.tuples(st.integers(0, 2**40), st.integers(0, 999)))
def test_a_line_is_one_line_and_is_what_it_decodes_to(given_record: Record, at: Any) -> None:
    raw = encode(to_line(given_record, at))
    assert raw.count(b"\n") == 1
    assert raw.endswith(b"\n")
    line = decode(raw)
    assert encode(line) == raw
    assert line.usage.at == at


@given(given_record=records(), data=st.data())
def test_no_line_with_a_flipped_bit_decodes(given_record: Record, data: st.DataObject) -> None:
    raw = bytearray(encode(to_line(given_record))[:-1])
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ValueError):
        decode(bytes(raw))


def test_an_integer_where_a_float_belongs_is_no_damage(tmp_path: Path) -> None:
    """A confidence of `1` and of `1.0` are equal; the journal must read both back."""
    sure = record("a", Answer("x", 1, {"x": 2}), Outcome.CORRECT, usage=Usage(busy_s=0, joules=3))
    path = write(tmp_path, sure, record("b", Bottom("no", Answer("x", 0)), Outcome.WITHHELD))
    assert repair(path).torn_bytes == 0
    assert len(repair(path).lines) == 2


def test_the_writer_and_the_reader_agree_and_nothing_is_torn(tmp_path: Path) -> None:
    path = write(tmp_path, *SMALL)
    journal = repair(path)
    assert journal.torn_bytes == 0
    assert list(journal.lines) == list(read_lines(path))
    assert journal.seen == {("a", 0), ("b", 0), ("c", 0)}


def test_a_missing_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert repair(tmp_path / "none.jsonl").lines == ()


def test_a_journal_cut_at_any_byte_is_repaired_to_its_whole_lines(tmp_path: Path) -> None:
    path = write(tmp_path, *SMALL)
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 0x0A]
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        journal = repair(path)
        kept = max((end for end in ends if end <= size), default=0)
        assert path.read_bytes() == whole[:kept], size
        assert len(journal.lines) == sum(end <= size for end in ends)
        assert journal.torn_bytes == size - kept


def test_a_repaired_journal_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    path = write(tmp_path, *SMALL)
    whole = path.read_bytes()
    rng = random.Random(5)
    for size in rng.sample(range(len(whole)), 25):
        path.write_bytes(whole[:size])
        left = [r for r in SMALL if (r.sample, 0) not in {*repair(path).seen, ("d", 0)}]
        with Writer(path, tmp_path / "p") as writer:
            writer.write([*left, SMALL[3]], {})
        assert decision_digest(repair(path).lines) == decision_digest(map(to_line, SMALL))


def test_a_flipped_byte_anywhere_before_the_tail_is_found_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, *SMALL)
    whole = path.read_bytes()
    tail = whole[:-1].rfind(b"\n")  # the newline before the last line
    for place in range(tail):
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        path.write_bytes(damaged)
        with pytest.raises(SealError) as caught:
            repair(path)
        assert caught.value.code == "A304"
        line = whole.count(b"\n", 0, place) + 1
        assert caught.value.where == f"{path}:{line}", place
        assert path.read_bytes() == damaged, "what is damaged is not touched"


def test_a_flipped_byte_in_the_tail_is_cut_off_or_named_but_never_kept(tmp_path: Path) -> None:
    path = write(tmp_path, *SMALL)
    whole = path.read_bytes()
    for place in range(whole[:-1].rfind(b"\n"), len(whole)):
        for bit in (0x01, 0x20, 0x80):
            damaged = bytearray(whole)
            damaged[place] ^= bit
            path.write_bytes(damaged)
            with suppress(SealError):
                repair(path)
                kept = path.read_bytes()
                assert whole.startswith(kept)
                assert kept != whole


@pytest.mark.parametrize(
    "junk",
    [
        b"\n",
        b"{}\n",
        b"null\n",
        b'{"decided":{},"usage":{}}\n',
        b"\xff\xfe\n",  # zeros are those of a power cut: test_power_cut.py
    ],
)
def test_junk_between_lines_is_damage_and_at_the_end_is_cut_off(
    tmp_path: Path, junk: bytes
) -> None:
    path = write(tmp_path, *SMALL)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[:first] + junk + whole[first:])
    with pytest.raises(SealError, match="A304"):
        repair(path)
    path.write_bytes(whole + junk)
    assert repair(path).torn_bytes == len(junk)
    assert path.read_bytes() == whole


def test_a_line_that_was_moved_in_from_another_journal_has_its_own_checksum(tmp_path: Path) -> None:
    """Not damage: a journal proves its lines, the seal proves the journal."""
    path = write(tmp_path, *SMALL[:2], *SMALL[1:3])
    assert [line.decided.sample for line in repair(path).lines] == ["a", "b", "c"]


def test_a_crash_is_asked_again_and_superseded(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL[3], SMALL[0])
    assert repair(path).seen == {("a", 0)}
    with Writer(path, tmp_path / "p") as writer:
        writer.write([record("d", Answer("x"), Outcome.WRONG)], {})
    journal = repair(path)
    assert journal.seen == {("a", 0), ("d", 0)}
    assert {line.decided.sample: line.decided.outcome for line in journal.lines} == {
        "d": "wrong",
        "a": "correct",
    }


def test_an_answer_that_could_not_be_checked_is_asked_again(tmp_path: Path) -> None:
    path = write(tmp_path, record("a", Answer("x"), Outcome.CRASHED), SMALL[1])
    assert repair(path).seen == {("b", 0)}


def test_the_digest_of_decisions_forgets_what_was_superseded(tmp_path: Path) -> None:
    """The seal is checked against all lines, and was made from the last ones."""
    path = write(tmp_path, SMALL[3], SMALL[0], record("d", Answer("x"), Outcome.WRONG))
    assert decision_digest(read_lines(path)) == decision_digest(repair(path).lines)


@given(
    rows=st.lists(records(), max_size=4, unique_by=lambda r: (r.sample, r.attempt)), data=st.data()
)
def test_the_digest_of_decisions_ignores_order_and_usage(rows: list[Record], data: Any) -> None:
    lines = [to_line(row) for row in rows]
    shuffled = data.draw(st.permutations(rows))
    other = [to_line(row_with(row, usage=Usage(busy_s=9.0)), (1, 2)) for row in shuffled]
    assert decision_digest(lines) == decision_digest(other)


def row_with(row: Record, **change: Any) -> Record:
    from dataclasses import replace

    return replace(row, **change)


@given(value=json_values(), one=st.floats(0, 1), other=st.floats(0, 1))
def test_the_digest_of_decisions_ignores_floats(value: Any, one: float, other: float) -> None:
    def line(number: float) -> Line:
        return to_line(record("a", Answer([value, {"x": number}], number), Outcome.SCORED))

    assert decision_digest([line(one)]) == decision_digest([line(other)])


@pytest.mark.parametrize(
    "other",
    [
        record("b", Answer("x"), Outcome.CORRECT),
        record("a", Answer("y"), Outcome.CORRECT),
        record("a", Answer("x"), Outcome.WRONG),
        record("a", Answer("x"), Outcome.CORRECT, attempt=1),
        record("a", Bottom("x"), Outcome.WITHHELD),
        record("a", Answer(["x"]), Outcome.CORRECT),
        record("a", Answer(None), Outcome.CORRECT),
    ],
)
def test_the_digest_of_decisions_notices_every_other_change(other: Record) -> None:
    mine = to_line(record("a", Answer("x"), Outcome.CORRECT))
    assert decision_digest([mine]) != decision_digest([to_line(other)])


def test_one_and_true_and_text_are_three_decisions() -> None:
    lines = [[to_line(record("a", Answer(v), Outcome.WRONG))] for v in (1, True, "1", [1], None)]
    assert len({decision_digest(line) for line in lines}) == 5


@given(value=json_values(), reason=texts())
def test_a_decision_has_a_short_digest(value: Any, reason: str) -> None:
    assert said_digest("answer", value, reason) == said_digest("answer", value, reason)
    assert len(said_digest("answer", value, reason)) == 16


def test_evidence_is_found_through_its_line(tmp_path: Path) -> None:
    texts_kept = {name: f"log of {name} 🦀".encode() * 50 for name in "ac"}
    path = write(tmp_path, *SMALL, details=texts_kept)
    for line in repair(path).lines:
        name = line.decided.sample
        if name in texts_kept:
            assert line.usage.at is not None
            assert read_evidence(tmp_path / "0-test.pack", line.usage.at) == texts_kept[name]
        else:
            assert line.usage.at is None


def test_evidence_that_is_none_or_grows_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_EVIDENCE", 1 << 20)
    pack = tmp_path / "0-test.pack"
    whole, bomb = zlib.compress(b"x" * (1 << 20)), zlib.compress(bytes(1 << 26))
    pack.write_bytes(whole + bomb)
    assert read_evidence(pack, (0, len(whole))) == b"x" * (1 << 20)
    size = pack.stat().st_size
    for at in ((len(whole), len(bomb)), (0, 9), (1, 50), (-1, 9), (size, 9), (0, -1), (2**70, 1)):
        tracemalloc.start()
        with pytest.raises(SealError) as caught:
            read_evidence(pack, at)
        assert caught.value.code == "A304"
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
        tracemalloc.stop()


def test_evidence_written_by_two_processes_does_not_overlap(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL[0], details={"a": b"first"})
    write(tmp_path, SMALL[1], details={"b": b"second"})
    found = [
        read_evidence(tmp_path / "0-test.pack", x.usage.at or (0, 0)) for x in read_lines(path)
    ]
    assert found == [b"first", b"second"]


def test_a_sealed_journal_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, *SMALL)
    path.write_bytes(path.read_bytes().replace(b'"kind":"bottom"', b'"kind":7', 1))
    with pytest.raises(SealError) as caught:
        list(read_lines(path))
    assert caught.value.code == "A304"
    assert caught.value.where == f"{path}:2"


@settings(max_examples=30)
@given(cell=cells(), given_record=records())
def test_a_line_does_not_hold_its_cell(cell: Cell, given_record: Record) -> None:
    """The path does; a reader gives it."""
    assert to_record(to_line(given_record), cell).cell == cell
