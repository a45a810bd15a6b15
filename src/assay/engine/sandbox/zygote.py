"""Runs scripts, each in a process that is forked from this one: Python starts once for all of them.

This file runs inside the sandbox by itself, so it knows the standard library alone.  It reads lines of
JSON: what each script may use, then one script a line; it writes a line ``{"ready": ...}``, then one line
of how each script ended, in order.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import types
from typing import Any, NoReturn

PRELOADED = (
    "bisect", "collections", "copy", "dataclasses", "enum", "fractions", "functools", "heapq",
    "itertools", "math", "operator", "random", "re", "statistics", "string", "typing",
)  # fmt: skip
"""What programs import most: it is loaded once, before any of them."""

SECRET, OPEN = 0, 1
DUMPABLE = 4
"""Option of prctl(2): whether another process may read this one's memory and files."""

PIECE = 1 << 16
GRACE_S = 0.5
"""Seconds for what is left in the pipes of a script that has ended."""


def main() -> None:
    """Read scripts until there are no more."""
    ctypes.CDLL(None).prctl(DUMPABLE, SECRET, 0, 0, 0)  # a script must not write our results
    for name in PRELOADED:
        importlib.import_module(name)
    limits: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    gc.freeze()  # what is there by now is nobody's to collect: children need no pages of their own for it
    _say({"ready": sys.version})
    for line in sys.stdin.buffer:
        _say(run(json.loads(line)["source"], limits))


def _say(facts: dict[str, Any]) -> None:
    left = json.dumps(facts).encode() + b"\n"
    while left:
        left = left[os.write(1, left) :]


def run(source: str, limits: dict[str, Any]) -> dict[str, Any]:
    """Run one script to its end, and say how it ended."""
    start = time.monotonic()
    folder = tempfile.mkdtemp()
    out, err = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _be(source, limits, folder, out[1], err[1])
    os.close(out[1])
    os.close(err[1])
    kept: dict[int, bytearray] = {out[0]: bytearray(), err[0]: bytearray()}
    handle = os.pidfd_open(child)
    try:
        over = _watch(kept, handle, child, limits, start + limits["wall_s"])
    finally:
        _end(child, alone=limits["alone"])
        _, status = os.waitpid(child, 0)
        os.close(handle)
        for end in kept:
            os.close(end)
        shutil.rmtree(folder, ignore_errors=True)
    code = os.waitstatus_to_exitcode(status)
    return {
        "over": over,
        "code": code,
        "stdout": base64.b64encode(kept[out[0]]).decode(),
        "stderr": base64.b64encode(kept[err[0]]).decode(),
        "wall_s": time.monotonic() - start,
    }


def _watch(
    kept: dict[int, bytearray], handle: int, child: int, limits: dict[str, Any], until: float
) -> str | None:
    """Read what a script says until it has ended; return the limit that it went over."""
    poll = select.poll()
    for each in (*kept, handle):
        poll.register(each, select.POLLIN)
    room = limits["output_kb"] * 1024
    talking, alive = len(kept), True
    while talking:
        ready = poll.poll(max(until - time.monotonic(), 0) * 1000)
        if not ready:
            return "wall" if alive else None
        for end, _ in ready:
            if end == handle:  # what it has left behind may hold its pipes for ever
                poll.unregister(end)
                _end(child, alone=limits["alone"])
                alive, until = False, min(until, time.monotonic() + GRACE_S)
                continue
            piece = os.read(end, PIECE)
            if not piece:
                poll.unregister(end)
                talking -= 1
            kept[end] += piece[:room]
            room -= len(piece)
            if room < 0:
                return "output"
    if alive and not poll.poll(max(until - time.monotonic(), 0) * 1000):
        return "wall"  # it closed its pipes and lives on
    return None


def _end(child: int, *, alone: bool) -> None:
    """Kill a script and what it started: in namespaces of our own, whatever is there but us."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if alone:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(-1, signal.SIGKILL)


def _be(source: str, limits: dict[str, Any], folder: str, out: int, err: int) -> NoReturn:
    """Become the script, in the forked process."""
    status = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(DUMPABLE, OPEN, 0, 0, 0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for at, end in enumerate((nothing, out, err)):
            os.dup2(end, at)
        os.closerange(3, 256)
        cpu = max(int(limits["cpu_s"]), 1)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        os.chdir(folder)
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = folder
        sys.argv = ["program.py"]
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        exec(compile(source, "program.py", "exec", dont_inherit=True), module.__dict__)  # noqa: S102  (it is what we are for)
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is the script's)
        seen = error.__traceback__
        traceback.print_exception(type(error), error, seen and seen.tb_next)
    finally:
        with contextlib.suppress(BaseException):
            _tidy()
        os._exit(status)


def _status(code: Any) -> int:
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _tidy() -> None:
    """Do what an interpreter does at its end, as far as a program can tell."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001  (there is no other name for it)
    sys.stdout.flush()
    sys.stderr.flush()


if __name__ == "__main__":
    main()
