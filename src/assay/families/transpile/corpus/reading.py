"""Corpora read from disk, strictly: JSON Lines, folders of examples, HumanEval-X.

*Covered*: bytes that are no text, lines and programs that are too long, rows that lack something or
have something else, ids that come twice, numbers that JSON does not have.  *Not covered*: programs
that are no Python, which ``levels`` and ``facts`` name without refusing the others.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay import DataError
from assay.lines import lines, wrong

from ..levels import LONGEST
from .program import JSON, Case, Corpus, Program

INSIDE = "transpile_corpus.jsonl"
"""The file that makes a folder a corpus of JSON Lines."""

KEYS = ("id", "python_code", "test_cases", "rust_tests", "rust_code")
_TWO_LANGUAGES = {"python", "rust"}


def read_corpus(path: Path) -> Corpus:
    """Return the programs of a file or folder, in order of their ids.

    A file is JSON Lines (``id``, ``python_code``, ``test_cases``, and if you like ``rust_tests`` and
    ``rust_code``), HumanEval-X (``id``, ``python``, ``rust``), or one Python program.  A folder holds
    ``transpile_corpus.jsonl``, or folders ``example_*`` with a program and perhaps ``test_*.py``, or
    Python programs.  Raises ``DataError`` A200 with file and line for the first thing that is wrong.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "corpus.jsonl"
    ...     row = {"id": "add", "python_code": "def add(a, b): return a + b",
    ...            "test_cases": [{"input": [1, 2], "expected": 3}]}
    ...     _ = file.write_text(json.dumps(row))
    ...     read_corpus(file).programs[0].cases
    (Case(input=(1, 2), expected=3),)
    """
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise DataError(f"there is no {path}", hint="check the path", code="A200")
    if path.suffix == ".py":
        return _sorted("directory", [_source(path, path.stem)], path)
    rows = [(number, _row(path, number, line)) for number, line in lines(path) if line.strip()]
    two = bool(rows) and rows[0][1].keys() >= _TWO_LANGUAGES
    read = _pair if two else _program
    found = [read(row, path, number) for number, row in rows]
    return _sorted("humaneval-x" if two else "jsonl", found, path)


def _sorted(form: str, programs: list[Program], path: Path) -> Corpus:
    if not programs:
        raise DataError(
            "there is no program",
            where=str(path),
            hint="give JSON Lines, a folder of example_*/ folders, or Python files",
            code="A200",
        )
    known: dict[str, str] = {}
    for program in programs:
        if program.id in known:
            raise DataError(
                f"the id {program.id!r} comes twice: also at {known[program.id]}",
                where=program.origin,
                hint="give every program an id of its own",
                code="A200",
            )
        known[program.id] = program.origin
    return Corpus(form=form, programs=sorted(programs, key=lambda program: program.id))


def _row(path: Path, number: int, line: str) -> Mapping[str, Any]:
    def no_such_number(name: str) -> None:
        raise wrong(path, number, f"{name} is no JSON", "write null, or leave the case out")

    def a_float(text: str) -> float:
        found = float(text)
        if not math.isfinite(found):  # 1e999 is JSON, and no number that a test could expect
            raise wrong(path, number, f"{text} is beyond every float", "write a smaller number")
        return found

    try:
        row = json.loads(line, parse_constant=no_such_number, parse_float=a_float)
    except (ValueError, RecursionError) as error:
        raise wrong(path, number, f"not JSON: {error}", "write one JSON object a line") from None
    if not isinstance(row, dict):
        raise wrong(path, number, f"{type(row).__name__} is no object", "write one object a line")
    return row


def _program(row: Mapping[str, Any], path: Path, number: int) -> Program:
    for key in row:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(KEYS)}"
            raise wrong(path, number, f"nobody reads the key {key!r}", hint)
    cases = row.get("test_cases", [])
    if not isinstance(cases, list):
        raise wrong(path, number, "test_cases is no list", "write [{input: [...], expected: ...}]")
    return Program(
        id=_text(row, "id", path, number),
        python=_text(row, "python_code", path, number),
        cases=tuple(_case(case, k, path, number) for k, case in enumerate(cases, start=1)),
        rust_tests=_text(row, "rust_tests", path, number, needed=False),
        rust=_text(row, "rust_code", path, number, needed=False),
        origin=f"{path}:{number}",
    )


def _case(case: JSON, k: int, path: Path, number: int) -> Case:
    if not isinstance(case, dict) or case.keys() != {"input", "expected"}:
        raise wrong(
            path, number, f"test case {k} is not input and expected", "write {input, expected}"
        )
    if not isinstance(case["input"], list):
        raise wrong(
            path, number, f"the input of test case {k} is no list", "list the arguments, in order"
        )
    return Case(input=tuple(case["input"]), expected=case["expected"])


def _text(row: Mapping[str, Any], key: str, path: Path, number: int, *, needed: bool = True) -> str:
    value = row.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        said = "missing" if value is None else "empty" if value == "" else "no text"
        raise wrong(path, number, f"{key} is {said}", f"give {key} as text")
    if len(value) > LONGEST:
        raise wrong(
            path, number, f"{key} has {len(value):,} characters", f"at most {LONGEST:,} are read"
        )
    return value


def _pair(row: Mapping[str, Any], path: Path, number: int) -> Program:
    """Read a row of HumanEval-X, whose Rust is a declaration, a body and a module of tests."""

    def part(language: str, key: str) -> str:
        said = row.get(language)
        if not isinstance(said, dict) or not isinstance(said.get(key), str):
            raise wrong(path, number, f"{language}.{key} is missing", "is this HumanEval-X?")
        return str(said[key])

    return Program(
        id=_text(row, "id", path, number),
        python=part("python", "prompt") + part("python", "canonical_solution"),
        python_tests=part("python", "test"),
        rust=_without_crates(part("rust", "declaration") + part("rust", "canonical_solution")),
        rust_tests=part("rust", "test"),
        origin=f"{path}:{number}",
    )


_OTHER_CRATES = re.compile(r"^use (?:rand|regex|md5)\b.*;[ \t]*\n", re.MULTILINE)


def _without_crates(rust: str) -> str:
    """Take out what HumanEval-X imports everywhere: crates that nobody has, a trait that is gone."""
    return _OTHER_CRATES.sub("", rust).replace(", ascii::AsciiExt", "")


def _folder(path: Path) -> Corpus:
    if (path / INSIDE).is_file():
        return read_corpus(path / INSIDE)
    examples = sorted(each for each in path.glob("example_*") if each.is_dir())
    if examples:
        return _sorted("directory", [_example(each) for each in examples], path)
    files = (each for each in sorted(path.rglob("*.py")) if each.is_file())
    found = [_source(each, each.relative_to(path).as_posix().removesuffix(".py")) for each in files]
    return _sorted("directory", found, path)


def _example(folder: Path) -> Program:
    files = sorted(folder.glob("*.py"))
    tests = [file for file in files if file.name.startswith("test_")]
    sources = [file for file in files if file not in tests and file.name != "__init__.py"]
    if len(sources) != 1 or len(tests) > 1:
        names = ", ".join(file.name for file in files) or "nothing"
        raise DataError(
            f"one program and at most one test_*.py are expected; there is {names}",
            where=str(folder),
            hint="put each program in an example_ folder of its own",
            code="A200",
        )
    program = _source(sources[0], folder.name)
    return Program(
        id=program.id,
        python=program.python,
        python_tests="".join(_whole(test) for test in tests),
        origin=program.origin,
    )


def _source(path: Path, name: str) -> Program:
    """Read a Python file, with ``NAME.json`` (its test cases) and ``NAME.rs`` (an answer) beside it."""
    cases, rust = path.with_suffix(".json"), path.with_suffix(".rs")
    return Program(
        id=name,
        python=_whole(path),
        cases=_beside(cases) if cases.is_file() else (),
        rust=_whole(rust) if rust.is_file() else "",
        origin=str(path),
    )


def _beside(path: Path) -> tuple[Case, ...]:
    found = _row(path, 1, f'{{"cases": {_whole(path)}}}')["cases"]
    if not isinstance(found, list):
        raise wrong(path, 1, "it is no list", "write [{input: [...], expected: ...}]")
    return tuple(_case(case, k, path, 1) for k, case in enumerate(found, start=1))


def _whole(path: Path) -> str:
    text = "".join(_each(path))
    if len(text) > LONGEST:
        raise DataError(
            f"the program has {len(text):,} characters",
            where=str(path),
            hint=f"at most {LONGEST:,} are read",
            code="A200",
        )
    return text


def _each(path: Path) -> Iterator[str]:
    return (line for _, line in lines(path))
