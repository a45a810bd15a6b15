"""Systems that ask again while a compiler or the public tests object, and numbers by turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay import Answer, Bottom, Crash, Failed, PlanError, Question, Reply, Sample
from assay.engine.plugins import make_recipe
from assay.families.transpile.recipes.loop import Loop, Step
from assay.families.transpile.recipes.mending import Escalate, Repair, Retry, Warm
from assay.families.transpile.rust.verify import Workbench
from assay.families.transpile.tasks.py2rs import py2rs
from assay.families.transpile.tasks.verifier import RustTests
from assay.publish.running import run
from assay.recipes import Inner
from runs import write_plan
from rust_here import needs_rust

LEARNER = Inner(use="awkward.learner")
TESTS = "#[test] fn adds() { assert_eq!(add(2, 3), 5); }"
ASKED = {"python_code": "def add(a: int, b: int) -> int: return a + b", "public_tests": TESTS}


def built(recipe: Repair | Retry | Warm | Escalate) -> Loop:
    system = recipe.build([], [], seed=0, workdir=Path()).system
    assert isinstance(system, Loop)
    return system


def one(system: Loop, **asked: str) -> Reply:
    [reply] = system.answer([Question(id="q", input=ASKED | asked)])
    return reply


def bodies(reply: Reply) -> list[str]:
    said = (*reply.earlier, reply.said)
    return [x.value.partition("{ ")[2].partition(" }")[0] for x in said if isinstance(x, Answer)]


@needs_rust
@pytest.mark.slow
def test_what_the_compiler_and_a_test_said_is_shown_and_mended(plugins: None) -> None:
    reply = one(built(Repair(ask=LEARNER, turns=4)))
    assert bodies(reply) == ["a +", "a - b", "a + b"]
    assert "does not compile" in reply.evidence["turn 1: feedback"]
    assert "adds" in reply.evidence["turn 2: feedback"]
    assert "turn 3: feedback" not in reply.evidence
    assert "does not compile" in reply.evidence["turn 2: prompt"]
    assert (reply.usage.calls, reply.usage.tokens_in, reply.usage.tokens_out) == (3, 30, 15)


@needs_rust
@pytest.mark.slow
def test_after_the_last_turn_the_answer_is_handed_over_as_it_is(plugins: None) -> None:
    assert bodies(one(built(Repair(ask=LEARNER, turns=2)))) == ["a +", "a - b"]
    assert bodies(one(built(Repair(ask=LEARNER, turns=1)))) == ["a +"]


@needs_rust
@pytest.mark.slow
def test_without_public_tests_what_compiles_stands(plugins: None) -> None:
    assert bodies(one(built(Repair(ask=LEARNER)), public_tests="")) == ["a +", "a - b"]


@needs_rust
@pytest.mark.slow
def test_a_retry_is_told_nothing_and_draws_anew(plugins: None) -> None:
    drawing = Inner(use="awkward.learner", options={"temperature": 0.4})
    reply = one(built(Retry(ask=drawing, turns=3)))
    assert bodies(reply) == ["a +", "a +", "a + b"]
    assert "so_far" not in reply.evidence["turn 3: prompt"]


@needs_rust
@pytest.mark.slow
def test_warming_asks_again_at_a_higher_temperature(plugins: None) -> None:
    assert bodies(one(built(Warm(ask=LEARNER, temperatures=(0.0, 0.2, 0.9))))) == [
        "a +",
        "a +",
        "a + b",
    ]


@needs_rust
@pytest.mark.slow
def test_what_one_declines_is_handed_on_to_the_next(plugins: None) -> None:
    hot = Inner(use="awkward.learner", options={"temperature": 0.9})
    reply = one(built(Escalate(ask=(Inner(use="control.silent"), LEARNER, hot))))
    assert reply.earlier[0] == Bottom("silent")
    assert bodies(reply) == ["a +", "a + b"]
    told = one(built(Escalate(ask=(LEARNER, LEARNER), shown=True)))
    assert bodies(told) == ["a +", "a - b"]


@dataclass
class Saying:
    """Says one thing."""

    said: Answer | Bottom | Failed | Crash

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        for question in questions:
            yield Reply(question.id, self.said, attempt=question.attempt)


@dataclass
class Mute:
    """Never replies."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        yield from ()


@needs_rust
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (Crash("endpoint"), 0),
        (Failed("timeout"), 2),
        (Bottom("content_filter"), 2),
        (Answer("I cannot do that."), 2),
        (Answer(7), 2),
    ],
)
def test_what_is_no_answer_is_what_it_is_in_the_end(said: Answer, kept: int) -> None:
    loop = Loop(steps=(Step(system=Saying(said), shown=True),) * 3, bench=Workbench.of(20))
    reply = one(loop)
    assert reply.said == said
    assert len(reply.earlier) == kept


@needs_rust
def test_a_system_without_a_reply_has_failed() -> None:
    loop = Loop(steps=(Step(system=Mute(), shown=True),), bench=Workbench.of(20))
    assert one(loop).said == Failed("no_reply")
    [reply] = loop.answer([Question(id="q", input="text", attempt=4)])
    assert (reply.said, reply.attempt) == (Failed("no_program"), 4)


