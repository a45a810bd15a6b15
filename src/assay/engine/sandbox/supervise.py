"""A child process that is watched: its time, its output, the memory and number of all its descendants.

*Covered*: output that never ends, a child that ignores its pipes, descendants that outlive it in its
session, memory that is spread over many processes.  *Not covered*: what a process does to files, to
the network, or to other processes of the same user: that is what a sandbox is for; bursts of memory
that come and go within a twentieth of a second.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import AssayError
from .job import Ended, How, Limits

LOOK_S = 0.05
"""Seconds between two looks at memory and processes."""

GONE_S = 5.0
"""Seconds that killed processes get to be gone: those with much memory take a while."""

PIECE = 1 << 16
SIGNALLED = 128


def supervise(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    limits: Limits,
    stdin: bytes = b"",
    spare: int = 0,
    folder: Path | None = None,
    keep: tuple[int, ...] = (),
) -> Ended:
    """Run a program, and stop it with all it started when it goes over a limit.

    ``spare`` is how many processes belong to whoever holds the program and do not count; ``folder``
    is where it starts; ``keep`` are files that it is to find open.  Raises ``AssayError`` A500 when it cannot be started.
    """
    start = time.monotonic()
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd=folder,
            pass_fds=keep,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        raise AssayError(
            f"{argv[0]} cannot be started: {error.strerror or error}",
            hint="check that it is installed and may be run",
            code="A500",
        ) from error
    watch = _Watch(child=child, limits=limits, start=start, spare=spare, waiting=memoryview(stdin))
    try:
        over = watch.to_the_end()
    finally:
        _stop(child.pid)
        child.wait()
        watch.close()
    code = child.returncode
    status = SIGNALLED - code if code < 0 else code
    return Ended(
        how=over or how_of(status),
        status=status,
        stdout=bytes(watch.kept[0]),
        stderr=bytes(watch.kept[1]),
        wall_s=time.monotonic() - start,
    )


def how_of(status: int) -> How:
    """Return how a program ended that no limit of ours stopped, by its exit status."""
    if status == SIGNALLED + signal.SIGXCPU:
        return How.CPU
    return How.SIGNALLED if status > SIGNALLED else How.EXITED


def _stop(pid: int) -> None:
    """Kill a process and all that it started, and wait until they are gone.

    A handle is taken of each first, so that no other process of the same number is meant.
    """
    handles = []
    for each in _descendants(pid):
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(each))
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for handle in handles:
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    until = time.monotonic() + GONE_S
    for handle in handles:
        wait_for(handle, until)
        os.close(handle)


def wait_for(handle: int, until: float) -> None:
    """Wait until a process is gone, or a pipe has nobody who writes; not longer than ``until``."""
    gone = select.poll()  # select() takes no handles above 1,023
    gone.register(handle, select.POLLIN)
    gone.poll(max(until - time.monotonic(), 0) * 1000)


@dataclass(slots=True, kw_only=True)
class _Watch:
    child: subprocess.Popen[bytes]
    limits: Limits
    start: float
    spare: int
    waiting: memoryview
    """What standard input has not taken yet."""

    kept: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))

    def to_the_end(self) -> How | None:
        """Return which limit was passed; None when the child ended before any was."""
        pipes = selectors.DefaultSelector()
        streams = (self.child.stdout, self.child.stderr)
        for number, stream in enumerate(streams):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            pipes.register(stream, selectors.EVENT_READ, number)
        self._offer(pipes)
        look = self.start
        with pipes:
            while pipes.get_map() or not self._ended():
                now = time.monotonic()
                if now - self.start > self.limits.wall_s:
                    return How.WALL
                if now >= look:
                    if (over := self._over()) is not None:
                        return over
                    look = now + LOOK_S
                for key, _ in pipes.select(timeout=LOOK_S):
                    if key.data is None:
                        self._feed(pipes)
                    elif not self._take(pipes, key):
                        return How.OUTPUT
                if self._ended() and not pipes.select(timeout=0):
                    return None  # a grandchild may hold the pipes for ever
        return None

    def _ended(self) -> bool:
        """Whether the child is done: looked at without taking its exit status."""
        found = os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None

    def _offer(self, pipes: selectors.DefaultSelector) -> None:
        stdin = self.child.stdin
        assert stdin is not None
        if self.waiting:
            os.set_blocking(stdin.fileno(), False)
            pipes.register(stdin, selectors.EVENT_WRITE, None)
        else:
            stdin.close()

    def _feed(self, pipes: selectors.DefaultSelector) -> None:
        stdin = self.child.stdin
        assert stdin is not None
        try:
            self.waiting = self.waiting[os.write(stdin.fileno(), self.waiting[:PIECE]) :]
        except BrokenPipeError:
            self.waiting = self.waiting[:0]
        if not self.waiting:
            pipes.unregister(stdin)
            stdin.close()

    def _take(self, pipes: selectors.DefaultSelector, key: selectors.SelectorKey) -> bool:
        """Keep what a stream holds; whether there is still room."""
        data = os.read(key.fd, PIECE)
        if not data:
            pipes.unregister(key.fileobj)
            return True
        room = self.limits.output_kb * 1024 - sum(map(len, self.kept))
        self.kept[key.data].extend(data[:room])
        return len(data) <= room

    def _over(self) -> How | None:
        total = count = 0
        for pid in _descendants(self.child.pid):
            pages, threads = _size(pid)
            total += pages
            count += threads
        if total > self.limits.memory_mb * 2**20:
            return How.MEMORY
        return How.PROCESSES if count > self.limits.processes + self.spare else None

    def close(self) -> None:
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            if stream is not None:
                stream.close()


def _descendants(pid: int) -> Iterator[int]:
    """Yield a process and what it started, as far as they are still alive."""
    found = [pid]
    while found:
        at = found.pop()
        yield at
        with suppress(OSError, ValueError):
            for task in Path(f"/proc/{at}/task").iterdir():
                found += map(int, (task / "children").read_bytes().split())


def _size(pid: int) -> tuple[int, int]:
    """Return the bytes of resident memory of a process that no file backs, and its threads."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
        threads = sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it ended meanwhile
        return 0, 0
    resident, shared = int(fields[1]), int(fields[2])
    return max(resident - shared, 0) * os.sysconf("SC_PAGE_SIZE"), threads
