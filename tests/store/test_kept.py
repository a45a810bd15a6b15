"""What is kept of a journal is what the journal says, or is not used."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Record
from assay.store.canon import digest_file
from assay.store.columns import CellColumns, read_columns
from assay.store.journal import Writer, decisions_of, read_lines
from assay.store.kept import Known, kept_file, know
from assay.store.line import encode, to_line
from assay.store.rundir import RunDir
from strategies import records

ROWS = st.lists(records(), max_size=8)


def same(one: CellColumns, two: CellColumns) -> bool:
    """Whether two cells' columns are equal, NaN being equal to NaN."""
    return (
        (one.samples, one.groups) == (two.samples, two.groups)
        and one.measured.keys() == two.measured.keys()
        and one.checks.keys() == two.checks.keys()
        and all(
            a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            for a, b in [
                (one.attempts, two.attempts),
                (one.outcome, two.outcome),
                (one.confidence, two.confidence),
                *((one.measured[n], two.measured[n]) for n in one.measured),
                *((one.checks[n], two.checks[n]) for n in one.checks),
            ]
        )
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal of three hundred lines."""
    lines = (
        f'{{"decided":{{"sample":"test/{k:03}","group":"g{k // 3}","kind":"answer",'
        f'"outcome":"{"correct" if k % 3 else "wrong"}","value":"a","confidence":0.{k:03}5}},'
        f'"usage":{{"busy_s":0.001,"crc":"00000000"}}}}\n'
        for k in range(300)
    )
    path = tmp_path / "run" / "records" / "t" / "s" / "0-test.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(lines))
    return path


def run_of(journal: Path) -> RunDir:
    return RunDir(journal.parents[3])


def read(journal: Path) -> Known:
    return know(run_of(journal), journal, digest_file(journal), worth=0)


def kept(journal: Path) -> Path:
    return kept_file(run_of(journal), digest_file(journal))


@given(rows=ROWS)
def test_what_is_kept_of_a_journal_is_what_the_journal_says(
    rows: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("run") / "records" / "t" / "s" / "0-test.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(encode(to_line(row)) for row in rows))
    first, second = read(path), read(path)
    assert kept(path).is_file()
    for known in (first, second):
        assert same(known.columns, read_columns(path))
        assert known.decisions == decisions_of(read_lines(path))


def test_what_is_kept_is_used_in_place_of_the_journal(journal: Path) -> None:
    digest = digest_file(journal)
    first = read(journal)
    journal.write_bytes(b"no journal")
    assert same(know(run_of(journal), journal, digest, worth=0).columns, first.columns)


def test_a_flipped_byte_anywhere_in_what_is_kept_makes_it_be_made_again(journal: Path) -> None:
    first, path = read(journal), kept(journal)
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 97):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        assert same(read(journal).columns, first.columns), place
        assert path.read_bytes() == whole, place


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 2000])
def test_half_a_file_is_no_file(journal: Path, size: int) -> None:
    first, path = read(journal), kept(journal)
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    assert same(read(journal).columns, first.columns)
    assert path.read_bytes() == whole


def test_what_is_kept_of_another_journal_is_never_read(journal: Path) -> None:
    """Also when somebody gives it the name that this journal's would have."""
    read(journal)
    stale = kept(journal)
    text = journal.read_text().replace('"outcome":"wrong"', '"outcome":"correct"', 1)
    journal.write_text(text)
    stale.rename(kept(journal))
    found = read(journal).columns
    assert same(found, read_columns(journal))
    assert (found.outcome == 0).sum() == 201


def test_a_folder_that_may_not_be_written_is_read_without(journal: Path) -> None:
    blocked = run_of(journal).work
    blocked.write_text("a file stands where the folder would be")
    assert same(read(journal).columns, read_columns(journal))
    assert not kept(journal).exists()


def test_a_small_journal_is_not_kept(journal: Path) -> None:
    known = know(run_of(journal), journal, digest_file(journal))
    assert same(known.columns, read_columns(journal))
    assert not run_of(journal).work.exists()


def test_two_processes_at_once_keep_one_whole_file(journal: Path) -> None:
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=read, args=(journal,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    assert [p.name for p in kept(journal).parent.iterdir()] == [kept(journal).name]
    assert same(read(journal).columns, read_columns(journal))


def test_a_later_line_supersedes_a_crash_in_what_is_kept_too(tmp_path: Path) -> None:
    from assay import Answer, Cell, Crash, Outcome, Usage, Verdict

    def row(said: Answer | Crash, outcome: Outcome) -> Record:
        return Record(
            cell=Cell(task="t", system="s", seed=0, split="test"),
            sample="a",
            group="a",
            said=said,
            verdict=Verdict(outcome=outcome),
            usage=Usage(),
        )

    path = tmp_path / "records" / "t" / "s" / "0-test.jsonl"
    with Writer(path, tmp_path / "p") as writer:
        writer.write([row(Crash("x"), Outcome.CRASHED)], {})
        assert read(path).decisions.crashed
        writer.write([row(Answer(1), Outcome.CORRECT)], {})
    for _ in range(2):
        assert not read(path).decisions.crashed
        assert read(path).columns.samples == ("a",)