@pytest.mark.parametrize(
    ("use", "options", "code", "says"),
    [
        ("transpile.repair", {"ask": {"use": "control.silent"}, "turns": 0}, "A102", "turns"),
        ("transpile.repair", {"ask": {"use": "control.silnet"}}, "A103", "control.silent"),
        ("transpile.repair", {}, "A100", "ask"),
        ("transpile.retry", {"ask": {"use": "control.silent"}}, "A104", "does not draw"),
        ("transpile.warm", {"ask": {"use": "control.silent"}}, "A101", "temperature"),
        (
            "transpile.warm",
            {"ask": {"use": "awkward.learner"}, "temperatures": [0.5, 0.1]},
            "A102",
            "rise",
        ),
        (
            "transpile.warm",
            {"ask": {"use": "awkward.learner"}, "temperatures": [0.5]},
            "A102",
            "two",
        ),
        ("transpile.escalate", {"ask": [{"use": "control.silent"}]}, "A102", "two"),
        ("transpile.escalate", {"ask": {"use": "control.silent"}}, "A102", "ask"),
        ("transpile.repair", {"ask": {"use": "control.silent"}, "timeout": 0}, "A102", "timeout"),
    ],
)
def test_options_that_make_no_sense_are_refused(plugins: None, use, options, code, says) -> None:
    with pytest.raises(PlanError) as caught:
        make_recipe(use, options, where="systems[0]", base=Path())
    assert caught.value.code == code
    assert says in str(caught.value)


@needs_rust
@pytest.mark.slow
def test_each_turn_is_verified_with_the_hidden_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    hidden = "#[test] fn adds() { assert_eq!(add(2, 2), 4); assert_eq!(add(2, 3), 5); }"
    sample = Sample(id="q", input=ASKED, target=Answer({"rust": None, "tests": hidden}))
    code = "pub fn add(a: i64, b: i64) -> i64 {{ {} }}".format
    turns = tuple(map(Answer, (code("a +"), code("a * b"), code("a + b"))))
    replies = [
        Reply("q", turns[2], earlier=turns[:2]),
        Reply("q", turns[1], earlier=(Failed("timeout"), turns[2])),
        Reply("q", turns[2]),
    ]
    found = list(RustTests().check([(sample, reply) for reply in replies]))
    assert [check.passed for check in found] == [True, False, True]
    by_turn = [[check.scores[f"right_by_turn_{t}"] for t in (1, 2, 3, 5)] for check in found]
    assert by_turn == [[0, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1]]
    assert [check.scores["turns"] for check in found] == [3, 3, 1]


def test_a_public_test_is_one_of_several_and_the_target_never_is_in_the_question() -> None:
    samples = {s.id: s for s in py2rs().samples("test")}
    shown = {name: s.input["public_tests"].count("#[test]") for name, s in samples.items()}
    assert set(shown.values()) == {0, 1}
    for sample in samples.values():
        tests = sample.target.value["tests"]
        assert tests.count("#[test]") > shown[sample.id]
        for case in tests.split("#[test]")[1 + shown[sample.id] :]:
            assert case.strip() not in json.dumps(sample.input)
    assert all(not s.input["public_tests"] for s in py2rs(public=0).samples("test"))


def test_templates_of_the_task_become_the_prompt() -> None:
    task = py2rs(system="You port Python.", user="Port:\n{python_code}\n{signature}")
    asked = task.samples("test")[0].input
    assert asked["system"] == "You port Python."
    assert asked["prompt"] == f"Port:\n{asked['python_code']}\n{asked['signature']}"
    with pytest.raises(PlanError, match="python_code"):
        py2rs(user="{pyhton_code}")
    with pytest.raises(PlanError, match="public"):
        py2rs(public=-1)


PLAN = """
    name: mending
    tasks: [{use: transpile.py2rs, options: {path: corpus.jsonl}}]
    timing: {processes: 1, blocks: 1, questions: 1}
    systems:
      - {name: learner, use: awkward.learner}
      - {name: repaired, use: transpile.repair, options: {ask: {use: awkward.learner}, turns: 4}}
"""


@needs_rust
@pytest.mark.slow
def test_a_plan_tells_by_which_turn_a_system_is_right(
    plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    rows = [
        {
            "id": f"{kind}{n}",
            "python_code": f"def add(a: int, b: int) -> int:\n    {loop}return a + b  # {n}\n",
            "test_cases": [
                {"input": [n, 3], "expected": n + 3},
                {"input": [9, n + 1], "expected": n + 10},
            ],
        }
        for kind, loop in (("plain", ""), ("loop", "for _ in range(a): pass\n    "))
        for n in range(4)
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = run(write_plan(tmp_path, PLAN), out=tmp_path / "run")
    at = {n: found.estimate(f"pass_by_turn_{n}", system="repaired").value for n in (1, 2, 3, 5)}
    assert at == {1: 0, 2: 0, 3: 1, 5: 1}
    assert found.estimate("accuracy", system="repaired").value == 1
    assert found.estimate("accuracy", system="learner").value == 0
    [first, *_] = found.read("repaired")
    assert [type(turn) for turn in first[1].earlier] == [Answer, Answer]
