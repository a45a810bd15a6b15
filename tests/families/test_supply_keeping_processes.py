"""The cache of model files between processes, and after processes that were killed."""

from __future__ import annotations

import io
import json
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from assay.families.supply.keeping.cache import ModelCache
from assay.families.supply.keeping.kept import Gone, Stays

WORKER = Path(__file__).parents[1] / "model_cache_worker.py"


class Worker:
    """A process with a role, that waits for a line before each round."""

    def __init__(self, role: str, cache: ModelCache):
        words = [sys.executable, str(WORKER), role, str(cache.folder), str(cache.limit)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")

    def said(self) -> dict[str, Any]:
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        with suppress(BrokenPipeError):  # what it had not read yet
            self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    return ModelCache(tmp_path / "models", limit=1000)


@pytest.fixture
def start(cache: ModelCache) -> Iterator[Callable[[str], Worker]]:
    workers: list[Worker] = []

    def new(role: str, of: ModelCache = cache) -> Worker:
        workers.append(Worker(role, of))
        return workers[-1]

    yield new
    for worker in workers:
        if worker.process.returncode is None:
            worker.kill()


pytestmark = pytest.mark.slow


def test_two_processes_put_the_same_file_at_once_and_it_is_kept_once(tmp_path: Path, start):
    cache = ModelCache(tmp_path / "large")
    one, other = start("put_same", cache), start("put_same", cache)
    for n in range(30):
        one.tell(str(n))
        other.tell(str(n))
        said = one.said(), other.said()
        expected = sha256(str(n).encode() * 50_000).hexdigest()
        assert [each["sha256"] for each in said] == [expected] * 2
        assert sorted(each["origins"] for each in said) == [1, 2]
    one.end()
    other.end()
    assert len(cache.ls()) == 30
    assert not list(cache.incoming.iterdir())
    assert cache.gc().rotten == ()


def test_a_file_that_is_used_is_never_evicted_by_another_process(tmp_path: Path, start):
    cache = ModelCache(tmp_path / "large")
    user, evicter = start("use", cache), start("evict", cache)
    evicter.tell("begin")
    user.tell("40")
    used = user.said()
    evicter.tell("end")
    evicted = evicter.said()
    user.end()
    evicter.end()
    assert used["used"] == 40
    assert evicted["gone"] > 0  # they did meet
    assert evicted["gone"] + len(cache.ls()) >= used["gone"]


def test_two_processes_together_keep_within_the_limit(cache: ModelCache, start):
    workers = [start("put_many"), start("put_many")]
    for worker in workers:
        worker.tell("60")
    looked = 0
    while not looked or any(not _has_said(worker) for worker in workers):
        with cache.shelf.alone():
            assert sum(each.size for each in cache.ls()) <= cache.limit
        looked += 1
    assert [worker.said() for worker in workers] == [{"done": 60}] * 2
    for worker in workers:
        worker.end()
    assert cache.gc().rotten == ()


def _has_said(worker: Worker) -> bool:
    return bool(select.select([worker.process.stdout], [], [], 0)[0])


def test_what_a_killed_process_used_and_downloaded_is_free_again(cache: ModelCache, start):
    kept = cache.put(io.BytesIO(b"weights"), name="a", source="")
    worker = start("hold")
    assert cache.evict(kept.sha256) == Stays(why="in use")
    assert cache.gc().parts == 0
    assert [each.name for each in cache.incoming.iterdir()] == ["a-download.part"]
    worker.kill()
    found = cache.gc()
    assert (found.parts, found.freed) == (1, 4)
    assert cache.evict(kept.sha256) == Gone(freed=7)


def test_a_process_killed_at_any_step_leaves_a_sound_cache(tmp_path: Path):
    memory = Path("/dev/shm")  # three hundred caches, each made durable: not on a disk
    folder = memory if memory.is_dir() else tmp_path
    words = [sys.executable, str(WORKER), "kills", str(folder), "0"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    killed = json.loads(ended.stdout)
    assert killed["put"] > 20  # each of its steps was the last one of some process
    assert min(killed.values()) > 3
