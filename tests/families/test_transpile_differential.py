"""A translation is held to its original on inputs that nobody chose."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import PlanError, verify_rust
from assay.engine.sandbox.bubblewrap import bubblewrap
from assay.families.transpile.cases.kinds import (
    BOOL,
    FLOAT,
    INT,
    TEXT,
    Group,
    Kind,
    Maybe,
    Seq,
    Table,
    Tuple,
    Unmapped,
    of_annotation,
)
from assay.families.transpile.cases.signature import signature_of
from assay.families.transpile.cases.spelling import literal
from assay.families.transpile.cases.tests import tests_of as from_cases
from assay.families.transpile.corpus.program import Case, Program
from assay.families.transpile.corpus.shipped import shipped_corpus
from assay.families.transpile.differential.comparing import comparisons
from assay.families.transpile.differential.inputs import arguments, domain_of, strategy
from assay.families.transpile.differential.original import as_json, generated
from assay.families.transpile.rust.verified import Stand, Verified
from assay.families.transpile.tasks.py2rs import py2rs
from rust_here import needs_rust

HELD = bubblewrap()
needs_sandbox = pytest.mark.skipif(isinstance(HELD, str), reason=f"no sandbox: {HELD}")

KINDS = st.recursive(
    st.sampled_from([INT, FLOAT, BOOL, TEXT]),
    lambda inner: st.one_of(
        inner.map(Seq),
        inner.map(Maybe),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: Tuple(tuple(each))),
        st.builds(Table, st.sampled_from([INT, TEXT]), inner),
        st.sampled_from([INT, TEXT, BOOL]).map(Group),
    ),
    max_leaves=4,
)


def program(python: str, *cases: Case) -> Program:
    return Program(id="original", python=python, cases=cases)


def compared(python: str, rust: str, count: int = 60) -> tuple[Verified, list[str], int]:
    [each] = comparisons([(program(python), rust)], count)
    assert each.found.cases, each.found
    found = verify_rust(rust, each.tests)
    return found, each.differences(found), len(each.found.cases)


# Inputs.


@given(KINDS, st.data())
def test_what_is_generated_is_of_its_type_and_python_and_rust_can_both_write_it(
    kind: Kind, data: st.DataObject
) -> None:
    value = data.draw(strategy(kind))
    assert ast.literal_eval(repr(value)) == value
    assert literal(as_json(value), kind)


def test_the_same_inputs_come_each_time_and_none_twice() -> None:
    signature = signature_of(program("def f(a: int, b: list[str]) -> int: return 1"))
    first = arguments(signature, (), 50)
    assert first == arguments(signature, (), 50)
    assert len({repr(each) for each in first}) == len(first)
    assert 40 <= len(first) <= 50


@given(st.lists(st.integers(1, 50), min_size=2, max_size=5), st.data())
def test_inputs_stay_on_the_side_of_zero_where_the_cases_are(
    numbers: list[int], data: st.DataObject
) -> None:
    assert data.draw(strategy(INT, domain_of(numbers))) >= 1


def test_letters_and_emptiness_are_those_of_the_cases() -> None:
    domain = domain_of(["ab", "()"])
    assert (domain.letters, domain.empty) == ("()ab", False)
    assert domain_of(["ab"]).empty, "one case says nothing of where others may stand"


@pytest.mark.parametrize("kind", ["list", "object", "dict[tuple[int, int], int]", "None | list"])
def test_a_type_that_nothing_says_is_named(kind: str) -> None:
    with pytest.raises(Unmapped, match=r"nothing generates .* for given"):
        strategy(of_annotation(ast.parse(kind, mode="eval").body), named_as="given")


# The original.


@needs_sandbox
@pytest.mark.parametrize(("times", "plus"), [(2, 0), (7, -5), (9, 3)])
def test_a_case_is_what_python_itself_computes(times: int, plus: int) -> None:
    python = f"def f(n: int, s: str) -> tuple[int, str]: return n * {times} + {plus}, s * 2"
    [found] = generated([program(python)], 20)
    assert len(found.cases) > 10
    for case in found.cases:
        number, text = case.input
        assert case.expected == [number * times + plus, text * 2]


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    if n > 3: raise ValueError\n    return n", "the original raises"),
        ("    while n > 3: pass\n    return n", "the original takes more than 1 s"),
        ("    return 10 ** n if n > 18 else 1", "what the original returns has no Rust"),
        ("    return object() if n > 3 else 1", "what the original returns has no Rust"),
        ("    import os\n    if n > 3: os._exit(0)\n    return n", "the original ends"),
        ("    if n > 3: raise SystemExit\n    return n", "the original raises"),
    ],
)
def test_what_is_no_case_is_counted_under_its_reason(body: str, why: str) -> None:
    [found] = generated([program(f"def f(n: int) -> int:\n{body}")], 12)
    assert dict(found.left_out)[why] >= 1
    assert found.cases
    assert len(found.cases) + sum(dict(found.left_out).values()) <= 12


@needs_sandbox
@pytest.mark.parametrize(
    "python",
    [
        "import random\ndef f(n: int) -> float: return random.random()",
        "import time\ndef f(n: int) -> int: return time.perf_counter_ns()",
        "def f(n: list[str]) -> str: return ''.join(set('abcdefgh') | set(n))",
        "def f(n: int) -> int: return id(object())",
    ],
)
def test_an_original_that_says_something_else_each_time_is_no_original(python: str) -> None:
    [found] = generated([program(python)], 20)
    assert found.cases == ()
    assert found.why.startswith("it says something else each time: f(")


@needs_sandbox
@pytest.mark.parametrize(
    ("python", "why"),
    [
        ("print(1)", "it takes no arguments"),
        ("def f(n): return n", "nothing generates anything for n"),
        ("def f(*n: int): return n", "takes arguments by"),
        ("import nowhere\ndef f(n: int) -> int: return n", "cannot be loaded: ModuleNotFoundError"),
        ("def f(n: int) -> int: return n\nraise SystemExit(3)", "the original ends"),
    ],
)
def test_where_nothing_can_be_generated_the_reason_is_told(python: str, why: str) -> None:
    [found] = generated([program(python)], 10)
    assert why in found.why


@needs_sandbox
def test_what_an_original_prints_and_changes_is_not_what_it_returns() -> None:
    python = (
        "import os\nseen = []\ndef f(n: int) -> int:\n    print(n)\n    os.write(1, b'said\\n')\n"
        "    os.system('echo said')\n    seen.append(n)\n    return n + 1"
    )
    [found] = generated([program(python)], 20)
    assert all(case.expected == case.input[0] + 1 for case in found.cases)


@needs_sandbox
def test_one_program_that_cannot_be_loaded_takes_no_other_with_it() -> None:
    sound = program("def f(n: int) -> int: return n")
    broken = program("def f(n: int) -> int: return n\n1 / 0")
    first, second, third = generated([sound, broken, sound], 10)
    assert first.cases == third.cases
    assert first.cases
    assert "ZeroDivisionError" in second.why


@needs_sandbox
def test_generated_cases_leave_the_signature_as_it_is() -> None:
    programs = shipped_corpus().programs[::6]
    for each, found in zip(programs, generated(programs, 15), strict=True):
        more = replace(each, cases=each.cases + found.cases)
        assert from_cases(more).signature == from_cases(each).signature
        assert from_cases(more).unmapped == from_cases(each).unmapped


# The translation.

MEAN = "def mean(numbers: list[int]) -> int: return sum(numbers) // len(numbers)"
RIGHT = "numbers.iter().sum::<i64>().div_euclid(numbers.len() as i64)"
WRONG = "numbers.iter().sum::<i64>() / numbers.len() as i64"


@needs_rust
def test_a_translation_that_rounds_the_other_way_is_found_and_the_call_is_shown() -> None:
    found, differences, _ = compared(MEAN, f"pub fn mean(numbers: &[i64]) -> i64 {{ {WRONG} }}")
    assert found.stand is Stand.TESTS_FAIL
    assert len(differences[0]) <= len(differences[-1])
    call, _, got = differences[0].partition("; got ")
    shown, _, wanted = call.partition(" is ")
    names: dict[str, object] = {}
    exec(MEAN, names)
    assert eval(shown, names) == int(wanted)
    assert int(got) == int(wanted) + 1


@needs_rust
def test_a_translation_that_does_the_same_passes_every_call() -> None:
    found, differences, count = compared(MEAN, f"pub fn mean(numbers: &[i64]) -> i64 {{ {RIGHT} }}")
    assert (found.passed, found.ran, differences) == (True, count, [])


@needs_rust
def test_where_it_returns_a_result_what_the_original_refuses_must_fail() -> None:
    head = "pub fn mean(numbers: &[i64]) -> Result<i64, String> {"
    guard = 'if numbers.is_empty() { return Err("none".into()); }'
    assert compared(MEAN, f"{head} {guard} Ok({RIGHT}) }}")[0].passed
    lax = compared(MEAN, f"{head} if numbers.is_empty() {{ return Ok(0); }} Ok({RIGHT}) }}")
    assert lax[1] == ["mean([]) fails"]


OTHER_TYPES = {
    "narrow numbers": (
        "def f(n: int, x: float) -> float: return n % 7 + x",
        "pub fn f(n: i32, x: f32) -> f32 { n.rem_euclid(7) as f32 + x }",
        "pub fn f(n: i32, x: f32) -> f32 { (n % 7) as f32 + x }",
    ),
    "owned lists": (
        "def f(n: list[int]) -> list[int]: return sorted(n)",
        "pub fn f(mut n: Vec<i32>) -> Vec<i32> { n.sort(); n }",
        "pub fn f(mut n: Vec<i32>) -> Vec<i32> { n.sort(); n.dedup(); n }",
    ),
    "lists that are changed": (
        "def f(n: list[int]) -> int: return max(n + [0])",
        "pub fn f(n: &mut Vec<i64>) -> i64 { n.push(0); *n.iter().max().unwrap() }",
        "pub fn f(n: &mut Vec<i64>) -> i64 { n.push(1); *n.iter().max().unwrap() }",
    ),
    "texts": (
        "def f(s: str) -> str: return s[::-1]",
        "pub fn f(s: String) -> String { s.chars().rev().collect() }",
        "pub fn f(s: String) -> String { s.chars().collect() }",
    ),
    "tables in order": (
        "def f(t: dict[str, int]) -> dict[str, int]: return {k: v + 1 for k, v in t.items()}",
        """use std::collections::BTreeMap;
        pub fn f(t: BTreeMap<String, i64>) -> BTreeMap<String, i64> {
            t.into_iter().map(|(k, v)| (k, v + 1)).collect() }""",
        """use std::collections::BTreeMap;
        pub fn f(t: BTreeMap<String, i64>) -> BTreeMap<String, i64> { t }""",
    ),
    "parts and what may be missing": (
        "def f(p: tuple[int, str], o: int | None) -> int | None: return o if o is None else o + p[0]",
        "pub fn f(p: (i16, String), o: Option<i16>) -> Option<i32> { o.map(|o| i32::from(o) + i32::from(p.0)) }",
        "pub fn f(p: (i16, String), o: Option<i16>) -> Option<i32> { o.map(|o| i32::from(o) - i32::from(p.0)) }",
    ),
    "a result of its own": (
        "def f(n: int) -> int:\n    if n < 0: raise ValueError\n    return n",
        "pub fn f(n: i32) -> Result<u8, std::string::String> { if n < 0 { Err(String::new()) } else { Ok(n as u8) } }".replace(
            "u8", "u32"
        ),
        "pub fn f(n: i32) -> Result<u32, String> { Ok(n.unsigned_abs()) }",
    ),
}


@needs_rust
@pytest.mark.parametrize(("python", "right", "wrong"), OTHER_TYPES.values(), ids=OTHER_TYPES)
def test_functions_of_other_types_are_compared_all_the_same(
    python: str, right: str, wrong: str
) -> None:
    found, _, _ = compared(python, right)
    assert found.passed, found.build_log + found.test_log
    assert compared(python, wrong)[0].stand is Stand.TESTS_FAIL


@needs_rust
@pytest.mark.parametrize(
    "rust",
    [
        "pub struct Own; pub fn mean(_: &[i64]) -> Own { Own }",
        "pub fn mean(_: &[i64], _: i64) -> i64 { 0 }",
        "pub fn median(_: &[i64]) -> i64 { 0 }",
        "pub struct i32; pub fn mean(_: &[i64]) -> i32 { i32 }",
    ],
)
def test_a_function_that_cannot_be_called_alike_never_passes(rust: str) -> None:
    assert compared(MEAN, rust)[0].stand is Stand.DOES_NOT_COMPILE


@needs_rust
@pytest.mark.slow
def test_every_fifth_right_answer_of_the_shipped_corpus_does_as_its_original() -> None:
    programs = [p for p in shipped_corpus().programs[::5] if p.id > "l03"]
    for each in comparisons([(p, p.rust) for p in programs], 20):
        assert each.found.cases, each.found
        found = verify_rust(each.program.rust, each.tests)
        assert found.passed, each.differences(found)


# The task.


@needs_sandbox
def test_the_task_has_generated_tests_that_no_question_shows() -> None:
    with_them = {s.id: s for s in py2rs(differential=6).samples("test")}
    without = {s.id: s for s in py2rs().samples("test")}
    assert with_them.keys() == without.keys()
    more = 0
    for name, sample in with_them.items():
        assert sample.input == without[name].input
        tests = [s.target.value["tests"].count("#[test]") for s in (sample, without[name])]  # type: ignore[union-attr,call-overload,index]
        more += tests[0] > tests[1]
    assert more > 30
    assert any("no generated tests: l01_" in caveat for caveat in py2rs(differential=6).caveats())


def test_a_number_of_calls_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="differential is -1"):
        py2rs(differential=-1)
