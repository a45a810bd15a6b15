"""What a number looks like when nobody tries."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, Question, Recipe, Reply, Sample
from assay.core.sample import Json
from assay.engine.plugins import make_recipe
from assay.engine.sound import sound
from assay.families.toy.errands import errands
from assay.store.canon import canonical
from assay.systems.controls import (
    Constant,
    ConstantControl,
    Random,
    RandomControl,
    Silent,
    SilentControl,
)
from assay.testing import check_recipe
from strategies import json_values, questions, samples

ASKED = st.lists(questions(), max_size=8, unique_by=lambda q: q.id)
CONTROLS = (SilentControl(), ConstantControl(), RandomControl())


def build(control: Recipe, train: list[Sample], seed: int = 0) -> Any:
    return control.build(train, [], seed=seed, workdir=Path("/nowhere")).system


@given(asked=ASKED, train=st.lists(samples(), max_size=5), seed=st.integers(0, 9))
def test_a_control_gives_one_sound_reply_to_every_question(
    asked: list[Question], train: list[Sample], seed: int
) -> None:
    for control in CONTROLS:
        replies = list(build(control, train, seed).answer(asked))
        assert [(r.question, r.attempt) for r in replies] == [(q.id, q.attempt) for q in asked]
        assert [sound(reply) for reply in replies] == replies


@given(asked=ASKED)
def test_silence_declines_everything(asked: list[Question]) -> None:
    assert {r.said for r in Silent().answer(asked)} <= {Bottom("silent")}


@given(asked=ASKED, value=json_values())
def test_a_constant_says_the_same_with_full_confidence(asked: list[Question], value: Any) -> None:
    assert all(r.said == Answer(value, 1.0) for r in Constant(value).answer(asked))


@given(train=st.lists(samples(), max_size=8), data=st.data())
def test_the_constant_is_a_most_frequent_answer_whatever_the_order(
    train: list[Sample], data: st.DataObject
) -> None:
    counts = Counter(canonical(s.target.value) for s in train if isinstance(s.target, Answer))
    system = build(ConstantControl(), train)
    shuffled = build(ConstantControl(), data.draw(st.permutations(train)))
    if not counts:
        assert system == shuffled == Silent()
    else:
        assert counts[canonical(system.value)] == max(counts.values())
        assert canonical(system.value) == canonical(shuffled.value)


@given(asked=ASKED, seed=st.integers(0, 99), data=st.data())
def test_a_draw_depends_on_its_question_and_seed_and_nothing_else(
    asked: list[Question], seed: int, data: st.DataObject
) -> None:
    system = Random(("a", "b", "c"), seed)
    together = {r.question: r.said for r in system.answer(asked)}
    shuffled = {r.question: r.said for r in system.answer(data.draw(st.permutations(asked)))}
    alone = {q.id: next(iter(system.answer([q]))).said for q in asked}
    assert together == shuffled == alone


def test_draws_are_even_and_none_is_one_of_them() -> None:
    asked = [Question(id=f"q{i}", input=None) for i in range(4000)]
    replies = [r.said for r in Random(("a", "b", "c"), 3).answer(asked)]
    drawn = Counter(s.value if isinstance(s, Answer) else "none" for s in replies)
    assert set(drawn) == {"a", "b", "c", "none"}
    assert all(900 < count < 1100 for count in drawn.values())
    sure = [s.confidence or 0.0 for s in replies if isinstance(s, Answer)]
    assert 0.45 < sum(sure) / len(sure) < 0.55


def test_questions_of_choices_are_answered_at_chance_whatever_the_lengths() -> None:
    """By totals and by means over characters: a control that cannot answer is one that nobody fails to beat."""
    texts: list[Json] = [" A", " a much longer choice", " three"]
    forms: tuple[dict[str, Json], ...] = (
        {"contexts": ["Q"], "continuations": texts},
        {"contexts": texts, "continuations": [" so"]},
    )
    for form in forms:
        asked = [Question(id=f"q{i}", input=form) for i in range(3000)]
        said = [r.said for r in Random((), 0).answer(asked)]
        answers = [one for one in said if isinstance(one, Answer)]
        assert len(answers) == len(asked)
        for k in range(3):
            first = [one.scores[f"ll:{k}"] == max(_totals(one)) for one in answers]
            by_mean = [
                max(range(3), key=lambda j: _totals(one)[j] / len(str(texts[j]))) == k
                for one in answers
            ]
            assert 900 < sum(first) < 1100
            assert first == by_mean == [one.value == k for one in answers]


def _totals(said: Answer) -> list[float]:
    return [said.scores[f"ll:{k}"] for k in range(3)]


@given(asked=st.lists(st.text()), before=st.lists(json_values(), max_size=3))
def test_what_only_looks_like_a_question_of_choices_gets_a_sound_reply(
    asked: list[str], before: list[Any]
) -> None:
    for form in ({"contexts": before, "continuations": asked}, {"contexts": asked}):
        for reply in Random(("a",), 0).answer([Question(id="q", input=form)]):
            assert sound(reply) == reply


def test_another_seed_draws_otherwise() -> None:
    asked = [Question(id=f"q{i}", input=None) for i in range(50)]
    one, two = ([r.said for r in Random(("a", "b"), seed).answer(asked)] for seed in (0, 1))
    assert one != two


@pytest.mark.parametrize("name", ["silent", "constant", "random"])
def test_a_control_keeps_the_contract_of_recipes(name: str, tmp_path: Path) -> None:
    recipe = make_recipe(f"control.{name}", {}, where="", base=tmp_path)
    check_recipe(recipe, errands(), workdir=tmp_path)


@settings(max_examples=20)
@given(asked=ASKED)
def test_replies_are_made_one_by_one(asked: list[Question]) -> None:
    """So that a million questions need no list of a million replies."""
    for system in (Silent(), Constant(1), Random((1,), 0)):
        replies = system.answer(asked)
        assert not isinstance(replies, list)
        assert all(isinstance(reply, Reply) for reply in replies)
