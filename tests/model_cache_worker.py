"""What one process does with a cache of model files, for tests of several.

    python model_cache_worker.py ROLE FOLDER LIMIT

Each role says ``ready`` on standard output, and begins each round when a line comes in.  ``kills`` works
alone: it does everything that changes a cache in a process that is killed at its first step, at its
second, and so on until one comes to its end, looks at what is left each time, and prints JSON.
"""

from __future__ import annotations

import builtins
import fcntl
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from assay import AssayError
from assay.families.supply.keeping.cache import ModelCache
from assay.families.supply.keeping.kept import Gone
from assay.families.supply.keeping.notes import Origin
from assay.families.supply.keeping.parts import open_part

STEPS = (
    "open", "fsync", "replace", "unlink", "mkdir", "utime", "chmod", "fchmod", "scandir", "stat", "lstat",
)  # fmt: skip


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


# -- roles of several processes


def rounds() -> Any:
    """Say that this process is ready, and yield with each line until none comes."""
    say_ready()
    yield from (line.strip() for line in sys.stdin)


def put_same(cache: ModelCache) -> None:
    for line in rounds():
        data = line.encode() * 50_000
        kept = cache.put(io.BytesIO(data), name=str(os.getpid()), source="", sha256=digest(data))
        say(sha256=kept.sha256, origins=len(kept.origins))


def put_many(cache: ModelCache) -> None:
    rng = random.Random(os.getpid())
    for line in rounds():
        done = 0
        for _ in range(int(line)):
            cache.put(io.BytesIO(rng.randbytes(rng.randrange(1, 400))), name="a", source="")
            done += 1
        say(done=done)


def use(cache: ModelCache) -> None:
    """Use a file that another process evicts whenever it can."""
    data = b"weights" * 1000
    for line in rounds():
        used = gone = 0
        while used < int(line):
            cache.put(io.BytesIO(data), name="a", source="")
            try:
                with cache.using(digest(data)) as path:
                    for _ in range(20):  # for the other one to try meanwhile
                        assert path.read_bytes() == data
                used += 1
            except AssayError as error:
                if error.code != "A403":
                    raise
                gone += 1
        say(used=used, gone=gone)


def evict(cache: ModelCache) -> None:
    """Evict a file again and again until a line comes."""
    sha = digest(b"weights" * 1000)
    said: dict[str, int] = {}
    say_ready()
    os.read(0, 100)
    os.set_blocking(0, False)
    while True:
        done = cache.evict(sha)
        word = "gone" if isinstance(done, Gone) else done.why
        said[word] = said.get(word, 0) + 1
        with suppress(BlockingIOError):
            os.read(0, 100)
            break
    say(**said)


def hold(cache: ModelCache) -> None:
    [kept] = cache.ls()
    with cache.using(kept.sha256), open_part(cache.incoming, "a-download") as part:
        part.file.write(b"half")
        part.file.flush()
        for _ in rounds():
            return


# -- killed at every step

LIMIT = 100
OLD, NEW, PINNED, RECENT = b"o" * 40, b"n" * 45, b"p" * 20, b"r" * 30


def prepare(folder: Path) -> ModelCache:
    cache = ModelCache(folder, limit=LIMIT)
    for data in (OLD, PINNED, RECENT):
        cache.put(io.BytesIO(data), name="a", source="")
    cache.pin(digest(PINNED))
    cache.get(digest(RECENT))
    return cache


def adopt(cache: ModelCache) -> None:
    with open_part(cache.incoming, "a-download") as part:
        part.file.write(NEW)
        cache.adopt(part, Origin(name="a", source=""), sha256=digest(NEW))


def spoil(cache: ModelCache) -> None:
    path = cache.shelf.blob(digest(RECENT))
    path.chmod(0o644)
    path.write_bytes(b"R" * 30)


def cut(cache: ModelCache) -> None:
    path = cache.shelf.blob(digest(RECENT))
    path.chmod(0o644)
    path.write_bytes(b"r" * 10)


def nothing(cache: ModelCache) -> None:
    """Prepare nothing."""


def halted(cache: ModelCache) -> None:
    with suppress(AssayError):
        cache.put(io.BytesIO(b"evil"), name="a", source="", sha256=digest(b"good"))


def cut_found(cache: ModelCache) -> None:
    with suppress(AssayError):
        cache.get(digest(RECENT))


