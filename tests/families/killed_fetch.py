"""Fetch in a process that is killed before or after the n-th call that makes something durable.

    python killed_fetch.py

reads a line of JSON for each try, ``{"source", "folder", "n", "when"}``, and answers with one: the exit
status of the child, negative when it was killed.  Children are forked before any thread is begun, so that
a try costs milliseconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from assay.families.supply.fetching.fetch import Manner, fetch
from assay.families.supply.fetching.patience import Patience
from assay.families.supply.keeping.cache import ModelCache

DURABLE = ("fsync", "replace", "unlink", "mkdir", "link", "open")


def arm(n: int, when: str) -> None:
    left = [n]

    def count(real):
        def call(*args, **named):
            if left[0] == 0 and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            done = real(*args, **named)
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return done

        return call

    for name in DURABLE:
        setattr(os, name, count(getattr(os, name)))


def child(said: dict) -> None:
    folder = Path(said["folder"])
    if said.get("n") is not None:
        arm(said["n"], said["when"])
    cache = ModelCache(folder / "cache", limit=said.get("limit", 10**9))
    for _ in range(said.get("times", 1)):
        for source in said["sources"]:
            fetched = fetch(
                source,
                into=cache,
                lock=folder / "models.lock",
                manner=Manner(patience=Patience(timeout_s=30)),
            )
            assert fetched.files
        for digest in said.get("evict", ()):
            cache.evict(digest)


def main() -> None:
    for line in sys.stdin:
        said = json.loads(line)
        pids = []
        for each in said:
            pid = os.fork()
            if pid == 0:
                child(each)
                os._exit(0)
            pids.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
