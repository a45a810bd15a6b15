"""What is made of this source: the same bytes whoever makes it, and nothing that is not meant."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHILD = "import os, sys; os.umask(int(sys.argv[1], 8)); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"


def made(source: Path, out: Path, umask: str, epoch: str) -> dict[str, str]:
    """Build wheel and sdist; return their digests by name."""
    words = ["-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, umask, *words],
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in out.iterdir()}


def source_at(folder: Path, mode: int, when: float) -> Path:
    """Copy what git tracks, with other rights and times than here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if not (ROOT / name).is_file():
            continue  # deleted, and not yet committed
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod(mode)
        os.utime(target, (when, when))
    return folder


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> list[tuple[Path, dict[str, str]]]:
    """Build in two folders, with other rights, times and masks."""
    found = []
    for name, mode, umask, age in (
        ("one", 0o644, "022", 1e5),
        ("another/place", 0o600, "077", 9e7),
    ):
        folder = tmp_path_factory.mktemp(name.partition("/")[0])
        source = source_at(folder / name, mode, time.time() - age)
        found.append((folder / "dist", made(source, folder / "dist", umask, "1700000000")))
    return found


@pytest.mark.slow
def test_wheel_and_source_are_the_same_bytes_wherever_they_are_made(twice):
    (_, one), (_, another) = twice
    assert one == another
    assert sorted(name.rpartition(".")[2] for name in one) == ["gz", "whl"]


@pytest.mark.slow
def test_the_wheel_is_typed_and_holds_no_test_and_no_path_of_the_machine(twice):
    folder, names = twice[0]
    with zipfile.ZipFile(folder / next(n for n in names if n.endswith(".whl"))) as wheel:
        listed = wheel.namelist()
        texts = {n: wheel.read(n) for n in listed if n.endswith((".py", "METADATA", ".txt", ".md"))}
    assert "assay/py.typed" in listed
    assert [n for n in listed if n.endswith(".data/data/share/man/man1/assay.1")]
    assert not [n for n in listed if n.startswith("tests/") or "/tests/" in n]
    here = str(ROOT).encode()
    assert not [n for n, text in texts.items() if here in text]


@pytest.mark.slow
def test_the_source_holds_what_its_tests_need(twice):
    folder, names = twice[0]
    with tarfile.open(folder / next(n for n in names if n.endswith(".gz"))) as packed:
        listed = {name.partition("/")[2] for name in packed.getnames()}
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "tests/conftest.py",
        "plans/smoke.yaml",
    } <= listed
