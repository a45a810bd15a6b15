"""Evidence of any size: one entry is read without the rest, and a large file is read once.

The packs are sparse: their first gigabytes are holes, which take no room and are read like any other byte.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay import Answer, Cell, Outcome, Record, Sample, Usage, Verdict
from assay.store.evidence import read_evidence
from assay.store.journal import Writer, read_lines
from assay.store.rundir import RunDir
from assay.store.seal import faults, read_seal, seal
from assay.store.stamps import LARGE
from publish.harm import TASK, Writing, write_run

CELL = Cell(task=TASK, system="one", seed=0, split="test")
GIB = 1 << 30


def record(name: str) -> Record:
    return Record(
        cell=CELL,
        sample=name,
        group="g",
        said=Answer("a"),
        verdict=Verdict(outcome=Outcome.CORRECT),
        usage=Usage(),
    )


def bytes_read() -> int:
    """Return how many bytes this process has asked the system for."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


@pytest.mark.parametrize("size", [4 * GIB - 5, 4 * GIB, 110 * GIB + 1])
def test_an_entry_behind_any_number_of_bytes_is_read_alone(size, tmp_path):
    journal, pack = tmp_path / "0-test.jsonl", tmp_path / "0-test.pack"
    pack.touch()
    os.truncate(pack, size)
    said = {(f"s{k}", 0): f"transcript {k} ".encode() * 100 for k in range(3)}
    with Writer(journal, pack) as writer:
        writer.write([record(name) for name, _ in said], said)
    lines = list(read_lines(journal))
    assert lines[0].usage.at[0] == size
    before = bytes_read()
    for line in lines:
        assert read_evidence(pack, line.usage.at) == said[line.decided.sample, 0]
    assert bytes_read() - before < 100_000


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """Return a sealed run with a pack that is just large enough to be read only once."""
    return sealed(tmp_path / "run", LARGE)


def sealed(root: Path, size: int) -> RunDir:
    samples = [Sample(id=f"{i:03}", input="x", target=Answer("a")) for i in range(16)]
    replies = {"one": lambda _i, _s: Answer("a"), "two": lambda _i, _s: Answer("b")}
    run = write_run(root, Writing(samples=samples, replies=replies, timed=False))
    pack = run.evidence(CELL)
    pack.parent.mkdir(parents=True, exist_ok=True)
    pack.touch()
    os.truncate(pack, size)
    seal(run, decisions=read_seal(run).decisions, incomplete=())
    return run


def test_a_large_file_is_read_once_and_small_ones_every_time(run):
    before = bytes_read()
    assert faults(run, keep=True) == []
    assert bytes_read() - before > LARGE
    before = bytes_read()
    assert faults(run, keep=True) == []
    assert bytes_read() - before < LARGE / 10


def test_verifying_reads_every_byte_whatever_is_known(run):
    faults(run, keep=True)
    before = bytes_read()
    assert faults(run) == []
    assert bytes_read() - before > LARGE


def edit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(LARGE // 2)
        file.write(b"!")


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.touch()
    os.truncate(other, LARGE)
    edit(other)
    other.replace(path)


@pytest.mark.parametrize("change", [edit, replace])
def test_a_large_file_that_was_changed_is_found_though_its_time_was_set_back(change, run):
    pack = run.evidence(CELL)
    faults(run, keep=True)
    times = pack.stat()
    change(pack)
    os.utime(pack, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [fault.what for fault in faults(run, keep=True)] == ["was changed after sealing"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a":1}'])
def test_damaged_notes_of_digests_are_not_trusted(text, run):
    faults(run, keep=True)
    notes = run.work / "digests.json"
    assert list(json.loads(notes.read_bytes())) == [f"evidence/{TASK}/one/0-test.pack"]
    notes.write_text(text, "utf-8")
    edit(run.evidence(CELL))
    assert len(faults(run, keep=True)) == 1


CHILD = """
import sys
from pathlib import Path
from assay.store.machine import peak_bytes
from assay.store.rundir import RunDir
from assay.store.seal import faults, read_seal, seal

run = RunDir(Path(sys.argv[1]))
seal(run, decisions=read_seal(run).decisions, incomplete=())
assert faults(run) == []
print(peak_bytes() // 1024)
"""


@pytest.mark.slow
def test_a_run_with_half_a_gigabyte_of_evidence_is_sealed_and_verified_in_little_memory(tmp_path):
    run = sealed(tmp_path / "run", 100)
    os.truncate(run.evidence(CELL), GIB // 2 + 1)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(run.root)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 128 * 1024, "kilobytes"
