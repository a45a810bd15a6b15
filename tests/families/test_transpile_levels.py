"""Levels of Python programs: by what they are made of, not by the words in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError
from assay.families.transpile.levels import LEVELS, LONGEST, WEIGHTS, classify

CANONICAL = {
    1: 'print("Hello, World!")',
    2: "x = 42\ny = x * 2 + 1\nprint(f'{x} {y}')",
    3: "def factorial(n):\n    return 1 if n <= 1 else n * factorial(n - 1)",
    4: "def squares(n):\n    return [x * x for x in range(n) if x % 2 == 0]",
    5: "def total(n):\n    s = 0\n    for i in range(n):\n        s += i\n    return s",
    6: "def parse(s):\n    try:\n        return int(s)\n    except ValueError:\n        return None",
    7: "class Circle:\n    def __init__(self, r):\n        self.r = r",
    8: "import asyncio\nasync def f():\n    await asyncio.sleep(0)",
    9: "import ctypes\nlib = ctypes.CDLL('libm.so.6')",
    10: "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int",
}


def level(source: str) -> int:
    return classify(source).level.number


def test_the_weights_are_those_of_the_benchmark():
    assert [each.weight for each in LEVELS] == [1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20]
    assert WEIGHTS == 68.5
    assert [each.number for each in LEVELS] == list(range(1, 11))


@pytest.mark.parametrize("number", CANONICAL)
def test_each_level_has_a_program_of_its_own(number):
    assert level(CANONICAL[number]) == number


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ('def f():\n    """A class with async and try: and @dataclass."""\n    return 1', 3),
        ("# class Ctypes: await\nx = 1", 2),
        ('mail = "me@example.org"', 2),
        ('def wait(n):\n    print("wait for it: class async")', 3),
        ("async_total = 1", 2),
        ("", 1),
        ("# nothing", 1),
    ],
)
def test_words_in_comments_strings_and_names_say_nothing(source, number):
    assert level(source) == number


@given(st.sampled_from(sorted(CANONICAL)), st.sampled_from(sorted(CANONICAL)))
def test_a_program_of_two_parts_has_the_higher_level(one, two):
    assert level(f"{CANONICAL[one]}\n{CANONICAL[two]}") == max(one, two)


@given(st.sampled_from(sorted(CANONICAL)))
def test_any_function_is_at_least_level_three(number):
    source = "def f():\n" + "\n".join("    " + line for line in CANONICAL[number].splitlines())
    assert level(source) == max(number, 3)


@given(st.sampled_from(sorted(CANONICAL)), st.text(alphabet="abc class def try @#", max_size=20))
def test_a_comment_changes_nothing(number, words):
    assert level(f"# {words}\n{CANONICAL[number]}") == number


def test_reasons_name_the_construct_and_its_first_line():
    found = classify("x = 1\n\ntry:\n    y = [x]\nexcept ValueError:\n    raise")
    assert [(r.number, r.what, r.line) for r in found.reasons] == [
        (6, "try", 3),
        (6, "raise", 6),
        (4, "a collection", 4),
        (2, "a variable", 1),
    ]


def test_what_belongs_to_classes_is_no_metaprogramming():
    source = (
        "class A:\n    @staticmethod\n    def f(): pass\n    @classmethod\n    def g(cls): pass"
    )
    assert level(source) == 7
    assert level(source.replace("@staticmethod", "@property")) == 10


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def f(:\n", "line 1"),
        ("x = '\0'", "no Python program"),
        ("(" * 5_000, "no Python program"),
        ("x" * (LONGEST + 1), "1,000,001 characters"),
        ("fn main() {}", "line 1"),
    ],
)
def test_what_is_no_program_is_told_with_its_place(source, says):
    with pytest.raises(DataError, match=rf"(?s)A200.*{says}.*corpus\.jsonl:7"):
        classify(source, where="corpus.jsonl:7")
