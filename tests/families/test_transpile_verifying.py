"""``verify_rust``: one call that says whether a Rust program does what tests say."""

from __future__ import annotations

import pytest

from assay import PlanError
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.verifying import verify_rust
from assay.sandbox import Unsafe
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")
TWO = "pub fn two() -> i64 { 2 }"


@needs_rust
@pytest.mark.slow
def test_a_program_is_verified_in_one_call(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    for said, stand in ((2, Stand.PASSES), (3, Stand.TESTS_FAIL)):
        found = verify_rust(TWO, f"#[test] fn t() {{ assert_eq!(two(), {said}) }}")
        assert found.stand is stand
    assert verify_rust(TWO).stand is Stand.NO_TESTS
    assert verify_rust(TWO + "\n#[test] fn own() {}", sandbox=Unsafe()).passed
    assert not list(tmp_path.iterdir())


@needs_rust
def test_a_time_that_is_none_is_an_error():
    with pytest.raises(PlanError, match="A102"):
        verify_rust(TWO, "#[test] fn t() {}", timeout=0)
