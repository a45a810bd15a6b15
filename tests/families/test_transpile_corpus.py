"""Corpora: four forms, read strictly, and what is wrong with them."""

from __future__ import annotations

import json

import pytest

from assay import DataError
from assay.families.transpile.corpus.facts import look
from assay.families.transpile.corpus.reading import read_corpus

ADD = {
    "id": "add",
    "python_code": "def add(a, b):\n    return a + b",
    "test_cases": [{"input": [1, 2], "expected": 3}],
}


def written(folder, *rows):
    path = folder / "corpus.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_json_lines_are_read_in_the_order_of_their_ids(tmp_path):
    path = written(tmp_path, ADD, "", {**ADD, "id": "a", "rust_tests": "#[test] fn t() {}"})
    found = read_corpus(path)
    assert [program.id for program in found.programs] == ["a", "add"]
    assert found.programs[1].cases[0].expected == 3
    assert found.programs[1].origin == f"{path}:1"
    (tmp_path / "transpile_corpus.jsonl").write_text(path.read_text())
    assert len(read_corpus(tmp_path).programs) == 2


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "list is no object"),
        ({**ADD, "test_case": []}, "nobody reads the key 'test_case'\n.*did you mean test_cases"),
        ({"id": "x"}, "python_code is missing"),
        ({**ADD, "python_code": ""}, "python_code is empty"),
        ({**ADD, "python_code": 3}, "python_code is no text"),
        ({**ADD, "python_code": "x" * 999_000 + "é" * 1}, ""),
        ({**ADD, "test_cases": {}}, "test_cases is no list"),
        (
            {**ADD, "test_cases": [{"input": 1, "expected": 2}]},
            "the input of test case 1 is no list",
        ),
        ({**ADD, "test_cases": [{"input": [1]}]}, "test case 1 is not input and expected"),
        (json.dumps(ADD).replace("3}", "NaN}"), "NaN is no JSON"),
        (json.dumps(ADD).replace("3}", "-1e999}"), "-1e999 is beyond every float"),
        (json.dumps({**ADD, "id": "second"}).encode().decode() + "x", "not JSON"),
    ],
)
def test_a_bad_row_is_told_with_its_line(tmp_path, row, says):
    path = written(tmp_path, ADD, {**row, "id": "other"} if isinstance(row, dict) else row)
    if not says:
        assert len(read_corpus(path).programs) == 2
        return
    with pytest.raises(DataError, match=rf"(?s)A200.*{says}"):
        read_corpus(path)
    with pytest.raises(DataError, match=r"corpus\.jsonl:2"):
        read_corpus(path)


def test_ids_that_come_twice_are_refused_with_both_places(tmp_path):
    path = written(tmp_path, ADD, ADD)
    with pytest.raises(DataError, match=r"(?s)'add' comes twice: also at .*jsonl:1.*jsonl:2"):
        read_corpus(path)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_corpus_is_refused(tmp_path, content):
    (tmp_path / "corpus.jsonl").write_bytes(content)
    with pytest.raises(DataError, match="there is no program"):
        read_corpus(tmp_path / "corpus.jsonl")
    with pytest.raises(DataError, match="there is no "):
        read_corpus(tmp_path / "absent.jsonl")


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    (tmp_path / "corpus.jsonl").write_bytes(json.dumps(ADD).encode() + b"\n\xff\xfe")
    with pytest.raises(DataError, match=r"(?s)not UTF-8.*corpus\.jsonl:2"):
        read_corpus(tmp_path / "corpus.jsonl")