Do = Callable[[ModelCache], Any]
SCENES: dict[str, tuple[Do, Do, set[bytes], set[bytes]]] = {
    # name: before, what is done, files that may go, files that are there at the end
    "put": (nothing, lambda c: c.put(io.BytesIO(NEW), name="b", source=""), {OLD}, {NEW}),
    "put again": (nothing, lambda c: c.put(io.BytesIO(OLD), name="b", source=""), set(), {OLD}),
    "adopt": (nothing, adopt, {OLD}, {NEW}),
    "refuse": (nothing, halted, set(), set()),
    "evict": (nothing, lambda c: c.evict(digest(OLD)), {OLD}, set()),
    "pin": (nothing, lambda c: c.pin(digest(OLD)), set(), {OLD}),
    "make room": (nothing, lambda c: c.room_for(50), {OLD}, set()),
    "get": (nothing, lambda c: c.get(digest(OLD)), set(), {OLD}),
    "find one cut": (cut, cut_found, {RECENT}, set()),
    "collect": (spoil, lambda c: c.gc(), {RECENT}, set()),
}


def kills(folder: Path) -> dict[str, int]:
    killed = {}
    for name, (before, do, may_go, ends_with) in SCENES.items():
        model = folder / f"{name}-prepared"
        before(prepare(model))
        for step in range(1000):
            there = folder / f"{name}-{step}"
            shutil.copytree(model, there, copy_function=shutil.copy2)
            died = attempt(ModelCache(there, limit=LIMIT), do, step)
            look(there, name, {OLD, PINNED, RECENT} - may_go)
            do(ModelCache(there, limit=LIMIT))  # hangs where a lock was left
            look(there, name, {PINNED, *ends_with} | {OLD, PINNED, RECENT} - may_go)
            ModelCache(there, limit=LIMIT).gc()
            look(there, name, {PINNED, *ends_with} | {OLD, PINNED, RECENT} - may_go, whole=True)
            shutil.rmtree(there)
            if not died:
                break
        killed[name] = step
    return killed


def attempt(cache: ModelCache, do: Do, left: int) -> bool:
    """Do something in a process that is killed before its ``left``-th step; whether it was."""
    child = os.fork()
    if child == 0:
        try:
            arm(left)
            do(cache)
        except BaseException:  # noqa: BLE001  (whatever it was, it must not go on as the parent)
            traceback.print_exc()
            os._exit(70)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status and not os.WIFSIGNALED(status):
        sys.exit(f"a process ended by itself with status {os.waitstatus_to_exitcode(status)}")
    return os.WIFSIGNALED(status)


def arm(left: int) -> None:
    def counted(real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*arguments, **named)

        return call

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    io.open = builtins.open = counted(io.open)
    fcntl.flock = counted(fcntl.flock)


def look(folder: Path, name: str, needed: set[bytes], *, whole: bool = False) -> None:
    """Exit unless a cache is as it must be whenever a process was killed."""
    cache = ModelCache(folder, limit=LIMIT)
    there = cache.ls()
    contents = {each.sha256: each.path.read_bytes() for each in there}
    wrong = [sha for sha, data in contents.items() if digest(data) != sha]
    faults = {
        "over the limit": sum(map(len, contents.values())) > LIMIT,
        "rotten": bool(wrong) and (whole or name not in {"collect", "find one cut"}),
        "gone": not {digest(data) for data in needed} <= set(contents),
        "unpinned": not any(each.pinned and each.sha256 == digest(PINNED) for each in there),
        "parts": whole and any(cache.incoming.iterdir()),
        "notes": whole and {p.stem for p in (folder / "notes").iterdir()} != set(contents),
    }
    found = [fault for fault, is_there in faults.items() if is_there]
    if found:
        sys.exit(f"{name}: {', '.join(found)} in {sorted(folder.rglob('*'))}")


def main() -> None:
    role, folder, limit = sys.argv[1:]
    if role == "kills":
        with tempfile.TemporaryDirectory(dir=folder) as inside:
            say(**kills(Path(inside)))
        return
    roles = {"put_same": put_same, "put_many": put_many, "use": use, "evict": evict, "hold": hold}
    roles[role](ModelCache(Path(folder), limit=int(limit)))


if __name__ == "__main__":
    main()
