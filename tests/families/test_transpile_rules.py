"""The transpiler by rules: what it says is what Python computes, and where it has no rule it declines."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import Answer, Bottom, Question, Reply
from assay.families.transpile.cases.tests import tests_of as rust_of
from assay.families.transpile.corpus.program import Case, Program
from assay.families.transpile.recipes.rules import Rules
from assay.families.transpile.rules.scope import NoRule
from assay.families.transpile.rules.translate import translate
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verify import Workbench
from assay.families.transpile.tasks.py2rs import py2rs
from assay.sandbox import Limits, find_sandbox
from assay.testing import check_recipe, check_task
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")

PROGRAMS = {
    "floors": ("def floors(a: int, b: int) -> int:\n    return a // b * 1000 + a % b",
               [(7, 2), (-7, 2), (7, -2), (-7, -2), (6, 3)]),
    "quotient": ("def quotient(a: int, b: int) -> float:\n    return a / b", [(1, 2), (-3, 4), (10, 5)]),
    "digits": ("def digits(n: int) -> int:\n    s = 0\n    while n:\n        s += n % 10\n        n //= 10\n    return s",
               [(0,), (7,), (1234,), (999,)]),
    "evens": (("def evens(xs: list[int]) -> list[int]:\n    found = []\n    for x in xs:\n        if x % 2 == 0:\n"
              "            found.append(x)\n    return found"), [([1, 2, 3, 4],), ([],), ([-2, 5],)]),
    "label": ("def label(n: int) -> str:\n    return f'n={n}, {\"even\" if n % 2 == 0 else \"odd\"}'",
              [(1,), (2,), (-3,)]),
    "fib": ("def fib(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a",
            [(0,), (1,), (2,), (10,), (50,)]),
    "sign": ("def sign(x: float) -> int:\n    if x > 0:\n        return 1\n    elif x < 0:\n        return -1\n    return 0",
             [(1.5,), (-0.5,), (0.0,)]),
    "between": ("def between(a: int, x: int, b: int) -> bool:\n    return a <= x < b and not x == 3",
                [(1, 2, 4), (1, 3, 4), (1, 4, 4), (1, 0, 4)]),
    "last": ("def last(xs: list[str]) -> str:\n    return xs[-1] + '!' * len(xs)", [(["a"],), (["a", "b"],)]),
    "spread": (("def widest(a: int, b: int) -> int:\n    return max(a, b) - min(a, b)\n\n"
               "def spread(xs: list[int]) -> int:\n    return widest(max(xs), min(xs)) + sum(xs) - abs(xs[0])"),
               [([3, 1, 2],), ([-5],), ([0, 9],)]),
    "counted": (("def counted(n: int) -> int:\n    i = 0\n    while True:\n        i += 1\n        if i % 2:\n            continue\n"
                "        if i > n:\n            break\n    return i"), [(0,), (5,), (6,)]),
}  # fmt: skip


def program(name) -> Program:
    source, calls = PROGRAMS[name]
    space: dict[str, object] = {}
    exec(source, space)
    function = space[name]
    cases = tuple(Case(input=call, expected=function(*call)) for call in calls)
    return Program(id=name, python=source, cases=cases)


@needs_rust
@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_it_translates_computes_what_python_does(name):
    wanted = rust_of(program(name))
    assert not wanted.unmapped
    bench = Workbench(
        toolchain=toolchain(), sandbox=find_sandbox(), limits=Limits(wall_s=60, cpu_s=5)
    )
    code = translate(PROGRAMS[name][0], wanted.signature)
    found = bench.verify(code, wanted.tests)
    assert found.passed, (found.why, found.build_log, code)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("class A: pass", "ClassDef"),
        ("x = 1\ndef f(y: int) -> int: return y", "outside of functions"),
        ("def f(x): return x", "no type"),
        ("def f(x: int = 1) -> int: return x", "defaults"),
        ("def f(x: int) -> int:\n    try:\n        return x\n    finally:\n        pass", "Try"),
        ("def f(x: int) -> str: return x", "another type than the function returns"),
        ("def f(x: int) -> int:\n    y = 1\n    y = 'a'\n    return x", "y becomes another type"),
        ("def f(x: float) -> str: return f'{x}'", "Rust writes otherwise"),
        ("def f(x: int, y: int) -> int: return x or y", "no bool"),
        ("def f(x: int) -> int: return g(x)", "a call of g"),
        ("def f(xs: list[int]) -> list[int]: return [x for x in xs]", "ListComp"),
        ("import random\nprint(random.random())", "Import"),
    ],
)
def test_where_it_has_no_rule_it_says_what_and_where(source, what):
    with pytest.raises(NoRule, match=rf"line \d+: .*{what}"):
        translate(source, "")


def test_it_declines_what_it_cannot_translate_and_fails_on_what_is_no_program():
    system = Rules().build([], [], seed=0, workdir=Path()).system
    asked = [
        {"python_code": "class A: pass", "signature": ""},
        {"python_code": "def f(:", "signature": ""},
        {"python_code": "print('a')", "signature": ""},
        "no program",
    ]
    said = [
        reply.said
        for reply in system.answer(
            [Question(id=str(k), input=each) for k, each in enumerate(asked)]
        )
    ]
    assert said[:2] == [Bottom("no_rule")] * 2
    assert isinstance(said[2], Answer)
    assert type(said[3]).__name__ == "Failed"


def test_the_task_divides_programs_by_level_and_shows_no_test_that_it_was_not_told_to():
    task = py2rs(public=0)
    splits = {split: task.samples(split) for split in ("train", "tune", "calibration", "test")}
    assert len(splits["test"]) >= 50
    ids = [sample.id for samples in splits.values() for sample in samples]
    assert len(set(ids)) == len(ids)
    assert {tag for sample in splits["test"] for tag in sample.tags} >= {
        f"L{k}" for k in range(1, 11)
    }
    for sample in splits["test"]:
        assert set(sample.question().input) == {"python_code", "signature", "public_tests"}
        assert "#[test]" not in str(sample.question().input)


@needs_rust
@pytest.mark.slow
def test_the_verifier_passes_right_answers_and_names_what_is_wrong_with_others(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    task = py2rs()
    [sample] = [s for s in task.samples("test") if s.id == "l03_leap"] or task.samples("test")[:1]
    right = sample.target.value["rust"]
    replies = [
        Reply(sample.id, Answer(said))
        for said in (right, f"Here:\n```rust\n{right}\n```", "fn nothing() {}", "", 7)
    ]
    found = list(task.verifier.check([(sample, reply) for reply in replies]))
    assert [check.passed for check in found] == [True, True, False, False, False]
    assert [check.scores["compiles"] for check in found] == [1, 1, 0, 0, 0]
    assert found[2].evidence["error"].startswith("E0")
    assert found[3].evidence["stand"] == "no Rust in the answer"
    assert "verdict" not in found[0].evidence
    [again] = task.verifier.check([(sample, replies[0])])
    assert again.evidence["verdict"] == "kept from before"
    assert (again.passed, again.scores) == (found[0].passed, found[0].scores)


@needs_rust
@pytest.mark.heavy
def test_task_and_recipe_keep_their_contracts(tmp_path):
    check_task(py2rs())
    check_recipe(Rules(), py2rs(), workdir=tmp_path)
