"""Test cases as Rust tests, and which of them there is no Rust for."""

from __future__ import annotations

from dataclasses import dataclass

from ..corpus.program import Case, Program
from .kinds import Unmapped
from .signature import Signature, must_fail, signature_of
from .spelling import argument, literal, name_of, type_of

RELATIVE, ABSOLUTE = "1e-6", "1e-9"
"""How far a float may be off; NaN is equal to itself, and infinity to infinity."""

NEAR = f"""
mod near {{
pub trait Near {{ fn near(&self, other: &Self) -> bool; }}
macro_rules! near_as_equal {{ ($($t:ty),*) => {{ $(impl Near for $t {{
    fn near(&self, other: &Self) -> bool {{ self == other }} }})* }} }}
near_as_equal!(i64, bool, String, ());
impl Near for f64 {{
    fn near(&self, other: &Self) -> bool {{
        self == other
            || (self.is_nan() && other.is_nan())
            || (self - other).abs() <= {ABSOLUTE} + {RELATIVE} * other.abs()
    }}
}}
impl<T: Near> Near for Vec<T> {{
    fn near(&self, other: &Self) -> bool {{
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| Near::near(a, b))
    }}
}}
impl<T: Near> Near for Option<T> {{
    fn near(&self, other: &Self) -> bool {{
        match (self, other) {{ (Some(a), Some(b)) => Near::near(a, b), (None, None) => true, _ => false }}
    }}
}}
impl<K: Eq + std::hash::Hash, V: Near> Near for std::collections::HashMap<K, V> {{
    fn near(&self, other: &Self) -> bool {{
        self.len() == other.len()
            && self.iter().all(|(k, v)| other.get(k).is_some_and(|w| Near::near(v, w)))
    }}
}}
impl<T: Eq + std::hash::Hash> Near for std::collections::HashSet<T> {{
    fn near(&self, other: &Self) -> bool {{ self == other }}
}}
macro_rules! near_in_parts {{ ($($name:ident $at:tt),+) => {{
    impl<$($name: Near),+> Near for ($($name,)+) {{
        fn near(&self, other: &Self) -> bool {{ true $(&& Near::near(&self.$at, &other.$at))+ }}
    }} }} }}
near_in_parts!(A 0);
near_in_parts!(A 0, B 1);
near_in_parts!(A 0, B 1, C 2);
near_in_parts!(A 0, B 1, C 2, D 3);
near_in_parts!(A 0, B 1, C 2, D 3, E 4);
near_in_parts!(A 0, B 1, C 2, D 3, E 4, F 5);
}}
""".strip()
"""Equality in which floats may be off, part by part.

It stands in a module that sees nothing of the program: what that calls a method of every type (``all``,
``iter``, ``near``) goes before the language's own wherever the program's traits are in scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromCases:
    """Tests in Rust, and what could not become one."""

    signature: str
    """The function that a translation must have; empty where there is none."""

    tests: str
    unmapped: tuple[tuple[int, str], ...]
    """Number of a case, from 1, and why there is no Rust for it; 0: for none of them."""

    called: Signature | None = None
    """The signature as types; None where there is none."""

    own: str = ""
    """The tests that the program brought in Rust."""

    @property
    def whole(self) -> str:
        """Return all tests: from cases, and the program's own."""
        return "\n".join(part for part in (self.tests, self.own) if part)

    @property
    def why_none(self) -> str:
        """Return why there is no test from cases."""
        return self.unmapped[0][1] if self.unmapped else "nothing tests it"

    @property
    def count(self) -> int:
        """Return how many cases became tests."""
        return self.tests.count("#[test]")


def tests_of(program: Program, *, fallible: bool | None = None) -> FromCases:  # noqa: PT028  (no test)
    """Return the cases of a program as Rust tests.

    The type of what a function returns is written in each test, so that a translation cannot choose
    one whose ``==`` is always true.  A case whose ``expected`` is ``{"error": ...}`` wants an ``Err`` or a
    panic; ``fallible`` says whether the function returns a ``Result``, where no case shows it.  What has no Rust is named, never dropped.

    >>> case = Case(input=(2,), expected=4)
    >>> found = tests_of(Program(id="twice", python="def twice(n: int) -> int: return 2 * n", cases=(case,)))
    >>> found.signature, found.count, found.unmapped
    ('pub fn twice(n: i64) -> i64', 1, ())
    """
    try:
        signature = signature_of(program, fallible=fallible)
        rust = signature.rust
    except Unmapped as why:
        return FromCases(signature="", tests="", unmapped=((0, str(why)),), own=program.rust_tests)
    made: list[str] = []
    unmapped: list[tuple[int, str]] = []
    for number, case in enumerate(program.cases, start=1):
        try:
            made.append(_test(number, case, signature))
        except Unmapped as why:
            unmapped.append((number, str(why)))
    tests = "\n".join([NEAR, *made]) + "\n" if made else ""
    return FromCases(
        signature=rust,
        tests=tests,
        unmapped=tuple(unmapped),
        called=signature,
        own=program.rust_tests,
    )


def _test(number: int, case: Case, signature: Signature) -> str:
    kinds = [kind for _, kind in signature.parameters]
    given = ", ".join(argument(v, k) for v, k in zip(case.input, kinds, strict=True))
    call = f"{name_of(signature.name)}({given})"
    returned = type_of(signature.returns)
    if must_fail(case):
        fails = f"let got: ::std::thread::Result<Result<{returned}, String>> = ::std::panic::catch_unwind(|| {call});"
        body = [fails, 'assert!(!matches!(got, Ok(Ok(_))), "it did not fail");']
    else:
        wanted = literal(case.expected, signature.returns)
        got = (
            [f"let got: Result<{returned}, String> = {call};", 'let got = got.expect("it fails");']
            if signature.may_fail
            else [f"let got: {returned} = {call};"]
        )
        body = [
            *got,
            f"let wanted: {returned} = {wanted};",
            'assert!(near::Near::near(&got, &wanted), "got {got:?}, wanted {wanted:?}");',
        ]
    return "\n".join([f"#[test]\nfn case_{number}() {{", *(f"    {line}" for line in body), "}"])
