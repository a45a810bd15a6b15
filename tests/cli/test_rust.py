"""``assay rust``: what a user sees, right and wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")


def assay(*words, **environment):

    done = subprocess.run(
        [sys.executable, "-m", "assay", "rust", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", **environment},
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def files(tmp_path):
    (tmp_path / "right.rs").write_text("pub fn add(a: i64, b: i64) -> i64 { a + b }")
    (tmp_path / "wrong.rs").write_text("pub fn add(a: i64, b: i64) -> i64 { a - b }")
    (tmp_path / "tests.rs").write_text("#[test] fn adds() { assert_eq!(add(1, 2), 3); }")
    (tmp_path / "add.txt").write_text("def add(a: int, b: int) -> int:\n    return a + b")
    (tmp_path / "chance.txt").write_text(
        "import random\ndef add(a: int, b: int) -> float:\n    return random.random()"
    )
    (tmp_path / "one.py").write_text("def one():\n    return 1")
    (tmp_path / "two.py").write_text("for x in [1]:\n    print(x)")
    return tmp_path


@needs_rust
@pytest.mark.slow
def test_verify_is_zero_only_when_tests_ran_and_passed(files):
    beside = ("--tests", files / "tests.rs")
    right = assay("verify", "--source", files / "right.rs", *beside)
    assert (right.returncode, "1 test passed" in right.stdout) == (0, True)
    wrong = assay("verify", "--source", files / "wrong.rs", *beside)
    assert (wrong.returncode, "tests::adds" in wrong.stdout) == (1, True)
    assert assay("verify", "--source", files / "right.rs").returncode == 1
    only = assay("verify", "--source", files / "wrong.rs", "--compile-only", "--json")
    assert only.returncode == 0
    assert json.loads(only.stdout)["stand"] == "compiles, untested"
    assert not json.loads(only.stdout)["passed"]


@needs_rust
def test_verify_holds_a_program_to_its_original_and_shows_where_they_differ(files):
    beside = ("--python", files / "add.txt", "--differential", 20)
    right = assay("verify", "--source", files / "right.rs", *beside)
    assert (right.returncode, "generated calls" in right.stdout) == (0, True)
    wrong = assay("verify", "--source", files / "wrong.rs", *beside, "--json")
    facts = json.loads(wrong.stdout)
    assert (wrong.returncode, facts["passed"]) == (1, False)
    assert 10 < facts["generated"] <= 20
    assert all(said.startswith("add(") for said in facts["differences"])
    both = assay(
        "verify", "--source", files / "wrong.rs", "--tests", files / "tests.rs", *beside, "--json"
    )
    failed = json.loads(both.stdout)["failed"]
    assert "tests::adds" in failed
    assert len(failed) > 1


@needs_rust
@pytest.mark.slow
def test_verify_runs_doctests_where_that_is_asked(files):
    beside = ("--tests", files / "tests.rs", "--doctests")
    right = (files / "right.rs").read_text()
    for wanted, code, says in ((3, 0, "1 doctest passed"), (4, 1, "doctests fail: add (line 1)")):
        lines = f"/// ```\n/// assert_eq!(answer::add(1, 2), {wanted});\n/// ```\n"
        (files / "told.rs").write_text(lines + right)
        done = assay("verify", "--source", files / "told.rs", *beside)
        assert (done.returncode, says in done.stdout) == (code, True)
    assert "no doctests" in assay("verify", "--source", files / "right.rs", *beside).stdout


def test_verify_says_why_there_is_nothing_to_compare_with(files):
    right = ("--source", files / "right.rs")
    for words, says in (
        (("--differential", 5), "there is no original"),
        (("--python", files / "add.txt", "--differential", 0), "0 is no number"),
        (("--python", files / "absent.py"), "cannot be read"),
        (("--python", files / "add.txt", "--compile-only"), "nothing runs"),
        (("--python", files / "right.rs"), "this is no Python program"),
    ):
        done = assay("verify", *right, *words)
        assert done.returncode == 2
        assert says in done.stderr


@needs_rust
def test_verify_says_why_an_original_is_none(files):
    for name, says in (("chance.txt", "something else each time: add(0, 0)"), ("two.py", "no arg")):
        done = assay("verify", "--source", files / "right.rs", "--python", files / name)
        assert done.returncode == 2
        assert says in done.stderr


@needs_rust
@pytest.mark.slow
def test_adequacy_holds_right_answers_to_their_originals(files):
    tests = [{"input": [0, 0], "expected": 0}, {"input": [2, 0], "expected": 2}]
    rows = [
        {"id": name, "rust_code": rust, "python_code": python, "test_cases": tests}
        for name, rust, python in (
            (
                "same",
                "pub fn same(a: i64, b: i64) -> i64 { a + b }",
                "same(a: int, b: int) -> int: return a + b",
            ),
            (
                "other",
                "pub fn other(a: i64, b: i64) -> i64 { a - b }",
                "other(a: int, b: int) -> int: return a + b",
            ),
        )
    ]
    for row in rows:
        row["python_code"] = f"def {row['python_code']}"
    (files / "two.jsonl").write_text("\n".join(map(json.dumps, rows)))
    without = assay("adequacy", files / "two.jsonl", "--json")
    assert json.loads(without.stdout)["programs"][0]["gold"] == "passes"
    done = assay("adequacy", files / "two.jsonl", "--differential", 20)
    assert done.returncode == 1
    assert "1 of 2, on " in done.stdout
    assert "the original: other(" in done.stdout
    assert assay("adequacy", files / "two.jsonl", "--differential", -1).returncode == 2


def test_verify_says_what_is_wrong_with_what_it_was_given(files, tmp_path):
    (tmp_path / "bytes.rs").write_bytes(b"\xff")
    (tmp_path / "empty.rs").write_text(" ")
    for words, says in (
        (("--source", files / "absent.rs"), "cannot be read"),
        (("--source", files / "bytes.rs"), "not UTF-8"),
        (("--source", files / "right.rs", "--tests", files / "empty.rs"), "is empty"),
        (("--source", files / "right.rs", "--timeout", "0"), "0 is no time"),
        (
            ("--source", files / "right.rs", "--tests", files / "tests.rs", "--compile-only"),
            "nothing runs",
        ),
    ):
        done = assay("verify", *words)
        assert done.returncode == 2
        assert says in done.stderr


def test_without_a_compiler_verify_says_how_to_get_one(files, tmp_path):
    done = assay("verify", "--source", files / "right.rs", PATH=str(tmp_path), RUSTC="")
    assert done.returncode == 2
    assert "A401 rustc is not installed" in done.stderr
    assert "rustup" in done.stderr


def test_levels_draws_bars_and_circles_and_gives_rows(files):
    done = assay("levels", files)
    assert "Levels 1-10: ○○●○●○○○○○" in done.stdout
    rows = json.loads(assay("levels", files, "--json").stdout)["samples"]
    assert [(row["id"], row["level"]) for row in rows] == [("one", 3), ("two", 5)]
    assert rows[1]["reasons"][0] == {"level": 5, "what": "a loop", "line": 1}
    assert "a loop (line 1)" in assay("levels", files, "--verbose").stdout


def test_corpus_says_no_where_something_is_wrong(files):
    done = assay("corpus", files)
    assert (done.returncode, "nothing tests it" in done.stdout) == (1, True)
    row = {"id": "a", "python_code": "x = 1", "test_cases": [{"input": [], "expected": 1}]}
    (files / "none.jsonl").write_text(json.dumps(row))
    done = assay("corpus", files / "none.jsonl")
    assert (done.returncode, "its cases: there is no function to call" in done.stdout) == (1, True)
    row["python_code"] = "def a() -> int:\n    return 1"
    (files / "good.jsonl").write_text(json.dumps(row))
    done = assay("corpus", files / "good.jsonl")
    assert (done.returncode, "Nothing is wrong." in done.stdout) == (0, True)
