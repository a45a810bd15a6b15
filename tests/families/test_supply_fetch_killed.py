"""Fetches that are killed at any moment, and fetches that meet: nothing half usable, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from assay.families.supply.fetching.lockfile import read_lock
from assay.families.supply.keeping.cache import ModelCache

from .fetching import Bench
from .hub_server import Fault, HubServer, hub_server

pytestmark = pytest.mark.slow

TEXT = "".join(f"line {i} of a long vocabulary\n" for i in range(10_000)).encode()
DIGEST = sha256(TEXT).hexdigest()
ASSAY = Path(sys.executable).with_name("assay")
SCRIPT = Path(__file__).with_name("killed_fetch.py")


@pytest.fixture
def web() -> Iterator[HubServer]:
    with hub_server() as server:
        server.files["/files/vocab.txt"] = TEXT
        yield server


class Nursery:
    """A process that forks the ones that are killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *children: dict) -> list[int]:
        self.begin(*children)
        return self.end()

    def begin(self, *children: dict) -> None:
        self._process.stdin.write(json.dumps(children) + "\n")
        self._process.stdin.flush()

    def end(self) -> list[int]:
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


def check_nothing_is_half_usable(folder: Path, cache: str = "cache") -> None:
    for kept in ModelCache(folder / cache).ls():
        assert sha256(kept.path.read_bytes()).hexdigest() == kept.sha256
    for entry in read_lock(folder / "models.lock").sources.values():
        for file in entry.files.values():
            assert file.sha256 == DIGEST


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fetch_that_is_killed_at_any_call_is_resumed(
    web: HubServer, nursery: Nursery, tmp_path: Path, when: str
):
    source = f"{web.url}/files/vocab.txt"
    for n in range(1000):
        folder = tmp_path / str(n)
        folder.mkdir()
        [code] = nursery.run({"sources": [source], "folder": str(folder), "n": n, "when": when})
        check_nothing_is_half_usable(folder)
        bench = Bench(folder)
        part = sum(map(len, bench.parts()))
        placed = bench.cache.get(DIGEST) is not None
        asked = len(web.asked)
        fetched = bench.fetch(source)
        assert fetched.files[0].path.read_bytes() == TEXT
        check_nothing_is_half_usable(folder)
        assert bench.parts() == []
        again = sum(each.sent for each in web.asked[asked:])
        assert again <= (0 if placed else len(TEXT) - part)
        if code == 0:
            assert n > 10  # so many calls were there to be killed at
            return
        assert code == -signal.SIGKILL
    pytest.fail("it never ends")


@pytest.mark.parametrize("at", [0, 1, 100_000, len(TEXT) - 1])
def test_a_fetch_that_is_killed_between_two_bytes_is_resumed(
    web: HubServer, nursery: Nursery, tmp_path: Path, at: int
):
    source = f"{web.url}/files/vocab.txt"
    hold = Fault(hold_at=at)
    web.fail("/vocab.txt", hold)
    process = subprocess.Popen(
        [ASSAY, "model", "fetch", source, "--lock", tmp_path / "models.lock"],
        env={**os.environ, "ASSAY_CACHE": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    assert hold.reached.wait(60)
    bench = Bench(tmp_path)
    bench.cache = ModelCache(tmp_path / "models")
    while sum(map(len, bench.parts())) < at:  # what was sent is on its way to the disk
        assert process.poll() is None
    process.kill()
    process.wait()
    hold.gate.set()
    check_nothing_is_half_usable(tmp_path, "models")
    assert bench.parts() == [TEXT[:at]]
    assert bench.fetch(source).files[0].path.read_bytes() == TEXT
    assert web.asked[-1].sent == len(TEXT) - at


def test_two_processes_that_want_the_same_file_fetch_it_once(
    web: HubServer, nursery: Nursery, tmp_path: Path
):
    source = f"{web.url}/files/vocab.txt"
    hold = Fault(hold_at=100_000)
    web.fail("/vocab.txt", hold)
    one = {"sources": [source], "folder": str(tmp_path)}
    nursery.begin(one, one)
    assert hold.reached.wait(60)
    hold.gate.set()
    assert nursery.end() == [0, 0]
    assert sum(each.sent for each in web.asked) == len(TEXT)
    check_nothing_is_half_usable(tmp_path)


def test_processes_fetch_and_evict_at_once_and_every_fetch_ends_well(
    web: HubServer, nursery: Nursery, tmp_path: Path
):
    sources, digests = [], []
    for i in range(3):
        data = f"{i}".encode() + TEXT
        web.files[f"/files/{i}.txt"] = data
        sources.append(f"{web.url}/files/{i}.txt")
        digests.append(sha256(data).hexdigest())
    said = {"folder": str(tmp_path), "limit": 2 * len(TEXT) + 10, "times": 4}
    codes = nursery.run(
        {**said, "sources": sources, "evict": digests[:2]},
        {**said, "sources": sources[::-1], "evict": digests[1:]},
    )
    assert codes == [0, 0]
    cache = ModelCache(tmp_path / "cache")
    assert sum(each.size for each in cache.ls()) <= said["limit"]
    for kept in cache.ls():
        assert sha256(kept.path.read_bytes()).hexdigest() == kept.sha256
    locked = read_lock(tmp_path / "models.lock").sources
    assert [locked[each].files[Path(each).name].sha256 for each in sources] == digests
