"""A Rust program built, and its tests run, in a sandbox: what these two jobs see and may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.sandbox import Ended, Job, Limits, Sandbox

from .joined import Crate
from .toolchain import Toolchain

TOOLCHAIN, SOURCE, BINARY = "/toolchain", "/given", "/built"
EDITION = "--edition=2021"
FLAGS = (
    EDITION, "--crate-name=answer", "--cap-lints=allow", "--error-format=json", "-Cdebuginfo=0",
)  # fmt: skip
TESTED = ("--test",)
CHECKED = ("--crate-type=lib", "--emit=metadata")
ROOT = "lib.rs"
RUNS_ONLY = 0o111
"""Of a test program: it can be run but not read, so that it does not learn from itself what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What programs are built and run with."""

    toolchain: Toolchain
    sandbox: Sandbox
    limits: Limits
    within: Limits
    """Of the tests; ``limits`` are those of the build."""

    def build(
        self, folder: Path, files: Mapping[str, str], made: tuple[str, ...], *, name: str = "answer"
    ) -> Ended:
        """Compile the files of a crate into ``folder/out``, as ``name``.  Raises ``AssayError`` A500."""
        given, out = folder / "given", folder / "out"
        folder.chmod(0o755)  # the user inside the sandbox is another one
        given.mkdir(mode=0o755, exist_ok=True)
        out.mkdir(exist_ok=True)
        out.chmod(0o777)
        for file, text in files.items():
            (given / file).write_text(text, "utf-8")
        return self.sandbox.run(
            Job(
                argv=(
                    f"{TOOLCHAIN}/bin/rustc",
                    *FLAGS,
                    *made,
                    "-o",
                    f"/out/{name}",
                    f"{SOURCE}/{ROOT}",
                ),
                reads={self.toolchain.root: TOOLCHAIN, given: SOURCE},
                writes=out,
                env={"LD_LIBRARY_PATH": f"{TOOLCHAIN}/lib"},
                limits=self.limits,
            )
        )

    def test(self, folder: Path, crate: Crate) -> Ended:
        """Run the tests of a crate that was built in ``folder``.  Raises ``AssayError`` A500."""
        out = folder / "out"
        (out / "answer").chmod(RUNS_ONLY)
        return self.sandbox.run(
            Job(
                argv=(f"{BINARY}/answer", *crate.filters, "--test-threads=1"),
                reads={out: BINARY},
                limits=self.within,
            )
        )
