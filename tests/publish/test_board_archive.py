"""Archives of runs: the same run comes back, and nothing else comes out."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from assay.core.errors import DataError, SealError
from assay.publish.board import archive as archiving
from assay.publish.board.archive import archive, packed, seal_in, unpack
from assay.publish.run import Run
from assay.store.rundir import RunDir
from assay.store.seal import faults, read_seal
from runs import copy_of


def tar_of(*entries: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in entries:
            info, data = entry if isinstance(entry, tuple) else (entry, b"")
            made = tarfile.TarInfo(info) if isinstance(info, str) else info
            if isinstance(entry, tuple):
                made.size = len(data)
            tar.addfile(made, io.BytesIO(data))
    return lzma.compress(buffer.getvalue())


def odd(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_an_unpacked_run_is_the_run(smoke: RunDir, tmp_path):
    path = tmp_path / "run.tar.xz"
    told = archive(smoke, path)
    assert told is not None
    assert told.bytes == path.stat().st_size
    again = unpack(path, tmp_path / "again")
    assert read_seal(again) == read_seal(smoke)
    assert again.seal.read_bytes() == smoke.seal.read_bytes() == seal_in(path)
    assert faults(again) == []
    there, here = (Run.load(run.root).estimate("accuracy", "votes") for run in (again, smoke))
    assert there == here


def test_equal_runs_have_equal_archives(smoke: RunDir, tmp_path):
    copy = copy_of(smoke, tmp_path / "copy")
    copy.plan.touch()
    (copy.root / "cache").mkdir(exist_ok=True)
    (copy.root / "cache" / "secret").write_text("mine")
    assert packed(copy) == packed(smoke)
    assert b"secret" not in lzma.decompress(packed(copy))


def test_a_run_that_is_not_sealed_is_not_archived(smoke: RunDir, tmp_path):
    copy = copy_of(smoke, tmp_path / "copy")
    copy.seal.unlink()
    with pytest.raises(SealError, match="A301"):
        packed(copy)


def test_a_run_that_is_too_large_is_not_written(smoke: RunDir, tmp_path, monkeypatch):
    monkeypatch.setattr(archiving, "PACKED_LIMIT", 1_000)
    path = tmp_path / "run.tar.xz"
    assert archive(smoke, path) is None
    assert not path.exists()


FINE = ("plan.yaml", b"x")
LARGE = tarfile.TarInfo("plan.yaml")
LARGE.size = 1 << 70
HOSTILE = {
    "leaves the folder": tar_of(("../evil", b"x")),
    "leaves it inside": tar_of(("records/../../evil", b"x")),
    "absolute": tar_of(("/etc/evil", b"x")),
    "spelled otherwise": tar_of(("./plan.yaml", b"x")),
    "another platform's": tar_of(("records\\evil", b"x")),
    "no file of a run": tar_of(("derived/report.html", b"x")),
    "a symbolic link": tar_of(odd("plan.yaml", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": tar_of(FINE, odd("SEAL", tarfile.LNKTYPE, "plan.yaml")),
    "a device": tar_of(odd("plan.yaml", tarfile.CHRTYPE)),
    "a pipe": tar_of(odd("plan.yaml", tarfile.FIFOTYPE)),
    "a folder": tar_of(odd("records", tarfile.DIRTYPE)),
    "a name too long": tar_of(("records/" + "a" * 256, b"x")),
    "a path too long": tar_of(("records/" + "a/" * 2_000 + "x", b"x")),
    "a size beyond any": lzma.compress(LARGE.tobuf(tarfile.GNU_FORMAT) + bytes(1024)),
    "twice": tar_of(FINE, FINE),
    "a file and a folder": tar_of(("records/a/b", b"x"), ("records/a", b"x")),
    "a folder and a file": tar_of(("records/a", b"x"), ("records/a/b", b"x")),
    "more behind it": tar_of(FINE) + b"more",
    "a second stream": tar_of(FINE) * 2,
    "cut off": tar_of(FINE)[:-9],
    "not packed": b"plan.yaml",
    "nothing": b"",
    "no tar": lzma.compress(b"plan.yaml" * 100),
    "old lzma": lzma.compress(b"x" * 2_000, format=lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_writes_nothing(name, tmp_path):
    path, into = tmp_path / "evil.tar.xz", tmp_path / "deep" / "into"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(DataError, match="this archive is refused"):
        unpack(path, into)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["evil.tar.xz"]


def test_a_stream_that_grows_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(archiving, "UNPACKED_LIMIT", 5_000_000)
    path = tmp_path / "bomb.tar.xz"
    path.write_bytes(lzma.compress(bytes(50_000_000)))
    assert path.stat().st_size < 50_000
    with pytest.raises(DataError, match="unpacks to more than"):
        unpack(path, tmp_path / "into")


def test_more_files_than_a_run_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archiving, "FILES_LIMIT", 3)
    path: Path = tmp_path / "many.tar.xz"
    path.write_bytes(tar_of(*((f"records/{i}", b"") for i in range(4))))
    with pytest.raises(DataError, match="more than 3 files"):
        unpack(path, tmp_path / "into")
