"""Whether a Rust program does what tests say, for who has one in hand."""

from __future__ import annotations

from assay.sandbox import Sandbox

from .rust.verified import Verified
from .rust.verify import Workbench, first_look


def verify_rust(
    code: str, tests: str | None = None, *, timeout: float = 20.0, sandbox: Sandbox | None = None
) -> Verified:
    """Build a Rust program in a sandbox, run its tests, and say how far it came.

    ``tests`` are joined as ``mod tests { use super::*; ... }``; without them the tests that the program
    brings are run.  ``timeout`` is in seconds, for the build and again for the tests.  ``sandbox`` is that of
    this machine unless it is given.  The result is a pass (``found.passed``) only when the program
    compiles, at least one test ran and all passed.  Doctests do not run.  Every call builds: no verdict of
    an earlier one is looked up.

    Raises ``PluginError`` A401 without the extra ``rust`` or without a compiler; ``AssayError`` A500 where no
    sandbox works or the machine failed, which says nothing about the program; ``PlanError`` A102 for a
    timeout that is none.
    Source: ``rustc --test``, beside a test that must fail (``rust.verify``).

    >>> found = verify_rust('const S: &str = include_str!("/etc/passwd");', "#[test] fn t() {}")
    >>> print(found.stand, "-", found.why)
    refused before it was built - line 1: include_str! reads files while it compiles
    >>> found.passed, verify_rust("").why
    (False, 'the answer has no Rust')
    >>> found = verify_rust("fn two() -> i64 { 2 }", "#[test] fn t() { assert_eq!(two(), 2) }")  # doctest: +SKIP
    >>> found.passed, found.ran  # where there is a compiler  # doctest: +SKIP
    (True, 1)

    *Not to be trusted when* tests compare values of a type that the program chose; see ``rust.verify`` for
    what else is not covered.
    """
    said = first_look(code, tests)
    if isinstance(said, Verified):
        return said
    return Workbench.of(timeout, sandbox).verify(code, tests)
