"""Rust that a system wrote: right programs pass, wrong ones do not, and tricks are told from both."""

from __future__ import annotations

import pytest

from assay import AssayError
from assay.families.transpile.rust.fences import rust_in
from assay.families.transpile.rust.joined import joined, with_own_tests
from assay.families.transpile.rust.reading import LONGEST, refused
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.rust.verify import Workbench
from assay.sandbox import Ended, How, Limits, find_sandbox
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")
TESTS = """
#[test] fn adds() { assert_eq!(add(1, 2), 3); }
#[test] fn adds_to_nothing() { assert_eq!(add(-1, 1), 0); }
"""
ADD = "pub fn add(a: i64, b: i64) -> i64 "
RIGHT = ADD + "{ a + b }"
SPOOF = """{
    use std::io::Write;
    println!("test tests::adds ... ok");
    let mut out = std::io::stdout();
    writeln!(out, "test tests::adds ... ok\\ntest tests::adds_to_nothing ... ok\\n").unwrap();
    writeln!(out, "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; \\
        0 filtered out; finished in 0.00s").unwrap();
    out.flush().unwrap();
    std::process::exit(101)
}"""


NAMED = """{
    let name = std::env::args().find(|word| word.contains("zzz_")).unwrap();
    println!("test {name} ... FAILED\\ntest {name}::fails ... FAILED");
    println!("\\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; x");
    std::process::exit(101)
}"""
READ = """{
    let path = std::env::current_exe().unwrap();
    let bytes = std::fs::read(path).or_else(|_| std::fs::read("/proc/self/exe")).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for at in text.match_indices("zzz_assay_").map(|(at, _)| at) {
        println!("test {}::fails ... FAILED", text[at..].chars().take(34).collect::<String>());
    }
    println!("\\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; x");
    std::process::exit(101)
}"""


@pytest.fixture(scope="module")
def bench() -> Workbench:
    limits = Limits(wall_s=60, cpu_s=3, memory_mb=2048)
    return Workbench(toolchain=toolchain(), sandbox=find_sandbox(), limits=limits)


CASES = [
    (RIGHT, Stand.PASSES),
    (RIGHT + "\n#[cfg(test)] mod tests { #[test] fn own() { panic!() } }", Stand.PASSES),
    (ADD + '{ println!("a"); eprintln!("b"); a + b }', Stand.PASSES),
    (ADD + "{ todo!() }", Stand.TESTS_FAIL),
    (ADD + "{ 3 }", Stand.TESTS_FAIL),
    (ADD + "{ a - b }", Stand.TESTS_FAIL),
    (ADD + "{ a + b + 1 }", Stand.TESTS_FAIL),
    (ADD + "{ -(a + b) }", Stand.TESTS_FAIL),
    (ADD + "{ if a == 1 { 3 } else { panic!() } }", Stand.TESTS_FAIL),
    (ADD + "{ std::process::exit(0) }", Stand.TESTS_FAIL),
    (ADD + "{ std::process::exit(101) }", Stand.TESTS_FAIL),
    (ADD + "{ std::process::abort() }", Stand.TESTS_FAIL),
    (ADD + SPOOF, Stand.TESTS_FAIL),
    (ADD + "{ add(a, b) + 1 }", Stand.TESTS_FAIL),
    (
        ADD + "{ std::panic::set_hook(Box::new(|_| std::process::exit(0))); 0 }",
        Stand.TESTS_FAIL,
    ),
    (ADD + "{ loop {} }", Stand.TIMED_OUT),
    (ADD + '{ "three" }', Stand.DOES_NOT_COMPILE),
    (ADD + "{ a + ", Stand.DOES_NOT_COMPILE),
    ("pub fn sub() {}", Stand.DOES_NOT_COMPILE),
    ("use rand::Rng; " + RIGHT, Stand.DOES_NOT_COMPILE),
    ("macro_rules! assert_eq { ($($t:tt)*) => {} } " + ADD + "{ 0 }", Stand.REFUSED),
    (ADD + '{ let _ = include_str!("/etc/passwd"); a + b }', Stand.REFUSED),
    ("", Stand.NO_CODE),
    (ADD + NAMED, Stand.TESTS_FAIL),
    (ADD + READ, Stand.TESTS_FAIL),
    (RIGHT + "\n#[cfg(test)] mod unit_tests { #[test] fn own() { panic!() } }", Stand.PASSES),
    (RIGHT + "\n// my tests_of_assay, and tests", Stand.PASSES),
    ("/// \ud800\n" + RIGHT, Stand.REFUSED),
]
"""Programs, and how far each comes with ``TESTS``."""


@needs_rust
@pytest.mark.slow
@pytest.mark.parametrize(("code", "stand"), CASES)
def test_a_program_comes_as_far_as_it_deserves(bench, code, stand):
    found = bench.verify(code, TESTS)
    assert found.stand is stand, found
    assert found.passed == (stand is Stand.PASSES)


