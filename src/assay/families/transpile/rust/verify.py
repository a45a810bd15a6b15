"""Build a Rust program, run its tests in a sandbox, and say how far it came.

*Covered*: programs that leave before their tests end, print what a test runner prints, hook panics, bring tests of
their own, make their own ``assert_eq!`` or ``String``, give the language's types other methods, read files while they
compile, read their own test program, or do what the sandbox holds (``assay.sandbox``).  *Not covered*: a program that runs
its own test program once more, looks through its own memory, or turns the standard output elsewhere by ``unsafe`` code, to
learn the name of the test that must fail; tests that compare
values of a type which the program chose, and whose ``==`` it wrote; faults of the compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from assay import AssayError
from assay.machines import usable_cpus
from assay.sandbox import Limits, Sandbox, find_sandbox

from .doctests import Doctests, doctests
from .joined import Crate, joined, with_own_tests
from .kept import Kept, key_of
from .outcomes import built, tested
from .reading import refused
from .running import CHECKED, ROOT, TESTED, Means
from .shadows import shadowed
from .together import Found, may_share, together
from .toolchain import Toolchain, toolchain
from .verified import Stand, Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What programs are verified with."""

    toolchain: Toolchain
    sandbox: Sandbox
    limits: Limits = field(default_factory=Limits)
    """Of the build, and again of the tests."""

    within: Limits | None = None
    """Of the tests, where they are others."""

    kept: Kept | None = None
    """Where verdicts are looked up and kept; None: every program is built."""

    @classmethod
    def of(
        cls, timeout: float, sandbox: Sandbox | None = None, *, kept: Kept | None = None
    ) -> Workbench:
        """Return this machine's: ``timeout`` seconds for each build, and again for the tests.

        Raises ``PluginError`` A401 without a compiler, ``AssayError`` A500 without a sandbox.
        """
        limits = Limits(wall_s=timeout, cpu_s=timeout)
        chain = toolchain()  # first: without a compiler nobody needs a sandbox
        return cls(toolchain=chain, sandbox=sandbox or find_sandbox(), limits=limits, kept=kept)

    @property
    def means(self) -> Means:
        """Return what builds and runs."""
        return Means(
            toolchain=self.toolchain,
            sandbox=self.sandbox,
            limits=self.limits,
            within=self.within or self.limits,
        )

    def verify(self, code: str, tests: str | None = None) -> Verified:
        """Say how far a program comes with tests; without, with those that it brings itself.

        Raises ``AssayError`` A500 where the machine failed: that says nothing about the program.
        """
        known = self._known(code, tests)
        if known is not None:
            return known
        said = first_look(code, tests)
        found = _built_alone(self.means, said) if isinstance(said, Crate) else said
        self._keep(code, tests, found)
        return found

    def verify_all(
        self, pairs: Sequence[tuple[str, str | None]], *, workers: int | None = None
    ) -> list[Verified]:
        """Say how far each of many programs comes with its tests: the same as ``verify``, sooner.

        Raises as ``verify`` does, for the first that the machine failed on.
        """
        found = []
        for each in self.try_all(pairs, workers=workers):
            if isinstance(each, AssayError):
                raise each
            found.append(each)
        return found

    def try_all(
        self, pairs: Sequence[tuple[str, str | None]], *, workers: int | None = None
    ) -> list[Found]:
        """Return what ``verify`` would return, or raise, for each of many programs.

        Programs are built together as far as that changes nothing (``together``), as many at once as there
        are cores, or ``workers``.  Twins are verified once.
        """
        distinct = list(dict.fromkeys(pairs))
        found: dict[int, Found] = {}
        crates: dict[int, Crate] = {}
        for number, pair in enumerate(distinct):
            said = self._known(*pair) or first_look(*pair)
            if isinstance(said, Crate):
                crates[number] = said
            else:
                found[number] = said
        means = self.means
        shared = {n: crate for n, crate in crates.items() if may_share(*distinct[n])}
        built = together(
            means,
            shared,
            {n: crate for n, crate in crates.items() if n not in shared},
            verify=lambda crate: _built_alone(means, crate),
            workers=workers or usable_cpus(),
        )
        for number, each in built.items():
            if isinstance(each, Verified):
                self._keep(*distinct[number], each)
        found |= built
        by_pair = {pair: found[number] for number, pair in enumerate(distinct)}
        return [by_pair[pair] for pair in pairs]

    def compile(self, code: str) -> Verified:
        """Say whether a program compiles.  Raises as ``verify`` does."""
        if (found := _not_built(code)) is not None:
            return found
        with TemporaryDirectory(prefix="assay-rust-") as folder:
            ended = self.means.build(Path(folder), {ROOT: code}, CHECKED)
        return built(ended) or Verified(stand=Stand.UNTESTED, build_s=ended.wall_s)

    def doctests(self, code: str) -> Doctests:
        """Run the examples in the documentation of a program that compiles.  Raises as ``verify`` does."""
        return doctests(self.means, code)

    def _known(self, code: str, tests: str | None) -> Verified | None:
        return self.kept.get(key_of(self.means, code, tests)) if self.kept else None

    def _keep(self, code: str, tests: str | None, found: Verified) -> None:
        if self.kept:
            self.kept.put(key_of(self.means, code, tests), found)


def _not_built(code: str) -> Verified | None:
    if not code.strip():
        return Verified(stand=Stand.NO_CODE, why="the answer has no Rust")
    if (why := refused(code)) is not None:
        return Verified(stand=Stand.REFUSED, why=why)
    return None


def first_look(code: str, tests: str | None) -> Crate | Verified:
    """Return what is to be built, or what there is to say without."""
    if (found := _not_built(code)) is not None:
        return found
    if tests and (why := shadowed(code, tests)) is not None:
        return Verified(stand=Stand.REFUSED, why=why)
    crate = joined(code, tests) if tests else with_own_tests(code)
    return crate if crate.names else Verified(stand=Stand.NO_TESTS, why="there is no #[test]")


def _built_alone(means: Means, crate: Crate) -> Verified:
    with TemporaryDirectory(prefix="assay-rust-") as folder:
        ended = means.build(Path(folder), {ROOT: crate.source}, TESTED)
        if (found := built(ended)) is not None:
            return found
        return tested(crate, means.test(Path(folder), crate), build_s=ended.wall_s)
