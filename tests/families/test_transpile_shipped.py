"""The programs that come with assay: each is what its name says, and its cases tell right from wrong."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import groupby

import pytest

from assay.families.transpile.adequacy import adequacy
from assay.families.transpile.cases.signature import must_fail, signature_of
from assay.families.transpile.cases.spelling import literal
from assay.families.transpile.cases.tests import tests_of as rust_of
from assay.families.transpile.corpus.facts import look
from assay.families.transpile.corpus.shipped import shipped_corpus
from assay.families.transpile.levels import LEVELS, WEIGHTS
from assay.families.transpile.rust.mutants import Fault, with_body
from assay.families.transpile.rust.reading import refused
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.rust.verify import Workbench
from assay.sandbox import Limits, find_sandbox
from rust_here import needs_rust

pytest.importorskip("tree_sitter_rust")
CORPUS = shipped_corpus()
PROGRAMS = {program.id: program for program in CORPUS.programs}
SCRIPTS = (1, 2)
"""Levels whose programs have no function: there is one case, what they print."""


def level_in(name: str) -> int:
    return int(name[1:3])


@pytest.fixture(scope="module")
def bench() -> Workbench:
    limits = Limits(wall_s=60, cpu_s=10, memory_mb=2048)
    return Workbench(toolchain=toolchain(), sandbox=find_sandbox(), limits=limits)


def test_all_ten_levels_have_programs_and_nothing_is_wrong_with_them():
    facts = look(CORPUS)
    assert len(CORPUS.programs) >= 60
    assert all(count >= 5 for count in facts.by_level.values()), facts.by_level
    assert facts.covered == WEIGHTS
    assert facts.sound, [(each.program.id, each.faults) for each in facts.programs if each.faults]


def test_a_program_is_of_the_level_that_its_name_says():
    for each in look(CORPUS).programs:
        assert each.level is not None
        assert each.level.level is LEVELS[level_in(each.program.id) - 1], each.level.reasons[:3]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_cases_that_all_become_rust_tests_and_an_answer_that_is_called_by_them(name):
    program = PROGRAMS[name]
    made = rust_of(program)
    assert made.unmapped == ()
    assert made.count == len(program.cases)
    assert 3 <= len(program.python.splitlines()) <= 60
    assert refused(program.rust) is None
    assert program.rust.count(f"pub fn {signature_of(program).name}(") == 1
    assert ("unsafe" in program.rust) == (level_in(name) == 9)
    if level_in(name) in SCRIPTS:
        assert made.signature == "pub fn output() -> String"
        assert len(program.cases) == 1
    else:
        assert 6 <= len(program.cases) <= 12
        asked = [json.dumps(case.input) for case in program.cases]
        assert len(set(asked)) == len(asked), "a case comes twice"
        answers = {json.dumps(case.expected) for case in program.cases if not must_fail(case)}
        assert len(answers) >= 3, "a constant would do well"


RUN = """
import contextlib, io, json, runpy, sys
said = []
for path, name, given in json.load(sys.stdin):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        function = runpy.run_path(path).get(name, lambda: printed.getvalue())
        said.append([])
        for arguments in given:
            try:
                said[-1].append(function(*arguments))
            except Exception as error:
                said[-1].append({"error": type(error).__name__})
print(json.dumps(said, allow_nan=False))
"""


def same(one, other):
    """Whether two JSON values are equal, floats but for the last digits of another C library."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-12) and math.copysign(1, one) == math.copysign(
            1, other
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"level {level.number}")
def test_what_a_case_expects_is_what_python_computes(tmp_path, level):
    programs = [p for p in CORPUS.programs if level_in(p.id) == level.number]
    asked = []
    for program in programs:
        path = tmp_path / f"{program.id}.py"
        path.write_text(program.python, "utf-8")
        given = [case.input for case in program.cases]
        asked.append((str(path), signature_of(program).name, given))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for program, answers in zip(programs, json.loads(done.stdout), strict=True):
        for case, said in zip(program.cases, answers, strict=True):
            assert same(said, case.expected), (program.id, case, said)


SAMPLE = {next(ids) for _, ids in groupby(PROGRAMS, key=level_in)}
"""The first of each level: `make test` builds these, `make test-all` all."""


@needs_rust
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SAMPLE else pytest.mark.heavy)
        for name in PROGRAMS
    ],
)
def test_a_rust_answer_passes_every_case(bench, name):
    program = PROGRAMS[name]
    found = bench.verify(program.rust, rust_of(program).tests)
    assert found.stand is Stand.PASSES, (found.why, found.build_log)
    assert found.ran == len(program.cases)


@needs_rust
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("l02_change", "amount % 25", "amount % 24"),
        ("l05_search", "item < wanted", "item <= wanted"),
        ("l06_account", "left + change < 0", "left + change <= 0"),
        ("l07_robot", "self.facing + 3", "self.facing + 2"),
        ("l09_memory", "memset(start.cast(), fill as c_int, by)", "memset(start.cast(), 0, by)"),
    ],
)
def test_broken_answers_fail(bench, name, right, wrong):
    program, signature = PROGRAMS[name], signature_of(PROGRAMS[name])
    first = literal(program.cases[0].expected, signature.returns)
    if level_in(name) in SCRIPTS:
        first = 'String::from("565 cents:\\n")'
    constant = f"{{ Ok({first}) }}" if signature.may_fail else f"{{ {first} }}"
    broken = [
        with_body(program.rust, signature.name, "{ todo!() }"),
        with_body(program.rust, signature.name, constant),
        program.rust.replace(right, wrong),
    ]
    assert broken[-1] != program.rust
    for answer in broken:
        found = bench.verify(answer, rust_of(program).tests)
        assert found.stand is Stand.TESTS_FAIL, (answer, found)


BRIEF = Limits(wall_s=15, cpu_s=10, memory_mb=2048)
WHOLE = {Fault.TODO, Fault.CONSTANT, Fault.HARD_CODED}


@needs_rust
@pytest.mark.heavy
@pytest.mark.timeout(900)  # a mutant of threads waits for another until its time is over
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"level {level.number}")
def test_the_cases_tell_nearly_every_mutant_from_the_right_answer(bench, level):
    """Some are right by chance: ``x >= 0`` beside ``x > 0`` where nothing comes of 0."""
    of_level = [p for p in CORPUS.programs if level_in(p.id) == level.number]
    found = adequacy(of_level, replace(bench, limits=BRIEF), workers=1)
    for each in found:
        assert each.sound, each.program.id
        told = [t.killed for t in each.tried if t.counts and t.mutant.fault in WHOLE]
        assert all(told), each.program.id
    assert sum(each.killed for each in found) >= 0.85 * sum(each.mutants for each in found)
