"""Examples in a program's documentation are run when somebody asks, and are its own tests."""

from __future__ import annotations

import pytest

from assay.families.transpile.rust.doctests import Doctests
from assay.families.transpile.rust.verify import Workbench
from rust_here import needs_rust

pytestmark = [needs_rust, pytest.mark.slow]


def ran(code: str, timeout: float = 20.0) -> Doctests:
    return Workbench.of(timeout).doctests(code)


def documented(*lines: str, fence: str = "```") -> str:
    inside = "\n".join(f"/// {line}" for line in lines)
    return f"/// {fence}\n{inside}\n/// ```\npub fn two() -> i64 {{ 2 }}\n"


def test_examples_that_hold_pass_and_others_are_named() -> None:
    right = documented("assert_eq!(answer::two(), 2);")
    wrong = documented("assert_eq!(answer::two(), 3);").replace("pub fn two()", "pub fn too()")
    wrong = wrong.replace("answer::two", "answer::too")
    found = ran(right + wrong)
    assert found.passed == ("two (line 1)",)
    assert found.failed == ("too (line 5)",)
    assert not found.well
    assert "left: 2" in found.log


@pytest.mark.parametrize(
    ("fence", "line", "well"),
    [
        ("```ignore", "nonsense", True),
        ("```text", "nonsense", True),
        ("```compile_fail", "nonsense", True),
        ("```should_panic", "panic!()", True),
        ("```should_panic", "answer::two();", False),
        ("```", "nonsense", False),
    ],
)
def test_examples_mean_what_they_say_they_are(fence: str, line: str, well: bool) -> None:
    assert ran(documented(line, fence=fence)).well is well


def test_a_program_without_examples_is_well() -> None:
    assert ran("pub fn two() -> i64 { 2 }") == Doctests(passed=(), failed=())


def test_an_example_that_never_ends_is_stopped() -> None:
    found = ran(documented("loop {}"), timeout=3)
    assert not found.well
    assert found.why


def test_an_example_sees_no_more_than_any_other_test() -> None:
    found = ran(documented('assert!(std::fs::read("/etc/passwd").is_err());'))
    assert found.well
    assert found.passed
