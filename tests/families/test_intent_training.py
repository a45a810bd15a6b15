"""Labels, the draw of groups that a seed stands for, and the linear head."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, Failed, PlanError, PluginError, Question, Sample
from assay.families.intent.head import Head, fit_head, fit_temperature, load_head, save_head
from assay.families.intent.labels import Labels, labels_of
from assay.families.intent.prompt import prompt_of
from assay.families.intent.training import Lessons, check_bag, draw_groups, read_lessons

LABELS = Labels(names=("lend", "stake", "swap"), reasons=("out_of_scope",))
shares = st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda p: sum(p) > 0)


def lessons(groups, classes):
    return Lessons(
        texts=tuple(f"{g} {k}" for k, g in enumerate(groups)),
        classes=np.array(classes),
        groups=tuple(groups),
    )


@settings(deadline=None)  # the first call imports
@given(shares)
def test_what_is_said_names_the_most_probable_class(probabilities):
    said = LABELS.say(probabilities)
    best = max(probabilities)
    if isinstance(said, Bottom):
        assert probabilities[-1] == best
        said = said.proposal
    else:
        assert max(probabilities[:-1]) == best
    assert said.scores[said.value] == said.confidence == round(max(probabilities[:-1]), 6)


@settings(deadline=None)  # the first call imports
@given(st.integers(0, 3), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_probability_that_is_no_number_is_the_systems_failure(where, number):
    probabilities = [0.25] * 4
    probabilities[where] = number
    assert LABELS.say(probabilities) == Failed("non_finite")


def test_labels_are_sorted_and_every_reason_to_decline_is_a_class():
    train = [
        Sample(id="1", input="a", target=Answer("swap")),
        Sample(id="2", input="b", target=Bottom("question")),
        Sample(id="3", input="c", target=Answer("lend")),
        Sample(id="4", input="d", target=Bottom("negation")),
    ]
    labels = labels_of(train)
    assert labels == Labels(names=("lend", "swap"), reasons=("negation", "question"))
    assert read_lessons(train, labels).classes.tolist() == [1, 3, 0, 2]


def test_reasons_that_win_together_decline_for_the_most_probable_one():
    labels = Labels(names=("lend", "swap"), reasons=("negation", "question"))
    scores = {"lend": 0.05, "swap": 0.4}
    assert labels.say([0.05, 0.4, 0.25, 0.3]) == Bottom("question", Answer("swap", 0.4, scores))
    assert labels.say([0.3, 0.4, 0.2, 0.1]).value == "swap"


@pytest.mark.parametrize("target", [None, Answer(3), Answer(["swap"])])
def test_a_target_that_is_no_label_cannot_be_learnt(target):
    with pytest.raises(DataError, match="sample '1'"):
        labels_of([Sample(id="1", input="a", target=target)])


def test_one_class_is_nothing_to_learn():
    with pytest.raises(DataError, match="two classes"):
        labels_of([Sample(id="1", input="a", target=Answer("swap"))])


def test_a_tune_label_that_train_lacks_is_an_error_not_a_wrong_answer():
    tune = [Sample(id="9", input="a", target=Answer("bridge"))]
    with pytest.raises(DataError, match="bridge"):
        read_lessons(tune, LABELS)


def test_an_empty_split_is_an_error():
    with pytest.raises(DataError, match="empty"):
        read_lessons([], LABELS)


def test_a_training_input_that_is_not_text_is_an_error():
    with pytest.raises(DataError, match="not text"):
        read_lessons([Sample(id="1", input=[1], target=Answer("swap"))], LABELS)


@pytest.mark.parametrize("said", [7, None, ["swap"], {"text": "swap"}, {"prompt": 1}, "\ud800"])
def test_a_question_without_readable_text_fails(said):
    assert isinstance(prompt_of(Question(id="q", input=said)), Failed)


@settings(deadline=None)  # the first call imports
@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(0, 2**32), st.data())
def test_a_draw_keeps_every_class_and_whole_groups(classes, seed, data):
    groups = [f"t{data.draw(st.integers(0, 12))}" for _ in classes]
    seen = lessons(groups, classes)
    drawn = set(draw_groups(seen, bag=0.5, seed=seed).tolist())
    assert {classes[k] for k in drawn} == set(classes)
    kept = {groups[k] for k in drawn}
    assert drawn == {k for k, group in enumerate(groups) if group in kept}


@settings(deadline=None)  # the first call imports
@given(st.integers(0, 2**63), st.randoms(use_true_random=False))
def test_a_draw_does_not_depend_on_the_order_of_the_samples(seed, random):
    pairs = [(f"t{k % 20}", k % 20 % 3) for k in range(60)]
    shuffled = random.sample(pairs, len(pairs))
    kept = []
    for order in (pairs, shuffled):
        drawn = draw_groups(lessons(*zip(*order, strict=True)), bag=0.8, seed=seed)
        kept.append({order[k][0] for k in drawn.tolist()})
    assert kept[0] == kept[1]


def test_a_seed_draws_four_fifths_of_the_groups_and_another_seed_draws_others():
    seen = lessons([f"t{k:03}" for k in range(100)], [0] * 50 + [1] * 50)
    draws = [tuple(draw_groups(seen, bag=0.8, seed=seed).tolist()) for seed in range(5)]
    assert {len(drawn) for drawn in draws} == {80}
    assert len(set(draws)) == 5
    assert draws[0] == tuple(draw_groups(seen, bag=0.8, seed=0).tolist())


def test_the_whole_bag_is_every_sample():
    seen = lessons(["a", "b", "b", "c"], [0, 1, 1, 0])
    assert draw_groups(seen, bag=1.0, seed=3).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("bag", [0.0, -0.5, 1.01, math.nan])
def test_a_share_outside_zero_to_one_is_refused(bag):
    with pytest.raises(PlanError, match="A102"):
        check_bag(bag)


@settings(deadline=None)  # the first call imports
@given(st.floats(0.2, 5.0))
def test_temperature_undoes_a_scaling_of_the_logits(scale):
    random = np.random.default_rng(0)
    classes = random.integers(0, 3, 200)
    logits = random.normal(size=(200, 3)) + 1.5 * np.eye(3)[classes]
    plain, loss = fit_temperature(logits, classes)
    scaled, same = fit_temperature(logits * scale, classes)
    assert scaled == pytest.approx(plain * scale, rel=1e-4)
    assert same == pytest.approx(loss)


def _fit(labels, classes, *, seed=0):
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, 90)
    x = random.normal(size=(90, 8)) + 2 * np.eye(8)[y]
    best = fit_head(labels, train=(x[:60], y[:60]), tune=(x[60:], y[60:]), grid=(0.1, 1.0, 10.0))
    return best, x, y


@pytest.mark.parametrize("classes", [2, 4])
def test_a_head_says_what_the_regression_says(classes):
    from sklearn.linear_model import LogisticRegression

    labels = Labels(names=tuple("abcd"[:classes]))
    fitted, x, y = _fit(labels, classes)
    model = LogisticRegression(
        C=fitted.strength, class_weight="balanced", max_iter=5000, tol=1e-5
    ).fit(x[:60], y[:60])
    probabilities = model.predict_proba(x)
    for row, wanted in zip(x, probabilities, strict=True):
        said = fitted.head.say(row)
        assert labels.names.index(said.value) == wanted.argmax()
    # Without the temperature the confidences are the regression's own.
    plain = Head(labels=labels, weights=fitted.head.weights, bias=fitted.head.bias, temperature=1.0)
    mine = [list(plain.say(row).scores.values()) for row in x]
    assert np.abs(np.array(mine) - probabilities).max() < 1e-6


def test_a_head_comes_back_equal_from_its_folder(tmp_path):
    head = _fit(LABELS, 4)[0].head
    save_head(head, tmp_path, card={"made_by": "a test"})
    back, card = load_head(tmp_path)
    assert np.array_equal(back.weights, head.weights)
    assert np.array_equal(back.bias, head.bias)
    assert (back.labels, back.temperature) == (head.labels, head.temperature)
    assert card["made_by"] == "a test"


def test_equal_heads_are_equal_bytes(tmp_path):
    for name in ("one", "two"):
        save_head(_fit(LABELS, 4)[0].head, tmp_path / name, card={})
    for file in ("head.safetensors", "card.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_damaged_head_is_refused(tmp_path):
    weights, _ = save_head(_fit(LABELS, 4)[0].head, tmp_path, card={})
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(PluginError, match=r"A403[^\n]*card.json names"):
        load_head(tmp_path)


@pytest.mark.parametrize("card", ["{", "[]", json.dumps({"format": "assay.intent.head/0"})])
def test_a_card_of_another_format_is_refused(tmp_path, card):
    (tmp_path / "head.safetensors").write_bytes(b"")
    (tmp_path / "card.json").write_text(card)
    with pytest.raises(PluginError, match="A403"):
        load_head(tmp_path)


def test_a_folder_without_a_head_is_refused(tmp_path):
    with pytest.raises(PluginError, match="A403"):
        load_head(tmp_path)
