"""Python programs in the sandbox: one interpreter is started, and forked for each of them.

*Covered*: what the sandbox holds; a program that never ends, says too much, leaves processes behind, or
ends the interpreter that it was forked from; a program that reads or writes what others say.  *Not
covered*: a program that fills the folder for temporary files, which those of the same batch share; what a
program prints is what it says, not proof of what it did.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...core.errors import AssayError
from .found import find_sandbox
from .job import Ended, How, Job, Limits, Sandbox
from .supervise import SIGNALLED, how_of
from .unsafe import Unsafe

PYTHON, ZYGOTE = "/python", "/zygote"
BATCH = 256
"""Programs that one interpreter serves, at most."""

MOST_KB = 128 * 1024
"""Of what they may print together: it is held in memory until all have ended."""

START_S = 10.0
"""Seconds for the interpreter to start, beside those of its programs."""

START_MB = 256


def run_python(
    sources: Sequence[str],
    *,
    limits: Limits | None = None,
    sandbox: Sandbox | None = None,
    hash_seed: int = 0,
    workers: int = 1,
) -> list[Ended]:
    r"""Run Python programs, each as if it were alone, and return how each ended.

    Every program is ``__main__`` of a process of its own, sees this interpreter's standard library and
    nothing that is installed, and starts in an empty folder.  ``limits`` are those of each; ``hash_seed``
    decides the order of sets of texts; ``workers`` is how many run at once.

    Raises ``AssayError`` A500 where no sandbox works, or the interpreter cannot be started: that says
    nothing about the programs.

    >>> from assay.sandbox import run_python  # where there is a sandbox:
    >>> [ended] = run_python(["print(6 * 7)"])  # doctest: +SKIP
    >>> ended.well, ended.stdout  # doctest: +SKIP
    (True, b'42\n')

    *Not to be trusted when* programs judge themselves: what one prints, it may print without having done it.
    """
    held = sandbox or find_sandbox()
    limits = limits or Limits()
    size = max(1, min(BATCH, MOST_KB // _said_kb(limits), -(-len(sources) // workers)))
    batches = [sources[start : start + size] for start in range(0, len(sources), size)]

    def one(batch: Sequence[str]) -> list[Ended]:
        return _batch(batch, limits, held, hash_seed)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        return [ended for part in pool.map(one, batches) for ended in part]


def _batch(sources: Sequence[str], limits: Limits, held: Sandbox, hash_seed: int) -> list[Ended]:
    found: list[Ended] = []
    while len(found) < len(sources):
        left = sources[len(found) :]
        ended = held.run(_job(left, limits, hash_seed, alone=not isinstance(held, Unsafe)))
        lines = ended.stdout.split(b"\n")[:-1]  # a last line without an end is half a line
        if not lines:
            said = ended.stderr.decode(errors="replace").strip().splitlines()
            raise AssayError(
                f"Python cannot be run in the sandbox: {said[-1] if said else ended.how}",
                hint="run `assay doctor`",
                code="A500",
            )
        found += [_ended(json.loads(line)) for line in lines[1:]]
        if len(lines) - 1 < len(left):  # the first that is missing took the interpreter with it
            found.append(_fatal(ended))
    return found


def _job(sources: Sequence[str], limits: Limits, hash_seed: int, *, alone: bool) -> Job:
    here = Path(__file__).parent
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    asked = [asdict(limits) | {"alone": alone}, *({"source": source} for source in sources)]
    return Job(
        argv=(f"{PYTHON}/bin/python{version}", "-S", "-s", "-B", f"{ZYGOTE}/zygote.py"),
        reads={Path(sys.base_prefix): PYTHON, here: ZYGOTE},
        env={
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONIOENCODING": "utf-8",
            "LD_LIBRARY_PATH": f"{PYTHON}/lib",
        },
        stdin=b"".join(json.dumps(each).encode() + b"\n" for each in asked),
        limits=replace(
            limits,
            wall_s=START_S + limits.wall_s * len(sources),
            cpu_s=START_S + limits.cpu_s,
            memory_mb=limits.memory_mb + START_MB,
            processes=limits.processes + 1,
            output_kb=64 + _said_kb(limits) * len(sources),
        ),
    )


def _said_kb(limits: Limits) -> int:
    """Return how long the line about a program may be."""
    return limits.output_kb * 2 + 1


def _ended(said: dict[str, Any]) -> Ended:
    code = int(said["code"])
    status = code if code >= 0 else SIGNALLED - code
    over = {"wall": How.WALL, "output": How.OUTPUT}.get(said["over"])
    return Ended(
        how=over or how_of(status),
        status=status,
        stdout=base64.b64decode(said["stdout"]),
        stderr=base64.b64decode(said["stderr"]),
        wall_s=float(said["wall_s"]),
    )


def _fatal(ended: Ended) -> Ended:
    """Return the end of a program that ended the interpreter it was forked from."""
    how = How.SIGNALLED if ended.how is How.EXITED else ended.how
    said = b"it ended the process that started it\n"
    return replace(ended, how=how, stdout=b"", stderr=said + ended.stderr[-1000:])
