"""Verdicts that are kept: found again under what they are about, never wrong, never of a busy machine."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.families.transpile.rust.kept import Kept, key_of
from assay.families.transpile.rust.running import Means
from assay.families.transpile.rust.toolchain import Toolchain, toolchain
from assay.families.transpile.rust.verified import Stand, Verified
from assay.families.transpile.rust.verify import Workbench
from assay.sandbox import Limits, Unsafe, find_sandbox
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")
KEY = "0123456789abcdef" * 4
PASSES = Verified(stand=Stand.PASSES, ran=2, build_s=0.25, test_log="fine")
ADD = "pub fn add(a: i64, b: i64) -> i64 "
TESTS = "#[test] fn adds() { assert_eq!(add(1, 2), 3); }"


def means(tmp_path, **more) -> Means:
    chain = Toolchain(rustc=tmp_path, root=tmp_path, version="rustc 1.0.0")
    return replace(
        Means(toolchain=chain, sandbox=Unsafe(), limits=Limits(), within=Limits()), **more
    )


@pytest.fixture
def kept(tmp_path) -> Kept:
    return Kept(tmp_path / "verdicts")


def test_what_was_kept_comes_back_and_says_so(kept):
    failed = Verified(stand=Stand.TESTS_FAIL, why="é", failed=("a", "b"), ran=3, beside=2)
    for key, verdict in ((KEY, PASSES), (KEY[::-1], failed)):
        assert kept.get(key) is None
        kept.put(key, verdict)
        assert kept.get(key) == replace(verdict, kept=True)
        kept.put(key, kept.get(key))
        assert kept.get(key) == replace(verdict, kept=True)


@pytest.mark.parametrize(
    "verdict",
    [
        Verified(stand=Stand.TIMED_OUT),
        Verified(stand=Stand.OVER_A_LIMIT),
        Verified(stand=Stand.TESTS_FAIL, why="the program ended before its tests did"),
    ],
)
def test_what_may_come_of_a_busy_machine_is_not_kept(kept, verdict):
    kept.put(KEY, verdict)
    assert kept.get(KEY) is None
    assert not kept.folder.exists()


def test_no_damage_makes_another_verdict(kept):
    """Whatever byte is changed, and wherever the file is cut: the same verdict or none."""
    kept.put(KEY, PASSES)
    [file] = kept.folder.rglob("*.json")
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at])
        assert kept.get(KEY) is None
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert kept.get(KEY) in (None, replace(PASSES, kept=True))
    file.write_bytes(whole.replace(b"passes", b"tests fail").replace(b'"ran": 2', b'"ran": 1'))
    assert kept.get(KEY) is None


def test_a_verdict_that_was_put_in_the_place_of_another_is_none(kept):
    other = KEY[::-1]
    kept.put(KEY, PASSES)
    [file] = kept.folder.rglob("*.json")
    there = kept.folder / other[:2] / f"{other[2:]}.json"
    there.parent.mkdir(exist_ok=True)
    there.write_bytes(file.read_bytes())
    assert kept.get(other) is None
    said = json.loads(file.read_text())
    assert set(said) == {"digest", "verdict"}


def test_a_folder_that_cannot_be_written_costs_no_verdict(tmp_path):
    (tmp_path / "file").write_text("in the way")
    kept = Kept(tmp_path / "file" / "verdicts")
    kept.put(KEY, PASSES)
    assert kept.get(KEY) is None


def test_many_at_once_keep_one_verdict_and_leave_nothing_else(kept):
    threads = [threading.Thread(target=kept.put, args=(KEY, PASSES)) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert kept.get(KEY) == replace(PASSES, kept=True)
    assert len(list(kept.folder.rglob("*.*"))) == 1


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_other_programs_and_tests_have_other_names(tmp_path_factory, one, other):
    at = means(tmp_path_factory.getbasetemp())
    assert (key_of(at, *one) == key_of(at, *other)) == (one == other)
    assert key_of(at, *one) == key_of(at, *one)
    assert key_of(at, one[0], None) != key_of(at, one[0], "")


def test_another_compiler_other_limits_and_another_sandbox_have_other_names(tmp_path):
    at = means(tmp_path)
    others = [
        replace(at, toolchain=replace(at.toolchain, version="rustc 1.0.1")),
        replace(at, limits=Limits(wall_s=1)),
        replace(at, within=Limits(wall_s=1)),
        replace(at, sandbox=Unsafe(name="other")),
    ]
    keys = {key_of(each, "fn f() {}", "") for each in [at, *others]}
    assert len(keys) == 5


@needs_rust
@pytest.mark.slow
def test_a_second_look_builds_nothing_and_says_the_same(kept):
    bench = Workbench(toolchain=toolchain(), sandbox=find_sandbox(), kept=kept)
    pairs = [(ADD + body, TESTS) for body in ("{ a + b }", "{ a - b }", "{ a }", "{ x }")]
    first = bench.verify_all(pairs)
    assert not any(each.kept for each in first)
    unable = replace(bench, sandbox=_NoBuild(bench.sandbox.name))
    assert unable.verify_all(pairs) == [replace(each, kept=True) for each in first]
    assert unable.verify(*pairs[0]).kept
    with pytest.raises(AssertionError, match="built again"):
        unable.verify(ADD + "{ b + a }", TESTS)
    uncached = replace(bench, kept=None)
    assert not uncached.verify(*pairs[0]).kept


class _NoBuild:
    def __init__(self, name):
        self.name = name

    def run(self, job):
        raise AssertionError("built again")
