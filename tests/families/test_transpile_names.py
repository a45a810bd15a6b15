"""Tests mean by their names what the language means, whatever a program calls its own."""

from __future__ import annotations

import pytest

from assay import verify_rust
from assay.families.transpile.cases.tests import tests_of as from_cases
from assay.families.transpile.corpus.program import Case, Program
from assay.families.transpile.rust.verified import Stand
from rust_here import needs_rust

pytestmark = needs_rust
GREETED = Program(
    id="greeted",
    python="def greeted(names: list[str]) -> list[str]:\n    return ['hello ' + n for n in names]",
    cases=(Case(input=(["you"],), expected=["hello you"]),),
)
WRONG = 'pub fn greeted(_names: &[String]) -> Vec<String> { vec![String::from("goodbye")] }'
ALWAYS = "impl PartialEq for {0} {{ fn eq(&self, _: &{0}) -> bool {{ true }} }}"

TRICKS = {
    "a text that equals everything": "#[derive(Debug, Clone)] pub struct String;"
    + ALWAYS.format("String")
    + "impl String { pub fn from(_: &str) -> String { String } }"
    + 'pub fn greeted(_: &[String]) -> Vec<String> { vec![String::from("")] }',
    "a list that equals everything": "#[derive(Debug)] pub struct Vec<T>(T);"
    "impl<T> PartialEq for Vec<T> { fn eq(&self, _: &Self) -> bool { true } }"
    "pub fn greeted(_: &[String]) -> Vec<String> { Vec(String::new()) }",
    "a method of everything that says yes": "pub trait Yes: Sized {"
    "fn all<F>(self, _: F) -> bool { true } fn near<T>(self, _: T) -> bool { true } }"
    "impl<T> Yes for T {}" + WRONG,
    "a module that is called like the comparison": "pub mod near { pub trait Near {"
    "fn near<T>(&self, _: T) -> bool { true } } impl<T> Near for T {} }" + WRONG,
    "a macro under another name": "pub use std::stringify as assert;" + WRONG,
    "a standard library of its own": "pub mod std { pub use ::std::*; pub mod near {} }" + WRONG,
    "a crate under another name": "extern crate self as std;" + WRONG,
    "a result that is never wrong": "#[allow(non_snake_case)] pub fn Ok<T>(_: T) {}" + WRONG,
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_no_trick_with_names_makes_a_wrong_program_pass(trick: str) -> None:
    found = verify_rust(trick, from_cases(GREETED).whole)
    assert found.stand in {Stand.TESTS_FAIL, Stand.DOES_NOT_COMPILE, Stand.REFUSED}


SAYS = "test result: FAILED. 1 passed; 1 failed; 0 ignored; x"
FORGED = {
    "a summary on the other pipe": """use std::io::Write;
        pub fn double(x: i64) -> i64 {
            std::io::stdout().write_all(b"\\n").unwrap();
            std::io::stderr().write_all(b"\\n%s\\n").unwrap();
            x * 3 }""".replace("%s", SAYS),
    "a summary of its own": """use std::io::Write;
        pub fn double(x: i64) -> i64 {
            std::io::stdout().write_all(b"\\n%s\\n").unwrap();
            x * 3 }""".replace("%s", SAYS),
    "a summary after the last one": """
        extern "C" { fn atexit(f: extern "C" fn()) -> i32; fn write(fd: i32, b: *const u8, n: usize) -> isize; }
        extern "C" fn last() { let s = b"\\n%s\\n"; unsafe { write(1, s.as_ptr(), s.len()); } }
        pub fn double(x: i64) -> i64 { unsafe { atexit(last); } x * 3 }""".replace("%s", SAYS),
    "a hook that says how the last test is called": """
        pub fn double(x: i64) -> i64 {
            std::panic::set_hook(Box::new(|_| {
                let thread = std::thread::current();
                println!("test {} ... FAILED\\n\\n%s", thread.name().unwrap_or("t"));
                std::process::exit(101)
            }));
            x * 2 }
        pub fn twice(_: i64) -> i64 { std::process::exit(101) }""".replace("%s", SAYS),
}


@pytest.mark.parametrize("program", FORGED.values(), ids=FORGED)
def test_what_a_program_says_of_itself_is_no_verdict(program: str) -> None:
    tests = (
        "#[test] fn a() { assert_eq!(double(2), 4) } #[test] fn b() { assert_eq!(double(0), 1) }"
    )
    assert verify_rust(program, tests).stand is Stand.TESTS_FAIL


METHODS = {
    "a slice has another contains": (
        (
            "trait Own { fn contains(&self, _: &String) -> bool { true } } impl Own for Vec<String> {}"
            " pub fn names() -> Vec<String> { vec![] }"
        ),
        '#[test] fn t() { assert!(names().contains(&"a".to_string())) }',
    ),
    "a number has another text": (
        (
            "trait Own: Sized { fn to_string(self) -> String { String::new() } } impl Own for i32 {}"
            " pub fn told(_: i32) -> String { String::new() }"
        ),
        "#[test] fn t() { assert_eq!(told(5), 5.to_string()) }",
    ),
    "everything has another length": (
        (
            "pub trait Own { fn len(&self) -> usize { 3 } } impl<T> Own for T {}"
            " pub fn names() -> Vec<String> { vec![] }"
        ),
        "#[test] fn t() { assert_eq!(names().len(), 3) }",
    ),
}


@pytest.mark.parametrize(("program", "tests"), METHODS.values(), ids=METHODS)
def test_a_method_of_a_trait_does_not_take_the_place_of_the_languages(
    program: str, tests: str
) -> None:
    assert not verify_rust(program, tests).passed


def test_a_module_of_tests_that_stands_elsewhere_is_the_compilers_to_miss() -> None:
    program = "pub trait Own { fn len(&self) -> usize; }"
    found = verify_rust(program, "mod super_tests; #[test] fn t() {}")
    assert found.stand is Stand.DOES_NOT_COMPILE


def test_traits_for_types_of_its_own_and_under_other_names_are_welcome() -> None:
    program = """
        pub struct Bag(Vec<i64>);
        pub trait Sized_ { fn len(&self) -> usize; }
        impl Sized_ for Bag { fn len(&self) -> usize { self.0.len() } }
        pub trait Twice { fn twice(&self) -> i64; }
        impl Twice for i64 { fn twice(&self) -> i64 { self * 2 } }
        pub fn bag() -> Bag { Bag(vec![1, 2]) }"""
    tests = "#[test] fn t() { assert_eq!(bag().len(), 2); assert_eq!(4i64.twice(), 8); }"
    assert verify_rust(program, tests).passed


def test_the_same_program_without_tricks_passes_when_it_is_right() -> None:
    right = WRONG.replace('vec![String::from("goodbye")]', 'vec!["hello you".to_string()]')
    assert verify_rust(right, from_cases(GREETED).whole).passed


@pytest.mark.parametrize("trick", ["a text that equals everything"])
def test_tests_of_ones_own_are_held_to_the_same_names(trick: str) -> None:
    own = '#[test] fn t() { let got: String = greeted(&[])[0].clone(); assert_eq!(got, "hello"); }'
    assert verify_rust(TRICKS[trick], own).stand is Stand.DOES_NOT_COMPILE


@pytest.mark.parametrize(
    "tests",
    [
        """use std::string::String; use std::f64; #[test] fn t() { let _: String = one().to_string();
        assert!(f64::consts::PI > 3.0) }""",
        """use std::{assert_eq, option::Option::{self, Some}, result::Result}; #[test] fn t() {
        let one: Option<i64> = Some(one()); assert_eq!(one, Some(1)) }""",
        "struct Vec; #[test] fn t() { let _ = Vec; assert_eq!(one(), 1) }",
        "#[cfg(test)] mod tests { use super::*; #[test] fn t() { assert_eq!(vec![one()].len(), 1) } }",
        "// use one, assert_eq and std;\n#[test] fn t() { assert_eq!(one(), 1) }",
        "mod std { pub fn two() -> i64 { 2 } } #[test] fn t() { assert_eq!(std::two(), 2 * one()) }",
    ],
)
def test_tests_may_import_and_make_these_names_themselves(tests: str) -> None:
    found = verify_rust("pub fn one() -> i64 { 1 }", tests)
    assert found.passed, found.build_log