def test_folders_of_examples_hold_a_program_and_its_tests(tmp_path):
    for name in ("example_b", "example_a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(ADD["python_code"])
    (tmp_path / "example_a" / "test_a.py").write_text("def test_it(): pass")
    found = read_corpus(tmp_path)
    assert [(p.id, p.tested) for p in found.programs] == [("example_a", True), ("example_b", False)]
    (tmp_path / "example_a" / "more.py").write_text("")
    with pytest.raises(DataError, match=r"(?s)one program and at most one test.*example_a"):
        read_corpus(tmp_path)


def test_humaneval_x_is_put_together_from_its_parts(tmp_path):
    row = {
        "id": "0",
        "python": {"prompt": "def f():\n", "canonical_solution": "    return 1\n", "test": "check"},
        "rust": {
            "prompt": "/* */",
            "declaration": "use rand::Rng;\nuse std::{cmp::max, ascii::AsciiExt};\nfn f() -> i32 {",
            "canonical_solution": " 1 }",
            "test": "#[cfg(test)] mod tests {}",
        },
    }
    [program] = read_corpus(written(tmp_path, row)).programs
    assert program.rust == "use std::{cmp::max};\nfn f() -> i32 { 1 }"
    assert program.python == "def f():\n    return 1\n"
    del row["rust"]["test"]
    with pytest.raises(DataError, match=r"rust\.test is missing"):
        read_corpus(written(tmp_path, row))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import random\nx = random.random()", "line 2: random numbers (random.random)"),
        ("from random import choice\nx = choice([1])", "line 1: random numbers (random.choice)"),
        ("import time\nx = time.time()", "line 2: the clock (time.time)"),
        ("from datetime import datetime\nx = datetime.now()", "line 2: the clock (datetime.now)"),
        ("for x in {3, 1}:\n    print(x)", "line 1: the order of a set"),
        ("def f(:", "this is no Python program: line 1: invalid syntax"),
    ],
)
def test_what_may_say_something_else_each_time_is_reported(tmp_path, code, fault):
    path = written(tmp_path, {**ADD, "python_code": code})
    facts = look(read_corpus(path))
    assert facts.programs[0].faults == (fault,)
    assert not facts.sound


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\nx = datetime(2024, 1, 1)",
        "import time\ntime.sleep(0)",
        "random = 1\nx = random",
        "for x in sorted({3, 1}):\n    print(x)",
    ],
)
def test_what_says_the_same_each_time_is_not(tmp_path, code):
    assert look(read_corpus(written(tmp_path, {**ADD, "python_code": code}))).sound


def test_programs_that_are_the_same_but_for_comments_are_reported(tmp_path):
    twin = {**ADD, "id": "twin", "python_code": "# another\n" + ADD["python_code"] + "\n\n"}
    facts = look(read_corpus(written(tmp_path, ADD, twin)))
    assert facts.duplicates == [("add", "twin")]
    assert not facts.sound


def test_a_program_that_nothing_tests_is_reported(tmp_path):
    facts = look(read_corpus(written(tmp_path, {**ADD, "test_cases": []})))
    assert facts.programs[0].faults == ("nothing tests it",)


def test_python_files_may_have_cases_and_an_answer_beside_them(tmp_path):
    (tmp_path / "add.py").write_text(ADD["python_code"])
    (tmp_path / "add.json").write_text(json.dumps(ADD["test_cases"], indent=1))
    (tmp_path / "add.rs").write_text("pub fn add(a: i64, b: i64) -> i64 { a + b }")
    [program] = read_corpus(tmp_path).programs
    assert (program.id, program.cases[0].input) == ("add", (1, 2))
    assert program.rust.startswith("pub fn add")
    for broken, says in (("{}", "it is no list"), ("[{]", "not JSON"), ("[1]", "test case 1")):
        (tmp_path / "add.json").write_text(broken)
        with pytest.raises(DataError, match=rf"(?s){says}.*add\.json"):
            read_corpus(tmp_path)


def test_the_command_says_where_a_fault_is_and_how_hard_programs_are(tmp_path):
    from assay.families.transpile.commands.corpus import corpus

    path = written(tmp_path, {**ADD, "id": "good"}, {"id": "bare", "python_code": "x = 1"})
    page = corpus(path)
    assert page.code == 1
    assert page.facts["difficulties"] == {
        "Trivial": 1, "Easy": 1, "Medium": 0, "Hard": 0, "Expert": 0
    }  # fmt: skip
    assert page.facts["faults"] == [
        {"id": "bare", "where": f"{path}:2", "fault": "nothing tests it"}
    ]
