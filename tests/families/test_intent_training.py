"""Labels, the draw of groups that a seed stands for, and the linear head."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, Failed, PlanError, PluginError, Question, Sample
from assay.families.intent.encoders.facts import EncoderFacts
from assay.families.intent.heads.calibrating import fit_temperature
from assay.families.intent.heads.card import Card
from assay.families.intent.heads.fitting import ABSENT, LINEAR, Form, fit_head, fit_layers
from assay.families.intent.heads.head import Head
from assay.families.intent.heads.weights import Saved, load, save
from assay.families.intent.labels import Labels, labels_of
from assay.families.intent.lessons import Lessons, check_bag, draw_groups, read_lessons
from assay.families.intent.prompt import prompt_of

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


def _fit(labels, classes, *, seed=0, form=LINEAR):
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, 90)
    x = random.normal(size=(90, 8)) + 2 * np.eye(8)[y]
    best = fit_head(
        labels, train=(x[:60], y[:60]), tune=(x[60:], y[60:]), grid=(0.1, 1.0, 10.0), form=form
    )
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
    plain = Head(labels=labels, weights=fitted.head.weights, bias=fitted.head.bias)
    mine = [list(plain.say(row).scores.values()) for row in x]
    assert np.abs(np.array(mine) - probabilities).max() < 2e-6


FORMS = [
    Form(head=head, calibration=calibration)
    for head in ("linear", "mlp")
    for calibration in ("temperature", "sigmoid", "isotonic", "none")
]


def saved(form=FORMS[0]):
    fitted = _fit(LABELS, 4, form=form)[0]
    encoder = EncoderFacts(name="e", made_by="bert/1", weights="sha256:0", tokenizer="sha256:1")
    card = Card.of(fitted.head, made_by="a test", encoder=encoder, strength=fitted.strength)
    return Saved(head=fitted.head, card=card, seen=np.array([3, 5], dtype=np.uint64))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.head}-{f.calibration}")
def test_a_head_comes_back_equal_from_its_folder(tmp_path, form):
    wanted = saved(form)
    save(wanted, tmp_path)
    back = load(tmp_path)
    assert back.head.labels == wanted.head.labels
    assert (back.head.kind, back.head.calibration.kind) == (form.head, form.calibration)
    assert back.seen.tolist() == [3, 5]
    assert back.card.made_by == "a test"
    rows = np.random.default_rng(1).normal(size=(40, 8)) * 3
    assert [back.head.say(row) for row in rows] == [wanted.head.say(row) for row in rows]


@pytest.mark.parametrize("form", FORMS[:5:4], ids=lambda f: f.head)
def test_equal_heads_are_equal_bytes(tmp_path, form):
    for name in ("one", "two"):
        save(saved(form), tmp_path / name)
    for file in ("head.safetensors", "card.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_seed_draws_the_hidden_layer_and_nothing_of_a_linear_head():
    for head, differs in (("linear", False), ("mlp", True)):
        one, two = (_fit(LABELS, 4, form=Form(head=head, seed=seed))[0].head for seed in (0, 1))
        assert (one.weights != two.weights).any() == differs


def test_a_class_that_a_training_had_no_sample_of_is_never_said():
    random = np.random.default_rng(0)
    y = random.choice([0, 1, 3], 90)
    x = random.normal(size=(90, 8)) + 2 * np.eye(8)[y]
    for head in ("linear", "mlp"):
        fitted = fit_layers(LABELS, x, y, strength=1.0, form=Form(head=head))
        assert fitted.bias[2] == ABSENT
        assert (fitted.logits(x).argmax(axis=1) != 2).all()


def test_a_small_class_is_not_drowned_by_a_large_one():
    """Classes weigh the same: 5 samples beside 500 are still found."""
    random = np.random.default_rng(0)
    y = np.array([0] * 500 + [1] * 5)
    x = random.normal(size=(505, 4)) + 1.2 * np.eye(4)[y]
    labels = Labels(names=("many", "few"))
    for head in ("linear", "mlp"):
        fitted = fit_layers(labels, x, y, strength=1.0, form=Form(head=head))
        assert (fitted.logits(x[500:]).argmax(axis=1) == 1).sum() >= 4


@pytest.mark.parametrize("options", [{"head": "forest"}, {"calibration": "beta"}], ids=str)
def test_a_kind_of_head_that_there_is_not_is_refused(options):
    with pytest.raises(PlanError, match="A102"):
        Form(**options)


def damaged(folder, card):
    (folder / "card.json").write_text(card if isinstance(card, str) else json.dumps(card))
    with pytest.raises(PluginError, match="A403") as caught:
        load(folder)
    return caught.value.what


def test_every_way_in_which_a_folder_is_broken_has_its_own_words(tmp_path):
    save(saved(), tmp_path)
    text = (tmp_path / "card.json").read_text()
    card = json.loads(text)
    said = [
        damaged(tmp_path, text[: len(text) // 2]),
        damaged(tmp_path, ""),
        damaged(tmp_path, "[]"),
        damaged(tmp_path, {}),
        damaged(tmp_path, {**card, "format": "assay.intent.mapper/99"}),
        damaged(tmp_path, {**card, "reasosn": []}),
        damaged(tmp_path, {**card, "labels": "swap"}),
        damaged(tmp_path, {**card, "labels": ["swap"]}),
        damaged(tmp_path, {**card, "head": {**card["head"], "kind": "mlp"}}),
        damaged(tmp_path, {**card, "head": {**card["head"], "features": 9}}),
        damaged(tmp_path, {**card, "calibration": {"kind": "isotonic"}}),
        damaged(tmp_path, {**card, "head": {**card["head"], "digest": "sha256:0"}}),
    ]
    for words, fact in zip(
        said,
        [
            "cut off",
            "cut off",
            "no card",
            "of no format",
            "'assay.intent.mapper/99'",
            "`reasosn`",
            "`$.labels`",
            "layer weights",
            "layer hidden.weights",
            "layer weights",
            "calibration",
            "not the file that card.json names",
        ],
        strict=True,
    ):
        assert fact in words
    (tmp_path / "card.json").write_text(text)
    load(tmp_path)


def test_a_damaged_or_absent_head_is_refused(tmp_path):
    weights, _ = save(saved(), tmp_path)
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(PluginError, match=r"A403[^\n]*card.json names"):
        load(tmp_path)
    weights.unlink()
    with pytest.raises(PluginError, match=r"A403[^\n]*head.safetensors is missing"):
        load(tmp_path)


def test_a_folder_without_a_head_is_refused(tmp_path):
    with pytest.raises(PluginError, match=r"A403[^\n]*card.json is missing"):
        load(tmp_path)
