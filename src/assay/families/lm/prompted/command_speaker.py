"""A program that speaks: the prompt on its standard input, the answer on its standard output.

*Covered*: time (the program and all that it starts end at the limit), output that never ends, a program that
does not read its input, what it prints on standard error (kept as evidence), a run that is killed (the program
ends with it).  *Not covered*: the program runs as you, with your environment and your network; a child that makes
itself a session of its own; children of the program when the run is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import IO

from assay import Crash, Failed

from .speaker import Draw, Message, Spoken, as_text

LONGEST = 4 * 2**20
"""Bytes of an answer.  A program that says more has failed."""

LONGEST_ERRORS = 20_000
"""Bytes of standard error that are kept: the last ones."""

_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of Linux."""

WAIT_S = 0.2
"""Seconds between two looks at how much has been said."""


class CommandSpeaker:
    """Starts a program for each answer, in an empty folder of its own."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)

    def say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        """Answer the last message."""
        prompt = as_text(messages)
        settings = {
            "ASSAY_TEMPERATURE": f"{draw.temperature:g}",
            "ASSAY_MAX_TOKENS": str(draw.max_tokens),
            "ASSAY_SEED": str(draw.seed),
        }
        with (
            tempfile.TemporaryFile() as asked,
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as errors,
            tempfile.TemporaryDirectory(prefix="assay-command-") as folder,
        ):
            asked.write(prompt.encode("utf-8", "replace"))
            asked.seek(0)
            started = perf_counter()
            try:
                process = subprocess.Popen(
                    self._argv,
                    stdin=asked,
                    stdout=said,
                    stderr=errors,
                    cwd=folder,
                    env=os.environ | settings,
                    start_new_session=True,  # a group of its own: what it starts ends with it
                    preexec_fn=_ends_with(os.getpid()),  # noqa: PLW1509  (one call of the kernel)
                )
            except OSError as error:
                return Spoken(prompt=prompt, instead=Crash("command", str(error)))
            wrong = _wait(process, said, started + draw.timeout_s)
            spent = perf_counter() - started
            shown = _last(errors)
            text = _first(said)
        if wrong is None and process.returncode:
            wrong = Failed(f"exit_{process.returncode}", shown[-2000:])
        return Spoken(
            text=text,
            finish="stop" if wrong is None else wrong.why,
            instead=wrong,
            prompt=prompt,
            latency_s=spent,
            shown={"stderr": shown} if shown else {},
        )


def _ends_with(asker: int) -> Callable[[], None]:
    """Return what makes a new process end with the one that asks, which may be killed at any time."""
    # Looked up here: little may be done between fork and exec.  macOS has no such call.
    prctl = getattr(ctypes.CDLL(None), "prctl", None)

    def bind() -> None:
        if prctl is not None:
            prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != asker:  # it has gone already
            os._exit(1)

    return bind


def _wait(process: subprocess.Popen[bytes], said: IO[bytes], deadline: float) -> Failed | None:
    """Wait until a program ends, or has said or taken too much; end it with all that it started."""
    wrong = None
    try:
        while process.poll() is None and wrong is None:
            left = deadline - perf_counter()
            if left <= 0:
                wrong = Failed("timeout", "the program had not ended")
            elif os.fstat(said.fileno()).st_size > LONGEST:
                wrong = Failed("too_long", f"the program said more than {LONGEST} bytes")
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(left, WAIT_S))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if wrong is None and os.fstat(said.fileno()).st_size > LONGEST:
        return Failed("too_long", f"the program said more than {LONGEST} bytes")
    return wrong


def _first(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(LONGEST).decode("utf-8", "replace")


def _last(file: IO[bytes]) -> str:
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - LONGEST_ERRORS))
    return file.read().decode("utf-8", "replace").strip()


def located(argv: Sequence[str]) -> Path | None:
    """Return the program that a command starts, None where there is none."""
    found = shutil.which(argv[0])
    return None if found is None else Path(found)
