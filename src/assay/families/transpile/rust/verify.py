"""Build a Rust program, run its tests in a sandbox, and say how far it came.

*Covered*: programs that leave before their tests end, print what a test runner prints, bring tests of
their own, make their own ``assert_eq!``, read files while they compile, or do what the sandbox holds
(``assay.sandbox``).  *Not covered*: a program that reads its own binary while it runs, to learn the
name of the test that must fail; tests that compare values of a type which the program chose, and whose
``==`` it wrote; faults of the compiler.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from assay import AssayError
from assay.sandbox import Ended, How, Job, Limits, Sandbox, find_sandbox

from .joined import Crate, joined, with_own_tests
from .reading import refused
from .toolchain import Toolchain, toolchain
from .verified import Stand, Verified

TOOLCHAIN, SOURCE, BINARY = "/toolchain", "/given", "/built"
FLAGS = (
    "--edition=2021", "--crate-name=answer", "--cap-lints=allow", "--error-format=json",
    "-Cdebuginfo=0",
)  # fmt: skip
FAILED_TESTS = 101
"""Exit status of a test program in which a test failed."""

LONGEST_LOG = 20_000
"""Characters of a log that are kept: its beginning."""

_RESULT = re.compile(
    r"^test result: FAILED\. (\d+) passed; (\d+) failed; (\d+) ignored; .*$", re.MULTILINE
)
_FAILED = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. .*?FAILED$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What programs are verified with."""

    toolchain: Toolchain
    sandbox: Sandbox
    limits: Limits = field(default_factory=Limits)
    """Of the build, and again of the tests."""

    @classmethod
    def of(cls, timeout: float, sandbox: Sandbox | None = None) -> Workbench:
        """Return this machine's: ``timeout`` seconds for each build, and again for the tests.

        Raises ``PluginError`` A401 without a compiler, ``AssayError`` A500 without a sandbox.
        """
        limits = Limits(wall_s=timeout, cpu_s=timeout)
        chain = toolchain()
        return cls(toolchain=chain, sandbox=sandbox or find_sandbox(), limits=limits)

    def verify(self, code: str, tests: str | None = None) -> Verified:
        """Say how far a program comes with tests; without, with those that it brings itself.

        Raises ``AssayError`` A500 where the machine failed: that says nothing about the program.
        """
        return self._look(code, lambda: joined(code, tests) if tests else with_own_tests(code))

    def compile(self, code: str) -> Verified:
        """Say whether a program compiles.  Raises as ``verify`` does."""
        return self._look(code, lambda: None)

    def _look(self, code: str, join: Callable[[], Crate | None]) -> Verified:
        if not code.strip():
            return Verified(stand=Stand.NO_CODE, why="the answer has no Rust")
        if (why := refused(code)) is not None:
            return Verified(stand=Stand.REFUSED, why=why)
        crate = join()
        if crate is not None and not crate.names:
            return Verified(stand=Stand.NO_TESTS, why="there is no #[test]")
        with tempfile.TemporaryDirectory(prefix="assay-rust-") as folder:
            return self._verified(code, crate, Path(folder))

    def _verified(self, code: str, crate: Crate | None, folder: Path) -> Verified:
        given, out = folder / "given", folder / "out"
        folder.chmod(0o755)  # the user inside the sandbox is another one
        given.mkdir(mode=0o755)
        out.mkdir()
        out.chmod(0o777)
        (given / "lib.rs").write_text(crate.source if crate else code, "utf-8")
        made = ("--crate-type=lib", "--emit=metadata") if crate is None else ("--test",)
        built = self.sandbox.run(
            Job(
                argv=(
                    f"{TOOLCHAIN}/bin/rustc",
                    *FLAGS,
                    *made,
                    "-o",
                    "/out/answer",
                    f"{SOURCE}/lib.rs",
                ),
                reads={self.toolchain.root: TOOLCHAIN, given: SOURCE},
                writes=out,
                env={"LD_LIBRARY_PATH": f"{TOOLCHAIN}/lib"},
                limits=self.limits,
            )
        )
        found = _built(built)
        if found is not None or crate is None:
            return found or Verified(stand=Stand.UNTESTED, build_s=built.wall_s)
        ended = self.sandbox.run(
            Job(
                argv=(f"{BINARY}/answer", *crate.filters, "--test-threads=1"),
                reads={out: BINARY},
                limits=self.limits,
            )
        )
        return _tested(crate, ended, built.wall_s)


def _built(ended: Ended) -> Verified | None:
    """Return what a build that did not succeed says of the program."""
    if ended.well:
        return None
    if (over := _over(ended, "building")) is not None:
        return over
    errors = list(_errors(ended.stderr))
    if not errors:
        raise AssayError(
            f"rustc ended with {ended.status} and named no error: {_text(ended.stderr)[:200]}",
            hint="run `assay doctor`; is there a linker (cc)?",
            code="A500",
        )
    code, message = next(((c, m) for c, m, _ in errors if c), errors[0][:2])
    if "linker" in message and "not found" in message:
        raise AssayError(message, hint="install a C compiler: apt-get install gcc", code="A500")
    return Verified(
        stand=Stand.DOES_NOT_COMPILE,
        why=message,
        error=code,
        build_log="".join(rendered for _, _, rendered in errors)[:LONGEST_LOG],
        build_s=ended.wall_s,
    )


def _errors(stderr: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the class, message and full text of each error that the compiler names."""
    for line in stderr.splitlines():
        try:
            said: Any = json.loads(line)
        except ValueError:
            continue  # a panic of the compiler, which prints plain text beside its errors
        if isinstance(said, dict) and str(said.get("level", "")).startswith("error"):
            code = (said.get("code") or {}).get("code", "")
            yield code, str(said.get("message", "")), str(said.get("rendered") or "")


def _tested(crate: Crate, ended: Ended, build_s: float) -> Verified:
    log = _text(ended.stdout) + _text(ended.stderr)
    says = log.replace(crate.canary, "(a test that must fail)")[:LONGEST_LOG]
    said = partial(Verified, test_log=says, build_s=build_s, test_s=ended.wall_s)
    if (over := _over(ended, "testing")) is not None:
        return said(stand=over.stand, why=over.why)
    results, all_failed = _RESULT.findall(log), dict.fromkeys(_FAILED.findall(log))
    failed = tuple(name for name in all_failed if name != crate.canary)
    due = len(crate.names) - len(crate.ignored)
    passed, wrong, _ = map(int, results[-1]) if results else (0, 0, 0)
    to_the_end = ended.status == FAILED_TESTS and crate.canary in all_failed
    if not to_the_end or passed + wrong != due + 1:
        why = f"the program ended before its tests did, with status {ended.status}"
        return said(stand=Stand.TESTS_FAIL, why=why, failed=failed)
    if due == 0:
        return said(stand=Stand.NO_TESTS, why="every test is ignored")
    if wrong > 1 or failed:
        why = f"{wrong - 1} of {due} tests fail: {', '.join(failed[:5])}"
        return said(stand=Stand.TESTS_FAIL, why=why, ran=due, failed=failed)
    return said(stand=Stand.PASSES, ran=due)


def _over(ended: Ended, doing: str) -> Verified | None:
    match ended.how:
        case How.EXITED | How.SIGNALLED:
            return None
        case How.WALL | How.CPU:
            return Verified(stand=Stand.TIMED_OUT, why=f"{doing}: {ended.how}")
        case _:
            return Verified(stand=Stand.OVER_A_LIMIT, why=f"{doing}: {ended.how}")


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
