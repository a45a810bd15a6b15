"""Programs run as they are, for machines where no sandbox works and somebody said that this is all right.

*Covered*: time, output, memory, the number of processes, the environment.  *Not covered*: everything
else.  The program reads what you can read, writes what you can write, and reaches the network.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .job import Ended, Job
from .supervise import supervise


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsafe:
    """Runs jobs without a sandbox: paths inside are those outside."""

    name: str = "none"

    def run(self, job: Job) -> Ended:
        """Run a job.  Raises ``AssayError`` A500 when the program cannot be started."""
        inside = {at: str(path.resolve()) for path, at in job.reads.items()}
        if job.writes is not None:
            inside["/out"] = str(job.writes.resolve())
        with tempfile.TemporaryDirectory() as folder:
            env = {"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, **job.env}
            argv = [_outside(word, inside) for word in job.argv]
            return supervise(argv, env=env, limits=job.limits, stdin=job.stdin, folder=Path(folder))


def _outside(word: str, inside: dict[str, str]) -> str:
    """Return a word of a command with the path that it begins with as it is on the machine."""
    for at, path in sorted(inside.items(), key=lambda pair: -len(pair[0])):
        if word == at or word.startswith(f"{at}/"):
            return path + word[len(at) :]
    return word
