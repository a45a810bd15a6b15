"""Mutants: wrong programs made of right ones, and tests that are worth what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assay.families.transpile.adequacy import LEAST_S, adequacy
from assay.families.transpile.commands.adequacy import adequacy as shown
from assay.families.transpile.corpus.program import Case, Program
from assay.families.transpile.rust.mutants import MOST, Fault, mutants_of, with_body
from assay.families.transpile.rust.reading import parse
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.rust.verify import Workbench
from assay.sandbox import Limits, find_sandbox
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")
SUM = "pub fn sum_to(n: i64) -> i64 { let mut s = 0; for i in 0..=n { s += i; } return s; }"
SIMPLE = Program(
    id="sum_to",
    python="def sum_to(n: int) -> int:\n    return sum(range(n + 1))",
    cases=tuple(Case(input=(k,), expected=k * (k + 1) // 2) for k in range(6)),
    rust=SUM,
)


def test_each_mutant_differs_from_the_program_and_still_parses():
    found = mutants_of(SUM, "sum_to")
    assert {each.fault for each in found} == {
        Fault.TODO,
        Fault.OFF_BY_ONE,
        Fault.OPERATOR,
        Fault.SIGN,
    }
    for each in found:
        assert each.code != SUM
        assert not parse(each.code).has_error
    assert len({each.code for each in found}) == len(found)


def test_words_in_strings_comments_and_tests_are_left_alone():
    code = (
        'fn f() { print!("1 + 1"); } // 2 * 2\n#[cfg(test)] mod tests { fn t() { let x = 1 + 1; } }'
    )
    assert [each.fault for each in mutants_of(code, "f")] == [Fault.TODO]


def test_a_long_program_gives_a_bounded_number_of_mutants_from_all_over_it():
    code = "fn f(x: i64) -> i64 { " + " + ".join(f"x * {k}" for k in range(50)) + " }"
    found = mutants_of(code, "f")
    numbers = [each for each in found if each.fault is Fault.OFF_BY_ONE]
    assert len(numbers) == MOST
    assert "48 becomes" in numbers[-1].where or "41 becomes" in numbers[-1].where


@pytest.mark.parametrize(
    ("number", "becomes"),
    [("7", "8"), ("0i64", "1i64"), ("1_000", "1001"), ("9usize", "10usize")],
)
def test_numbers_keep_their_type(number, becomes):
    code = f"fn f() -> bool {{ g({number}) }}"
    assert f"g({becomes})" in mutants_of(code, "f")[1].code


def test_a_body_is_replaced_and_nothing_else():
    assert with_body("fn g() {}\nfn f() { 1 }", "f", "{ 2 }") == "fn g() {}\nfn f() { 2 }"
    assert with_body("fn r#match() {}", "match", "{ }") == "fn r#match() { }"
    assert with_body("fn g() {}", "f", "{ 2 }") is None


@needs_rust
@pytest.mark.slow
def test_good_tests_kill_mutants_and_tests_that_cannot_fail_kill_none():
    vacuous = Program(
        id="vacuous",
        python="def vacuous(n): return n",
        rust="pub fn vacuous(n: i64) -> i64 { n + 1 }",
        rust_tests="#[test] fn t() { let _ = std::panic::catch_unwind(|| vacuous(1)); }",
    )
    wrong = Program(
        id="wrong", python=SIMPLE.python.replace("sum_to", "wrong"), cases=SIMPLE.cases,
        rust="pub fn wrong(n: i64) -> i64 { n }",
    )  # fmt: skip
    none = Program(id="none", python="x = 1")
    bench = Workbench(
        toolchain=toolchain(), sandbox=find_sandbox(), limits=Limits(wall_s=60, cpu_s=5)
    )
    said: list[str] = []
    good, bad, broken, absent = adequacy(
        [SIMPLE, vacuous, wrong, none], bench, workers=2, say=said.append
    )
    assert (good.sound, good.gold.passed) == (True, True)
    assert {t.mutant.fault for t in good.tried if t.killed} == set(Fault)
    assert [t.mutant.where for t in good.tried if not t.killed] == ["line 1: 0 becomes 1"]
    assert (bad.sound, bad.gold.passed, bad.killed) == (False, True, 0)
    assert bad.mutants >= 3
    assert (broken.sound, broken.gold.passed) == (False, False)
    assert (absent.sound, absent.gold) == (False, None)
    assert len(said) == 4


@needs_rust
@pytest.mark.slow
def test_a_mutant_that_waits_for_ever_is_given_up_soon():
    waits = (
        "pub fn sum_to(n: i64) -> i64 { let (send, take) = std::sync::mpsc::channel(); for i in 0..n { "
        "send.send(i).unwrap(); } let mut s = n; let mut k = 0; while k < n { s += take.recv().unwrap(); k += 1; } s }"
    )
    bench = Workbench.of(60)
    [found] = adequacy([replace(SIMPLE, rust=waits)], bench, workers=2)
    late = [t.found for t in found.tried if t.found.stand is Stand.TIMED_OUT]
    assert late
    assert all(LEAST_S <= each.test_s < 3 * LEAST_S for each in late)
    assert found.sound


@needs_rust
@pytest.mark.slow
def test_the_page_has_the_kill_rate_of_every_program_and_flags_what_kills_nothing(tmp_path):
    (tmp_path / "sum_to.py").write_text(SIMPLE.python)
    (tmp_path / "sum_to.rs").write_text(SUM)
    cases = [{"input": list(case.input), "expected": case.expected} for case in SIMPLE.cases]
    (tmp_path / "sum_to.json").write_text(json.dumps(cases))
    (tmp_path / "weak.py").write_text("def weak(n: int) -> int:\n    return n * 0")
    (tmp_path / "weak.rs").write_text("pub fn weak(n: i64) -> i64 { if n == 9 { 1 } else { 0 } }")
    (tmp_path / "weak.json").write_text(json.dumps([{"input": [0], "expected": {"error": "E"}}]))
    page = shown(tmp_path, workers=2)
    rows = {line[0]: line for line in reversed(page.lines) if isinstance(line, tuple)}
    assert page.code == 1
    assert rows["sum_to"][1:] == ("7 of 8 mutants fail", "88%")
    assert page.facts["programs"][0]["killed"] > 3
    assert rows["weak"][1].startswith("the right answer: ")