@needs_rust
@pytest.mark.slow
def test_a_program_without_a_test_that_ran_never_passes(bench):
    for tests in (
        "fn no_test() {}",
        "#[test] #[ignore] fn ignored() { assert_eq!(add(1, 2), 4); }",
    ):
        assert bench.verify(RIGHT, tests).stand is Stand.NO_TESTS
    assert bench.verify(RIGHT).stand is Stand.NO_TESTS
    assert bench.compile(RIGHT).stand is Stand.UNTESTED
    assert not bench.compile(RIGHT).passed


@needs_rust
@pytest.mark.slow
def test_a_program_may_bring_its_own_tests(bench):
    own = (
        "\n#[cfg(test)] mod tests { use super::*; #[test] fn own() { assert_eq!(add(1, 2), %d); } }"
    )
    assert bench.verify(RIGHT + own % 3).passed
    found = bench.verify(RIGHT + own % 4)
    assert (found.stand, found.failed) == (Stand.TESTS_FAIL, ("tests::own",))


@needs_rust
@pytest.mark.slow
def test_what_fails_is_named(bench):
    found = bench.verify(ADD + "{ if a < 0 { 0 } else { a - b } }", TESTS)
    assert (found.ran, found.failed) == (2, ("tests::adds",))
    assert "zzz_" not in found.test_log
    found = bench.verify(ADD + '{ "three" }', TESTS)
    assert (found.error, found.why) == ("E0308", "mismatched types")
    assert "mismatched types" in found.build_log


class Broken:
    """A sandbox in which the compiler says nothing that can be read."""

    name = "broken"

    def run(self, job):
        return Ended(how=How.EXITED, status=1, stdout=b"", stderr=b"disk I/O error", wall_s=0.1)


@needs_rust
def test_a_failure_of_the_machine_says_nothing_about_the_program():
    bench = Workbench(toolchain=toolchain(), sandbox=Broken())
    with pytest.raises(AssayError, match=r"A500 rustc ended with 1 and named no error: disk I/O"):
        bench.verify(RIGHT, TESTS)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ('const S: &str = include_str!("/etc/passwd");', "include_str! reads files"),
        ('fn f() { std::include!("x.rs"); }', "include! reads files"),
        ('fn f() { vec![include_bytes!("x")]; }', "include_bytes! reads files"),
        ('macro_rules! m { () => { include!("x") } }', "include! reads files"),
        ("macro_rules! assert { () => {} }", "it makes a macro assert!"),
        ("extern crate libc;", "extern crate libc"),
        ('#[path = "/etc/x.rs"] mod x;', "the attribute path"),
        ('#[link_section = ".init_array"] static F: fn() = f;', "the attribute link_section"),
        ('#[unsafe(no_mangle)] pub extern "C" fn main() {}', "the attribute unsafe"),
        ("#![feature(test)]", "the attribute feature"),
        ('fn f() { std::arch::asm!("nop") }', "asm! reaches past"),
        ("fn f() {}" + " " * LONGEST, "more than 1,000,000 bytes"),
    ],
)
def test_what_is_refused_is_named(code, why):
    assert why in (refused(code) or "")


@pytest.mark.parametrize(
    "code",
    [
        RIGHT,
        'fn f() -> &\'static str { "include_str! #[path] macro_rules! assert" } // include!("x")',
        "/* extern crate libc; */ fn f() {}",
        "macro_rules! square { ($x:expr) => { $x * $x } }",
        "#[derive(Debug, Clone)] #[allow(dead_code)] struct P { x: i64 }",
        "fn include() { let env = 1; assert!(env == 1); }",
        'extern "C" { fn abs(x: i32) -> i32; } fn f() -> i32 { unsafe { abs(-1) } }',
    ],
)
def test_what_only_looks_like_it_is_not_refused(code):
    assert refused(code) is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("fn f() {}", "fn f() {}"),
        ("Sure!\n```rust\nfn f() {}\n```\nDone.", "fn f() {}\n"),
        ("```\nfn f() {}\n```", "fn f() {}\n"),
        ("```python\ndef f(): pass\n```", ""),
        ("```python\ndef f(): pass\n```\n```rust\nfn f() {}\n```", "fn f() {}\n"),
        ("```rust\nfn f() {}", "fn f() {}"),
        ("````rust\n// ```\nfn f() {}\n````", "// ```\nfn f() {}\n"),
        ("```rust\na\n```\n```rust\nfn longer() {}\n```", "fn longer() {}\n"),
        ("~~~rs\r\nfn f() {}\r\n~~~", "fn f() {}\r\n"),
    ],
)
def test_rust_is_found_in_markdown(answer, code):
    assert rust_in(answer) == code


def test_tests_are_joined_as_a_module_of_the_answer():
    crate = joined(RIGHT, TESTS)
    assert crate.names == ("tests::adds", "tests::adds_to_nothing")
    assert "mod tests {\n#[allow(unused_imports)]\nuse super::*;" in crate.source
    own = joined(RIGHT + "\nmod tests {}", "mod inner { #[test]\n#[ignore]\n// why\nfn t() {} }")
    assert own.names == own.ignored == ("tests_of_assay::inner::t",)
    assert with_own_tests(RIGHT).names == ()


def test_the_test_that_must_fail_is_another_each_time_and_sorts_last():
    one, two = joined(RIGHT, TESTS), joined(RIGHT, TESTS)
    assert one.canary != two.canary
    assert max([*one.names, one.canary]) == one.canary
