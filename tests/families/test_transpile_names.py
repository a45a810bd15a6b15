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
    assert found.stand in {Stand.TESTS_FAIL, Stand.DOES_NOT_COMPILE}


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
        "mod std { pub fn two() -> i64 { 2 } } #[test] fn t() { assert_eq!(std::two(), 2 * one()) }",
    ],
)
def test_tests_may_import_and_make_these_names_themselves(tests: str) -> None:
    found = verify_rust("pub fn one() -> i64 { 1 }", tests)
    assert found.passed, found.build_log
