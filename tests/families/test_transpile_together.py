"""Programs built as modules of one crate: every verdict is the one that the program gets alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError
from assay.families.transpile.rust.joined import joined
from assay.families.transpile.rust.modular import why_alone, why_not_beside
from assay.families.transpile.rust.outcomes import complaints
from assay.families.transpile.rust.together import may_share
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.rust.verify import Workbench
from assay.sandbox import Limits, find_sandbox
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")
TESTS = """
#[test] fn adds() { assert_eq!(add(1, 2), 3); }
#[test] fn adds_to_nothing() { assert_eq!(add(-1, 1), 0); }
"""
ADD = "pub fn add(a: i64, b: i64) -> i64 "
RIGHT = ADD + "{ a + b }"
WRONG = ADD + "{ a - b }"
PRINTS = (
    ADD
    + '{ println!("\\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; x"); '
    "std::process::exit(0) }"
)
BESIDE = {
    "right": RIGHT,
    "wrong": WRONG,
    "todo": ADD + "{ todo!() }",
    "a type that is wrong": ADD + '{ "three" }',
    "a name that is not there": ADD + "{ subtract(a, b) }",
    "a brace too many": RIGHT + " }",
    "a brace too few": ADD + "{ a + b",
    "a module that ends early": RIGHT + " } mod evil { pub fn f() {} ",
    "borrows wrongly": RIGHT + " pub fn f() -> &'static str { let s = String::new(); &s }",
    "fails late": "struct A<const N: usize>; impl<const N: usize> A<N> { const C: () = assert!(N > 9); } "
    + ADD + "{ let _ = A::<1>::C; a + b }",
    "two mains": RIGHT + " fn main() {}",
    "another main": RIGHT + ' fn main() { println!("hello"); }',
    "a main that is async": RIGHT + " async fn main() {}",
    "a main with an argument": RIGHT + " fn main(x: i64) -> i64 { x }",
    "a static": "use std::sync::atomic::{AtomicI64, Ordering::SeqCst}; static N: AtomicI64 = AtomicI64::new(0); "
    + ADD + "{ N.fetch_add(1, SeqCst); if N.load(SeqCst) > 2 { 0 } else { a + b } }",
    "a macro": "macro_rules! plus { ($a:expr, $b:expr) => { $a + $b } } " + ADD + "{ plus!(a, b) }",
    "the macro of another": ADD + "{ plus!(a, b) }",
    "leaves": ADD + "{ std::process::exit(0) }",
    "leaves as if a test failed": ADD + "{ std::process::exit(101) }",
    "prints what a runner prints": PRINTS,
    "aborts": ADD + "{ std::process::abort() }",
    "overflows its stack": ADD + "{ add(a, b) + 1 }",
    "panics in a hook's place": ADD + "{ std::panic::catch_unwind(|| panic!()).ok(); a + b }",
    "own tests of the same name": RIGHT + " #[cfg(test)] mod tests { #[test] fn adds() { panic!() } }",
    "tests of its own that pass": WRONG + " #[cfg(test)] mod tests { #[test] fn adds() {} "
    "#[test] fn adds_to_nothing() {} }",
    "a trait": "trait Plus { fn plus(self, b: i64) -> i64; } impl Plus for i64 "
    "{ fn plus(self, b: i64) -> i64 { self + b } } " + ADD + "{ a.plus(b) }",
    "the trait of another": ADD + "{ a.plus(b) }",
    "allows": "#![allow(dead_code)]\n" + RIGHT,
    "a doc of the whole": "//! Adds.\n" + RIGHT,
    "of the crate": "pub(crate) struct P; " + RIGHT,
    "modules": "mod inner { pub mod deep { pub fn f(a: i64, b: i64) -> i64 { super::super::g(a, b) } } } "
    "fn g(a: i64, b: i64) -> i64 { a + b } " + ADD + "{ inner::deep::f(a, b) }",
}  # fmt: skip
"""Programs that are built beside others, some of which break what they are in."""

APART = {
    "crate": ("mod m { pub fn f(a: i64, b: i64) -> i64 { crate::g(a, b) } } fn g(a: i64, b: i64) -> i64 "
              "{ a + b } " + ADD + "{ m::f(a, b) }", "crate"),
    "super": ("use super::*; " + RIGHT, "super"),
    "super deep inside": (RIGHT + " mod a { mod b { use super::super::super::*; } }", "super"),
    "super in braces": (RIGHT + " mod a { use super::{super::x}; }", "super"),
    "super for all": ("pub(super) fn f() {} " + RIGHT, "super"),
    "super in a macro": (RIGHT + ' mod a { fn f() { println!("{}", super::add(1, 2)); } }', "super"),
    "super in a string": (RIGHT + ' const S: &str = "super::x";', "super"),
    "$crate": ("macro_rules! m { ($a:expr) => { $crate::f($a) } } fn f(a: i64) -> i64 { a } " + ADD
               + "{ m!(a) + b }", "crate"),
    "extern crate": ("extern crate std as other; use other::cmp::max; " + RIGHT, "crate"),
    "a limit of the crate": ('#![recursion_limit = "64"]\n' + RIGHT, "an attribute of the whole"),
    "without a prelude": ("#![no_implicit_prelude]\n" + RIGHT, "an attribute of the whole"),
    "unsafe": ("static mut N: i64 = 0; " + ADD + "{ unsafe { N += 1; } a + b }", "unsafe"),
    "its own name": (ADD + '{ assert!(std::any::type_name::<P>().ends_with("P")); a + b } struct P;',
                     "where it stands"),
    "its path": (ADD + '{ assert_eq!(module_path!(), "answer"); a + b }', "where it stands"),
    "its arguments": (ADD + "{ std::env::args().count(); a + b }", "other programs"),
    "a file": (ADD + '{ assert!(std::fs::read("/etc/passwd").is_err()); a + b }', "files"),
    "not when tested": ("#[cfg(not(test))] fn f() { nothing } " + RIGHT, "cfg"),
    "for everybody": ("struct V(f64); impl std::ops::Mul<V> for f64 { type Output = f64; fn mul(self, v: V) "
                      "-> f64 { self * v.0 } } " + RIGHT, "impl"),
    "by a macro for everybody": ("macro_rules! m { ($t:ty) => { impl std::ops::Add<V> for $t { type Output = "
                                 "i64; fn add(self, _: V) -> i64 { 1 } } } } struct V; m!(bool); " + RIGHT, "impl"),
    "a type that only looks like its own": ("mod m { pub struct bool; } struct V; impl std::ops::Add<V> for "
                                            "bool { type Output = i64; fn add(self, _: V) -> i64 { 1 } } "
                                            + RIGHT, "impl"),
    "a return": (RIGHT + ' // \r "\nfn f() {} // "', "a line that ends for some and not for others"),
}  # fmt: skip
"""Programs that are verified alone, and why."""


@pytest.fixture(scope="module")
def bench() -> Workbench:
    limits = Limits(wall_s=60, cpu_s=3, memory_mb=2048)
    return Workbench(toolchain=toolchain(), sandbox=find_sandbox(), limits=limits)


@pytest.mark.parametrize("name", BESIDE)
def test_what_means_the_same_as_a_module_is_built_beside_others(name):
    code = BESIDE[name]
    assert may_share(code, TESTS) or "brace" in name or "early" in name


@pytest.mark.parametrize("name", APART)
def test_what_may_mean_something_else_as_a_module_is_verified_alone(name):
    code, why = APART[name]
    assert why_not_beside(code) == why
    assert not may_share(code, TESTS)


@needs_rust
@pytest.mark.slow
def test_verdicts_of_many_are_those_of_each_alone(bench):
    codes = [*BESIDE.values(), *(code for code, _ in APART.values())]
    many = bench.verify_all([(code, TESTS) for code in codes])
    for code, found in zip(codes, many, strict=True):
        alone = bench.verify(code, TESTS)
        assert (found.stand, found.failed, found.why, found.error, found.ran) == (
            alone.stand, alone.failed, alone.why, alone.error, alone.ran,
        ), code  # fmt: skip
        assert not re.search("s_[0-9a-f]{24}", found.why + found.test_log)
    shared = dict(zip(BESIDE, many, strict=False))
    assert shared["right"].beside > 5
    assert shared["prints what a runner prints"].beside > 5
    assert not shared["a type that is wrong"].beside
    assert {found.beside for found in many[len(BESIDE) :]} == {0}


@needs_rust
@pytest.mark.slow
def test_a_program_that_waits_for_ever_or_floods_costs_only_itself(bench):
    brief = replace(bench, within=Limits(wall_s=3, cpu_s=1, memory_mb=512, output_kb=64))
    hostile = {
        "loops": ("{ loop {} }", Stand.TIMED_OUT),
        "sleeps": ("{ std::thread::sleep(std::time::Duration::from_secs(60)); a + b }", Stand.TIMED_OUT),
        "floods": ('{ loop { println!("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"); eprintln!("x"); } }',
                   Stand.TESTS_FAIL),
        "forks": ("{ for _ in 0..500 { std::thread::spawn(|| std::thread::park()); } loop {} }", None),
        "eats": ("{ let mut v = vec![]; loop { v.push(vec![1u8; 1 << 24]); } }", None),
    }  # fmt: skip
    pairs = [(ADD + body, TESTS) for body, _ in hostile.values()]
    found = brief.verify_all([(RIGHT, TESTS), *pairs, (RIGHT + "\n", TESTS)])
    assert found[0].passed
    assert found[-1].passed
    for (name, (_, stand)), each in zip(hostile.items(), found[1:-1], strict=True):
        assert not each.passed, name
        assert each.beside, (name, each)
        if name != "floods":
            assert stand is None or each.stand is stand, (name, each)


@needs_rust
@pytest.mark.slow
def test_what_takes_the_compiler_too_long_takes_it_from_nobody_else(bench):
    endless = "const fn f(n: u64) -> u64 { let mut k = 0; while k < n { k += 1; } k } const N: u64 = f(u64::MAX); "
    brief = replace(bench, limits=Limits(wall_s=4, cpu_s=2), within=bench.limits)
    found = brief.verify_all(
        [(RIGHT, TESTS), (endless + ADD + "{ N as i64 + a + b }", TESTS), (WRONG, TESTS)]
    )
    assert [each.stand for each in found] == [Stand.PASSES, Stand.TIMED_OUT, Stand.TESTS_FAIL]


@needs_rust
@pytest.mark.slow
def test_no_program_reaches_into_another(bench):
    """Two answers that conspire: one has what the other needs, and the other looks for it."""
    gives = (
        "pub struct Secret; impl Default for Secret { fn default() -> Secret { Secret } } "
        "impl std::ops::Add<Secret> for bool { type Output = i64; fn add(self, _: Secret) -> i64 { 3 } } "
        "pub mod m0 { pub fn answer() -> i64 { 3 } } pub fn answer() -> i64 { 3 } " + RIGHT
    )
    takes = [
        ADD + "{ true + Default::default() }",
        ADD + "{ answer() }",
        "use super::*; " + ADD + "{ answer() }",
        "use crate::*; " + ADD + "{ m0::answer() }",
        ADD + "{ crate::m3::answer() }",
        "mod a { pub use super::super::*; } use a::*; " + ADD + "{ answer() }",
        ADD + "{ self::answer() }",
        ADD + "{ ::answer::answer() }",
    ]
    found = bench.verify_all([(gives, TESTS), *((code, TESTS) for code in takes), (RIGHT, TESTS)])
    assert found[0].passed
    assert found[-1].passed
    assert {each.stand for each in found[1:-1]} == {Stand.DOES_NOT_COMPILE}


@needs_rust
@pytest.mark.slow
def test_programs_with_tests_of_their_own_and_without_any_keep_apart(bench):
    own = (
        "\n#[cfg(test)] mod tests { use super::*; #[test] fn own() { assert_eq!(add(1, 2), %d); } }"
    )
    pairs = [
        (RIGHT + own % 3, None),
        (RIGHT + own % 4, None),
        (RIGHT, None),
        ("", TESTS),
        (RIGHT, TESTS),
        (RIGHT, "#[test] #[ignore] fn ignored() { assert_eq!(add(1, 2), 4); }"),
        (RIGHT, TESTS),
    ]
    found = bench.verify_all(pairs)
    assert [each.stand for each in found] == [
        Stand.PASSES, Stand.TESTS_FAIL, Stand.NO_TESTS, Stand.NO_CODE, Stand.PASSES, Stand.NO_TESTS,
        Stand.PASSES,
    ]  # fmt: skip
    assert found[1].failed == ("tests::own",)
    assert found[4] == found[6]
    assert bench.verify_all([]) == []


class FailsOn:
    """A sandbox whose compiler dies when it sees a word, and whose machine is else all right."""

    name = "fails on"

    def __init__(self, inner, word):
        self.inner, self.word = inner, word

    def run(self, job):
        for folder in job.reads:
            if any(self.word in file.read_text() for file in folder.glob("*.rs")):
                raise AssayError("the disk is gone", code="A500")
        return self.inner.run(job)


@needs_rust
@pytest.mark.slow
def test_a_machine_that_fails_on_one_program_says_nothing_of_it_and_enough_of_the_others(bench):
    broken = replace(bench, sandbox=FailsOn(bench.sandbox, "unlucky"))
    pairs = [(RIGHT, TESTS), (RIGHT + "\nfn unlucky() {}", TESTS), (WRONG, TESTS)]
    right, unlucky, wrong = broken.try_all(pairs)
    assert (right.stand, wrong.stand) == (Stand.PASSES, Stand.TESTS_FAIL)
    assert isinstance(unlucky, AssayError)
    with pytest.raises(AssayError, match="the disk is gone"):
        broken.verify_all(pairs)


WORDS = st.sampled_from(
    [
        "fn f() {}",
        "mod m { use super::*; }",
        "struct S;",
        "impl S {}",
        "// a\n",
        '"s"',
        "pub(crate) fn g() {}",
    ]
)


@given(st.lists(WORDS), st.sampled_from(["crate", "unsafe", "extern", "super"]), st.lists(WORDS))
def test_a_word_that_leads_out_is_found_wherever_it_stands(before, word, after):
    assert why_alone("\n".join([*before, f"fn h() {{ {word}::x(); }}", *after])) is not None


def test_names_that_were_drawn_are_those_of_one_module():
    crate = joined(RIGHT, TESTS)
    member = crate.within("s_1")
    assert member.source == crate.source
    assert member.names == ("s_1::tests::adds", "s_1::tests::adds_to_nothing")
    assert member.canary == f"s_1::{crate.canary}"
    assert all(each.startswith("s_1::") for each in member.filters)
    assert not any(crate.canary in each for each in (*crate.filters, *member.filters))


def test_a_complaint_names_the_files_of_macros_and_notes():
    said = (
        b'{"level": "error", "message": "m", "code": null, "rendered": "r", "spans": [{"file_name": "std.rs", '
        b'"expansion": {"span": {"file_name": "a.rs", "expansion": null}}}], '
        b'"children": [{"spans": [{"file_name": "b.rs"}]}]}\nthread panicked'
    )
    [found] = complaints(said)
    assert found.files == {"std.rs", "a.rs", "b.rs"}
