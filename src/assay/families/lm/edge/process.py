"""A process that measures one model, from outside: started with pinned threads, asked, ended."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from pydantic import ValidationError

from .job import Job, Ready, Said, Timed
from .stamps import Silent

PATIENCE_S = 600.0
"""Seconds without a word after which a process is given up."""

CHILD = ("-m", "assay.families.lm.edge.child")


class Process:
    """One model in a process of its own, loaded and warm; ``ready`` says what that took.

    Raises ``Silent`` with the reason where it cannot be measured.  ``end`` it, whatever happens.
    """

    def __init__(
        self, job: Job, *, program: tuple[str, ...] = CHILD, patience_s: float = PATIENCE_S
    ) -> None:
        self._patience_s = patience_s
        self._log: IO[bytes] = TemporaryFile()  # noqa: SIM115  (``end`` closes it)
        self._process = subprocess.Popen(
            [sys.executable, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=pinned(job.threads),
            cwd=Path.cwd(),
        )
        self._rest = b""
        try:
            self._tell(job.model_dump_json())
            self.ready: Ready = self._ready()
        except BaseException:
            self.end()
            raise

    def answer(self) -> Timed:
        """Return the times of one answer.  Raises ``Silent``."""
        self._tell("")
        match self._hear():
            case Said(timed=Timed() as timed):
                return timed
            case other:
                raise Silent(f"the process said {other.model_dump_json()[:200]}")

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # it ended with a line unread
                    continue

    def _ready(self) -> Ready:
        match self._hear():
            case Said(ready=Ready() as ready):
                return ready
            case other:
                raise Silent(f"the process said {other.model_dump_json()[:200]}")

    def _tell(self, line: str) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise Silent("the process has no standard input")
        try:
            stdin.write(line.encode("utf-8") + b"\n")
            stdin.flush()
        except OSError:  # it has ended; hearing says why
            return

    def _hear(self) -> Said:
        line = self._line()
        try:
            said = Said.model_validate_json(line)
        except ValidationError:
            raise Silent(f"the process said {line[:200].decode('utf-8', 'replace')}") from None
        if said.fault is not None:
            raise Silent(said.fault)
        return said

    def _line(self) -> bytes:
        stdout = self._process.stdout
        if stdout is None:
            raise Silent("the process has no standard output")
        deadline = monotonic() + self._patience_s
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(deadline - monotonic(), 0)):
                    raise Silent(f"nothing came of it in {self._patience_s:g} s")
                more = os.read(stdout.fileno(), 65536)
                if not more:
                    raise Silent(self._last_words())
                self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        why = f": {lines[-1][:300]}" if lines else ""
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        return f"its process ended {how}{why}"


def pinned(threads: int) -> dict[str, str]:
    """Return the environment of a process that uses so many threads, whatever library it uses."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        **os.environ,
        **dict.fromkeys(names, str(threads)),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
    }
