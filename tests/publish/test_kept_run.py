"""What is kept of a run's journals changes no number, and verifying does not read it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from assay import Answer, Run, Sample
from assay.core.errors import SealError
from assay.publish.derive import derive
from assay.publish.verify import verify
from assay.store.canon import digest, digest_file
from assay.store.kept import WORTH, Stored, kept_file
from assay.store.rundir import RunDir
from assay.store.seal import journals
from publish.harm import TASK, Writing, write_run

LONG = "x" * 260
"""Makes a megabyte of few lines."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a sealed run with journals that are worth keeping."""
    samples = [
        Sample(id=f"{i:05}{LONG}", input=str(i), target=Answer("a"), group=f"g{i // 4}")
        for i in range(6000)
    ]
    what = Writing(
        samples=samples,
        replies={
            "good": lambda i, seed: Answer("b" if (i * 7 + seed) % 10 < 2 else "a", 0.9),
            "bad": lambda i, seed: Answer("b" if (i * 3 + seed) % 10 < 4 else "a", 0.9),
        },
        timed=False,
    )
    run = write_run(tmp_path_factory.mktemp("runs") / "large", what)
    assert all(path.stat().st_size >= WORTH for path in journals(run))
    return run


@pytest.fixture
def run(large: RunDir, tmp_path: Path) -> RunDir:
    """Return a copy that was loaded once: its columns are kept."""
    copy = RunDir(tmp_path / "copy")
    shutil.copytree(large.root, copy.root)
    Run.load(copy.root)
    assert {p.name for p in (copy.work / "columns").iterdir()} == {
        digest_file(p).removeprefix("sha256:") for p in journals(copy)
    }
    return copy


def estimates(run: RunDir, *, keep: bool = True) -> list[object]:
    loaded = Run.load(run.root, keep=keep)
    return [loaded.estimate("accuracy", name) for name in ("good", "bad")]


def forge(run: RunDir, **changes: object) -> None:
    """Write what is kept of every journal anew, with a digest that fits."""
    for path in journals(run):
        file = kept_file(run, digest_file(path))
        stored = msgspec.msgpack.decode(file.read_bytes()[32:], type=Stored)
        body = msgspec.msgpack.encode(msgspec.structs.replace(stored, **changes))
        file.write_bytes(bytes.fromhex(digest(body).removeprefix("sha256:")) + body)


def test_numbers_are_the_same_from_the_journals_and_from_what_is_kept(run: RunDir) -> None:
    kept, fresh = Run.load(run.root), Run.load(run.root, keep=False)
    for system in ("good", "bad"):
        one, two = (r.results.cases[TASK].tables[system] for r in (kept, fresh))
        assert (one.samples, one.groups, one.seeds) == (two.samples, two.groups, two.seeds)
        np.testing.assert_array_equal(one.outcome, two.outcome)
        np.testing.assert_array_equal(one.confidence, two.confidence)
    assert estimates(run) == estimates(run, keep=False)


def test_cells_that_were_asked_the_same_share_their_ids(run: RunDir) -> None:
    tables = Run.load(run.root).results.cases[TASK].tables
    assert tables["good"].samples is tables["bad"].samples
    assert tables["good"].groups is tables["bad"].groups


def test_a_damaged_kept_file_changes_no_number_and_is_made_again(run: RunDir) -> None:
    wanted = estimates(run, keep=False)
    files = {file: file.read_bytes() for file in (run.work / "columns").iterdir()}
    for file, whole in files.items():
        damaged = bytearray(whole)
        damaged[len(whole) - 100] ^= 1
        file.write_bytes(damaged)
    assert estimates(run) == wanted
    assert {file: file.read_bytes() for file in files} == files


def test_what_is_kept_stands_for_the_journal_where_it_is_used(run: RunDir) -> None:
    """Without this the tests beside it could not fail."""
    forge(run, decisions="sha256:" + "0" * 64)
    with pytest.raises(SealError, match="does not hold the decisions"):
        Run.load(run.root)


def test_a_run_that_is_to_keep_nothing_reads_the_journals(run: RunDir) -> None:
    forge(run, decisions="sha256:" + "0" * 64)
    assert len(estimates(run, keep=False)) == 2


@pytest.mark.slow
def test_verifying_reads_the_journals_and_not_what_is_kept_of_them(run: RunDir) -> None:
    loaded = Run.load(run.root)
    derive(loaded, run.derived)
    forge(run, decisions="sha256:" + "0" * 64)
    assert verify(run.root) == []
    assert loaded.verify() == []


def test_a_changed_journal_is_found_whatever_is_kept(run: RunDir) -> None:
    path = journals(run)[0]
    path.write_bytes(path.read_bytes().replace(b'"outcome":"wrong"', b'"outcome":"correct"', 1))
    with pytest.raises(SealError, match="A300"):
        Run.load(run.root)
    with pytest.raises(SealError, match="A300"):
        Run.load(run.root, keep=False)
