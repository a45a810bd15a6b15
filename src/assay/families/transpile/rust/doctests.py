"""The examples in a program's documentation, compiled and run as ``cargo test`` would.

*Covered*: the sandbox and limits of any other test.  *Not covered*: an example that ends its process with
status 0 before it asserts anything passes, as it does with cargo: these tests are the program's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.sandbox import Ended, How, Job

from .running import BINARY, EDITION, ROOT, SOURCE, TOOLCHAIN, Means

RLIB = "libanswer.rlib"
LIBRARY = ("--crate-type=lib", "--emit=link")
_EACH = re.compile(r"^test \S+ - (.*) \.\.\. (ok|FAILED|ignored)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctests:
    """What came of the examples in a program's documentation."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    """Item and line of each."""

    why: str = ""
    """Why they did not run to their end."""

    log: str = ""

    @property
    def well(self) -> bool:
        """Whether none failed and all of them ended; true where there is none."""
        return not self.failed and not self.why


def doctests(means: Means, code: str) -> Doctests:
    """Run the examples of a program that compiles.  Raises ``AssayError`` A500 where the machine failed.

    Source: ``rustdoc --test``, which compiles each example as a program of its own.
    """
    with TemporaryDirectory(prefix="assay-rust-") as folder:
        place = Path(folder)
        ended = means.build(place, {ROOT: code}, LIBRARY, name=RLIB)
        if not ended.well:
            return Doctests(passed=(), failed=(), why="it does not compile as a library")
        return _told(means.sandbox.run(_job(means, place)))


def _job(means: Means, place: Path) -> Job:
    return Job(
        argv=(
            f"{TOOLCHAIN}/bin/rustdoc",
            "--test",
            EDITION,
            "--crate-name=answer",
            "--cap-lints=allow",
            f"--extern=answer={BINARY}/{RLIB}",
            "--test-args=--test-threads=1",
            f"{SOURCE}/{ROOT}",
        ),
        reads={means.toolchain.root: TOOLCHAIN, place / "given": SOURCE, place / "out": BINARY},
        env={"LD_LIBRARY_PATH": f"{TOOLCHAIN}/lib"},
        limits=means.limits,
    )


def _told(ended: Ended) -> Doctests:
    log = (ended.stdout + ended.stderr).decode(errors="replace")
    each = _EACH.findall(log)
    passed = tuple(name for name, said in each if said == "ok")
    failed = tuple(name for name, said in each if said == "FAILED")
    why = ""
    if ended.how is not How.EXITED:
        why = f"its doctests {ended.how}"
    elif ended.status != 0 and not failed:
        why = "its doctests cannot be run"
    return Doctests(passed=passed, failed=failed, why=why, log="" if not (failed or why) else log)
