"""Disks that may only be read, all of a sudden, and networks that come and go."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import RunError
from assay.engine.execute import execute
from assay.store.journal import repair
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals, read_seal
from disks import mounted
from runs import SMOKE, decisions, execute_plan, resolve_plan, write_plan

FAST = ("timing.blocks=1", "timing.questions=1", "tasks.toy.errands.limit=60")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of our own, where this process may mount one."""
    with mounted(tmp_path / "disk", "64m") as folder:
        yield folder


class Tellers:
    """Locks or breaks something once so many replies are committed."""

    def __init__(self, after: int, act: Any) -> None:
        self.left, self.act = after, act

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def advance(self, system: str, replies: int) -> None:
        self.left -= replies
        if self.left <= 0 and self.act is not None:
            act, self.act = self.act, None
            act()


@pytest.mark.slow
def test_a_disk_that_becomes_read_only_stops_the_run_which_goes_on_when_it_may(
    disk: Path, tmp_path: Path
) -> None:
    """As a file system does that finds itself damaged: what is open may still be written, nothing new made."""
    wanted = decisions(execute_plan(SMOKE, tmp_path / "whole", *FAST))
    resolved, run = resolve_plan(SMOKE, *FAST), RunDir(disk / "run")

    def lock() -> None:
        # Whatever was open for writing keeps a tmpfs writable; a bind mount over it is read-only all the same.
        subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)

    for after in (1, 200):
        with pytest.raises(RunError, match="Read-only file system") as caught:
            execute(resolved, out=run.root, workers=2, teller=Tellers(after, lock))
        assert caught.value.code == "A500"
        kept = sum(len(repair(path).last) for path in journals(run))
        with pytest.raises(RunError, match="Read-only file system"):
            execute(resolved, out=run.root, workers=2)
        subprocess.run(["umount", str(disk)], check=True)
        assert sum(len(repair(path).last) for path in journals(run)) >= kept > 0
    execute(resolved, out=run.root, workers=2)
    assert decisions(run) == wanted
    assert faults(run) == []


class Proxy:
    """A line to a server that can be cut: what is under way breaks off, and nobody is let in."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.open: set[socket.socket] = set()
        self.is_up, self.cuts, self.through = True, 0, 0
        self.door = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self.door.accept()
            except OSError:
                return
            if not self.is_up:
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self.to))
            self.open |= {here, there}
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
                self.through += 1
        except OSError:
            pass
        finally:
            for end in (one, other):
                self.open.discard(end)
                with suppress(OSError):  # whoever waits on it hears of it
                    end.shutdown(socket.SHUT_RDWR)
            one.close()  # the other is closed by whoever reads from it

    def cut(self) -> None:
        """Break every line off."""
        self.is_up, self.cuts = False, self.cuts + 1
        for end in list(self.open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let everybody in again."""
        self.is_up = True


REMOTE = """\
name: remote
tasks: [{use: lm.labelled, options: {path: rows.jsonl, user: "{text}"}}]
timing: {processes: 0}
systems:
  - name: served
    use: lm.openai
    options: {base_url: "URL", model: m, key: "", max_tokens: 8, parallel: 20, retries: 8}
"""


def remote_plan(folder: Path, url: str, rows: int) -> Path:
    from many_endpoint import answer_to

    texts = [f"review number {i}" for i in range(rows)]
    lines = (json.dumps({"text": text, "label": answer_to(text)}) + "\n" for text in texts)
    (folder / "rows.jsonl").write_text("".join(lines))
    return write_plan(folder, REMOTE.replace("URL", url))


@contextmanager
def flapping(proxy: Proxy) -> Iterator[None]:
    """Cut the line six times: after every forty pieces that went through, for a moment."""
    over = threading.Event()

    def flap() -> None:
        seen = 0
        while proxy.cuts < 6 and not over.wait(0.01):
            if proxy.through - seen >= 40:
                proxy.cut()
                over.wait(0.3)
                proxy.mend()
                seen = proxy.through

    thread = threading.Thread(target=flap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        proxy.door.close()


@pytest.mark.slow
def test_a_network_that_comes_and_goes_changes_no_decision(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    from many_endpoint import many_endpoint

    with many_endpoint(0.02) as server:
        steady = execute_plan(remote_plan(tmp_path, server.url, 150), tmp_path / "steady")
        proxy = Proxy(server.port)
        path = remote_plan(tmp_path, f"http://127.0.0.1:{proxy.port}/v1", 150)
        with flapping(proxy):
            run = execute_plan(path, tmp_path / "run")
            if read_seal(run).incomplete:  # a question met nothing but cuts: it is asked again
                run = execute_plan(path, run.root)
    assert proxy.cuts == 6
    assert decisions(run) == decisions(steady)
    assert read_seal(run).incomplete == ()
    assert faults(run) == []
