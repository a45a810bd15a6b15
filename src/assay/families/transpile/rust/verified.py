"""What became of a Rust program that was to pass tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stand(StrEnum):
    """How far a program came."""

    PASSES = "passes"
    """It compiles, at least one test ran, and all passed."""

    UNTESTED = "compiles, untested"
    NO_CODE = "no Rust in the answer"
    REFUSED = "refused before it was built"
    DOES_NOT_COMPILE = "does not compile"
    TESTS_FAIL = "tests fail"
    TIMED_OUT = "timed out"
    OVER_A_LIMIT = "went over a limit"
    NO_TESTS = "no tests ran"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a compiler and tests say of a program.

    A failure of the machine is none of this: it is raised.
    """

    stand: Stand
    why: str = ""
    """In words, for people: the first error, the tests that failed, the limit."""

    error: str = ""
    """The compiler's class of the first error, such as ``E0308``."""

    ran: int = 0
    """Tests that ran."""

    failed: tuple[str, ...] = ()
    build_log: str = ""
    test_log: str = ""
    build_s: float = 0.0
    """Wall seconds; of a crate that several programs shared, a program's part."""

    test_s: float = 0.0
    beside: int = 0
    """Other programs in the same crate."""

    kept: bool = False
    """Whether it was reached before, and kept."""

    @property
    def passed(self) -> bool:
        """Whether it compiles, at least one test ran and all passed."""
        return self.stand is Stand.PASSES
