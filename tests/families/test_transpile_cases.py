"""Test cases in JSON as tests in Rust: the types, the values, and what has no Rust."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.families.transpile.cases.kinds import (
    BOOL,
    FLOAT,
    INT,
    NOTHING,
    TEXT,
    UNKNOWN,
    Group,
    Maybe,
    Seq,
    Table,
    Tuple,
    Unmapped,
    joined,
    of_annotation,
    of_value,
)
from assay.families.transpile.cases.spelling import literal, text
from assay.families.transpile.cases.tests import tests_of as rust_tests_of
from assay.families.transpile.corpus.program import Case, Program
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.rust.verify import Workbench
from assay.sandbox import Limits, find_sandbox
from rust_here import needs_rust

KINDS = st.recursive(
    st.sampled_from([INT, FLOAT, BOOL, TEXT, NOTHING]),
    lambda inner: st.one_of(
        st.builds(Seq, inner),
        st.builds(Maybe, inner.filter(lambda k: k != NOTHING and not isinstance(k, Maybe))),
        st.builds(Tuple, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Table, st.sampled_from([TEXT, INT]), inner),
        st.builds(Group, st.sampled_from([INT, TEXT])),
    ),
    max_leaves=5,
)


def program(*cases, python="def f(x): return x", name="f"):
    return Program(
        id=name, python=python, cases=tuple(Case(input=tuple(i), expected=e) for i, e in cases)
    )


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("int", INT),
        ("List[int]", Seq(INT)),
        ("list[list[str]]", Seq(Seq(TEXT))),
        ("tuple[int, str]", Tuple((INT, TEXT))),
        ("Tuple[float, ...]", Seq(FLOAT)),
        ("Optional[int]", Maybe(INT)),
        ("int | None", Maybe(INT)),
        ("Union[int, float]", FLOAT),
        ("typing.Dict[str, float]", Table(TEXT, FLOAT)),
        ("set[int]", Group(INT)),
        ("'list[bool]'", Seq(BOOL)),
        ("None", NOTHING),
        ("Any", UNKNOWN),
        ("Callable[[int], int]", UNKNOWN),
        ("Counter[str]", Table(TEXT, INT)),
    ],
)
def test_annotations_are_read(annotation, kind):
    assert of_annotation(ast.parse(annotation, mode="eval").body) == kind


@given(KINDS)
def test_a_type_joined_with_itself_or_with_nothing_known_is_itself(kind):
    assert joined(kind, kind) == kind
    assert joined(kind, UNKNOWN) == joined(UNKNOWN, kind) == kind


@given(KINDS, KINDS)
def test_joining_does_not_depend_on_the_order(one, other):
    def result(a, b):
        try:
            return joined(a, b)
        except Unmapped:
            return None

    assert result(one, other) == result(other, one)


@given(KINDS)
def test_whatever_may_be_absent_holds_what_is_there(kind):
    both = joined(kind, NOTHING)
    assert kind == NOTHING or isinstance(both, Maybe)


@given(st.text())
def test_a_text_is_written_in_ascii_on_one_line(value):
    try:
        found = text(value)
    except Unmapped:
        assert any(0xD800 <= ord(c) <= 0xDFFF for c in value)
        return
    assert found.isascii()
    assert found.isprintable()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1, "a", [2]], "list[int] and list[str]"),
        (2**63, "does not fit"),
        ([[1], ["a", 2, None, {}]], "have no type in common"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_what_has_no_rust_is_named(value, says):
    found = rust_tests_of(program(([value], value), ([[1]], [1])))
    words = " ".join(why for _, why in found.unmapped)
    assert found.unmapped
    assert says.split()[0] in words or "no type in common" in words


def test_one_case_without_rust_does_not_take_the_others_with_it():
    found = rust_tests_of(
        program(([1], "a"), ([2], "\ud800"), ([3], "c"), python="def f(x: int) -> str: ...")
    )
    assert (found.count, [n for n, _ in found.unmapped]) == (2, [2])


@pytest.mark.parametrize(
    ("python", "says"),
    [
        ("x = 1", "no function to call"),
        ("def f(*x): ...", "by \\* or by name"),
        ("def f(x, y): ...", "takes 2 arguments, not 1"),
        ("async def f(x): ...", "no function to call"),
    ],
)
def test_a_program_that_cannot_be_called_says_why(python, says):
    found = rust_tests_of(program(([1], 1), python=python))
    assert (found.count, found.signature) == (0, "")
    [(number, why)] = found.unmapped
    assert number == 0
    assert says.replace("\\", "") in why


def test_the_signature_is_that_of_annotations_and_of_values():
    found = rust_tests_of(
        program(
            ([[1, 2], "a", None], {"a": 1}),
            ([[], "b", 0.5], {}),
            python="def other(): ...\ndef match(xs, s: str, t=None) -> dict[str, int]: ...",
            name="match",
        )
    )
    assert found.signature == (
        "pub fn r#match(xs: &[i64], s: &str, t: Option<f64>) "
        "-> std::collections::HashMap<String, i64>"
    )
    assert "t: Option<f64>" in found.signature


MANY = [
    0, -1, 2**63 - 1, -(2**63), 1.5, -0.0, 1e300, 1e-300, True, False, "", 'a "quoted" \\ text\n\t\r',
    "é 😀 \x00 \x7f", None, [], [1, 2], [[1], []], [1.0, 2], ["a", ""], [None, 1], [True], [[1, "a"], [2, "b"]],
    {}, {"a": 1}, {"a": [1.5], "b": []}, {"x": {"y": True}}, [{"k": "v"}], [1, "a"], [1, "a", 2.5, True],
]  # fmt: skip


@needs_rust
@pytest.mark.slow
def test_every_value_passes_through_an_identity_and_no_other_value_does():
    """One crate for all: for each value a function that returns it, and its test; then a wrong one."""
    code, tests = [], []
    for k, value in enumerate(MANY):
        name = f"f{k}"
        made = rust_tests_of(program(([], value), python=f"def {name}(): ...", name=name))
        assert made.count == 1, made
        kind = of_value(value)
        code.append(f"{made.signature} {{ {literal(value, kind)} }}")
        near, _, test = made.tests.partition("#[test]")
        tests.append("#[test]" + test.replace("case_1", f"case_{k}"))
    near = made.tests.partition("#[test]")[0]
    bench = Workbench(
        toolchain=toolchain(), sandbox=find_sandbox(), limits=Limits(wall_s=120, cpu_s=60)
    )
    source = "\n".join(code)
    found = bench.verify(source, near + "\n".join(tests))
    assert found.passed, (found.why, found.build_log[:2000], found.test_log[:2000])
    assert found.ran == len(MANY)
    others = [rust_other(line) for line in code]
    found = bench.verify("\n".join(others), near + "\n".join(tests))
    assert found.stand is Stand.TESTS_FAIL, found.build_log[:2000]
    changed = sum(a != b for a, b in zip(code, others, strict=True))
    assert changed > 15
    assert len(found.failed) == changed


def rust_other(line: str) -> str:
    """Return the same function with another value of the same type, where that is easy."""
    head, _, body = line.partition(" { ")
    body = body.removesuffix(" }")
    for end, other in (
        ("-> i64", "7i64"),
        ("-> f64", "7.25f64"),
        ("-> bool", f"!{body}"),
        ("-> String", 'String::from("other")'),
    ):
        if head.endswith(end):
            return f"{head} {{ {other} }}"
    if body.startswith("vec![") and body != "vec![]":
        return f"{head} {{ let mut v = {body}; v.pop(); v }}"
    return line


@needs_rust
@pytest.mark.slow
def test_a_call_that_must_fail_may_return_an_error_or_panic():
    wants = program(([6, 2], 3), ([1, 0], {"error": "ZeroDivisionError"}), name="div",
                    python="def div(a: int, b: int) -> int:\n    return a // b")  # fmt: skip
    made = rust_tests_of(wants)
    assert made.signature == "pub fn div(a: i64, b: i64) -> Result<i64, String>"
    bench = Workbench(toolchain=toolchain(), sandbox=find_sandbox())
    body = f"{made.signature} {{ %s }}"
    right = 'if b == 0 { Err("division by zero".to_string()) } else { Ok(a / b) }'
    assert bench.verify(body % right, made.tests).passed
    assert bench.verify(body % "Ok(a / b)", made.tests).passed
    assert not bench.verify(body % "Ok(if b == 0 { 0 } else { a / b })", made.tests).passed
    assert not bench.verify(body % "Err(String::new())", made.tests).passed


@needs_rust
@pytest.mark.slow
def test_a_type_whose_equality_is_always_true_does_not_compile():
    trick = (
        "#[derive(Debug)] pub struct Any; impl PartialEq<i64> for Any { fn eq(&self, _: &i64) -> "
        "bool { true } } pub fn f(_x: i64) -> Any { Any }"
    )
    made = rust_tests_of(program(([1], 2)))
    found = Workbench(toolchain=toolchain(), sandbox=find_sandbox()).verify(trick, made.tests)
    assert (found.stand, found.error) == (Stand.DOES_NOT_COMPILE, "E0308")


def test_a_program_without_functions_returns_what_it_prints():
    made = rust_tests_of(program(([], "Hello\n"), python="print('Hello')"))
    assert made.signature == "pub fn output() -> String"
    assert made.count == 1
