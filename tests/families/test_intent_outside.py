"""Scores of what is out of scope: what they compute, what confidence they become, how they are judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assay import Answer, Bottom, DataError, PlanError, PluginError, Question
from assay.families.intent.encoders.encoder import Embedded
from assay.families.intent.encoders.facts import EncoderFacts
from assay.families.intent.heads import weights
from assay.families.intent.heads.answering import MapperSystem
from assay.families.intent.heads.card import Card
from assay.families.intent.heads.head import Head
from assay.families.intent.heads.outside import (
    KINDS,
    Energy,
    fit_score,
    restore_score,
)
from assay.families.intent.heads.sureness import fit_sureness, learn_sureness
from assay.families.intent.heads.weights import Saved
from assay.families.intent.labels import Labels
from assay.families.intent.recipes.mapper import Mapper
from assay.families.intent.tasks.outside_metrics import oos_auroc, oos_fpr_at_95tpr

special = pytest.importorskip("scipy.special")
distance = pytest.importorskip("scipy.spatial.distance")

WIDTH, LABELS = 6, 4


def clouds(*, n=40, spread=0.2, seed=0):
    """Embeddings around four corners of a cube, and their labels."""
    random = np.random.default_rng(seed)
    classes = np.repeat(np.arange(LABELS), n)
    scales = np.linspace(0.5, 2.0, WIDTH)  # no direction spreads as another does
    noise = random.normal(size=(len(classes), WIDTH)) * spread * scales
    return np.eye(LABELS, WIDTH)[classes] * 3 + noise, classes


ROWS, CLASSES = clouds()
HEAD = np.eye(LABELS, WIDTH) * 4
finite = st.floats(-50, 50, allow_nan=False)
logit_rows = arrays(np.float64, st.tuples(st.integers(1, 8), st.just(LABELS)), elements=finite)


def fitted(kind):
    return fit_score(kind, rows=ROWS, classes=CLASSES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_like_the_learnt_ones_scores_above_one_that_is_like_none(kind):
    near, _ = clouds(seed=1)
    far = np.random.default_rng(2).normal(size=(200, WIDTH)) * 0.5
    score = fitted(kind)
    inside, outside = score.of(near @ HEAD.T, near), score.of(far @ HEAD.T, far)
    assert np.median(inside) > np.quantile(outside, 0.95)


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_of_a_prompt_does_not_depend_on_its_neighbours(kind):
    score = fitted(kind)
    rows, _ = clouds(seed=3, n=5)
    together = score.of(rows @ HEAD.T, rows)
    alone = [score.of(row[None] @ HEAD.T, row[None])[0] for row in rows]
    np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_made_from_its_arrays_again_is_the_same(kind):
    score = fitted(kind)
    rows, _ = clouds(seed=4, n=3)
    again = restore_score(kind, score.arrays())
    assert np.array_equal(score.of(rows @ HEAD.T, rows), again.of(rows @ HEAD.T, rows))


@given(logit_rows, st.floats(-20, 20))
def test_softmax_forgets_how_much_evidence_there_is_and_energy_does_not(logits, more):
    rows = np.zeros((len(logits), WIDTH))
    softmax, energy, logit = fitted("softmax"), fitted("energy"), fitted("logit")
    np.testing.assert_allclose(softmax.of(logits + more, rows), softmax.of(logits, rows), atol=1e-9)
    np.testing.assert_allclose(
        energy.of(logits + more, rows), energy.of(logits, rows) + more, atol=1e-9
    )
    np.testing.assert_allclose(logit.of(logits + more, rows), logit.of(logits, rows) + more)


@given(logit_rows)
def test_softmax_and_energy_are_what_scipy_computes(logits):
    rows = np.zeros((len(logits), WIDTH))
    np.testing.assert_allclose(
        fitted("energy").of(logits, rows), special.logsumexp(logits, axis=1), atol=1e-9
    )
    np.testing.assert_allclose(
        np.exp(fitted("softmax").of(logits, rows)), special.softmax(logits, axis=1).max(axis=1)
    )


def test_mahalanobis_is_scipys_distance_to_the_nearest_mean():
    asked, _ = clouds(seed=5, n=4)
    means = np.stack([ROWS[k == CLASSES].mean(axis=0) for k in range(LABELS)])
    spread = ROWS - means[CLASSES]
    covariance = spread.T @ spread / len(ROWS)
    sphere = np.trace(covariance) / WIDTH * np.eye(WIDTH)
    inverse = np.linalg.inv(0.7 * covariance + 0.3 * sphere)
    wanted = distance.cdist(asked, means, "mahalanobis", VI=inverse).min(axis=1) ** 2
    score = fit_score("mahalanobis", rows=ROWS, classes=CLASSES, shrinkage=0.3)
    np.testing.assert_allclose(-score.of(asked @ HEAD.T, asked), wanted, rtol=1e-9)


def test_mahalanobis_shrunk_whole_orders_as_the_euclidean_distance_does():
    asked, _ = clouds(seed=6, n=10)
    means = np.stack([ROWS[k == CLASSES].mean(axis=0) for k in range(LABELS)])
    score = fit_score("mahalanobis", rows=ROWS, classes=CLASSES, shrinkage=1.0)
    wanted = distance.cdist(asked, means).min(axis=1)
    assert np.array_equal(np.argsort(-score.of(asked, asked)), np.argsort(wanted))


def test_mahalanobis_holds_with_one_sample_of_each_class():
    score = fit_score("mahalanobis", rows=np.eye(3), classes=np.arange(3))
    assert np.isfinite(score.of(np.zeros((1, 3)), np.ones((1, 3)))).all()


def test_relative_takes_off_the_distance_to_everything():
    asked, _ = clouds(seed=7, n=3)
    near = fitted("mahalanobis").of(asked, asked)
    far = fit_score("mahalanobis", rows=ROWS, classes=np.zeros_like(CLASSES)).of(asked, asked)
    np.testing.assert_allclose(fitted("relative").of(asked, asked), near - far)


def test_knn_is_the_mean_of_the_largest_cosines():
    asked, _ = clouds(seed=8, n=3)
    cosines = np.sort(1 - distance.cdist(asked, ROWS, "cosine"), axis=1)
    score = fit_score("knn", rows=ROWS, classes=CLASSES, k=7)
    np.testing.assert_allclose(score.of(asked, asked), cosines[:, -7:].mean(axis=1))


def test_knn_with_fewer_prompts_than_neighbours_looks_at_all():
    score = fit_score("knn", rows=np.eye(3), classes=np.arange(3), k=10)
    assert score.of(np.zeros((1, 3)), np.eye(3)[:1]) == pytest.approx(1 / 3)


def test_an_embedding_of_zeros_is_near_nothing():
    score = fitted("knn")
    assert score.of(np.zeros((1, LABELS)), np.zeros((1, WIDTH)))[0] == 0.0


pairs = st.lists(st.tuples(st.floats(-100, 100), st.booleans()), min_size=1, max_size=40)


@given(pairs, st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=10))
def test_confidence_is_a_probability_and_never_turns_the_order_round(seen, asked):
    scores, right = np.array([s for s, _ in seen]), np.array([r for _, r in seen])
    sure = fit_sureness("energy", Energy(), scores=scores, right=right)
    logits = np.sort(asked)[:, None]
    found = sure.confidence(logits, np.zeros((len(asked), 1)))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


def test_confidence_is_the_share_that_is_right_where_the_curve_is_the_truth():
    random = np.random.default_rng(9)
    scores = random.normal(size=20_000) * 3
    right = random.random(20_000) < special.expit(0.8 * scores + 1)
    sure = fit_sureness("energy", Energy(), scores=scores, right=right)
    assert sure.slope == pytest.approx(0.8, abs=0.05)
    assert sure.offset == pytest.approx(1.0, abs=0.1)


def test_where_every_answer_was_right_nothing_is_certain():
    sure = fit_sureness("energy", Energy(), scores=np.arange(8.0), right=np.ones(8, dtype=bool))
    found = sure.confidence(np.array([[0.0], [7.0]]), np.zeros((2, 1)))
    assert (found > 0.5).all()
    assert (found < 1).all()


def test_a_score_that_falls_with_being_right_says_nothing():
    scores = np.arange(10.0)
    sure = fit_sureness("energy", Energy(), scores=scores, right=scores < 5)
    assert sure.slope == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"kind": "energie"}, "A102"),
        ({"kind": "mahalanobis", "shrinkage": 0.0}, "A102"),
        ({"kind": "knn", "k": 0}, "A102"),
    ],
)
def test_a_score_that_there_is_not_is_refused(options, code):
    kind = options.pop("kind")
    with pytest.raises(PlanError) as caught:
        fit_score(kind, rows=ROWS, classes=CLASSES, **options)
    assert caught.value.code == code


def test_without_samples_there_is_nothing_to_be_far_from():
    with pytest.raises(DataError):
        fit_score("knn", rows=np.zeros((0, 2)), classes=np.zeros(0, dtype=np.int64))
    with pytest.raises(DataError):
        fit_sureness("energy", Energy(), scores=np.array([np.nan]), right=np.array([True]))


# --- the metrics


def columns(sure, no_answer, *, said="answered", failed=None):
    n = len(sure)
    outside = np.asarray(no_answer, dtype=float)
    failures = np.zeros(n) if failed is None else np.asarray(failed, dtype=float)
    held = 1.0 - failures
    answered = said == "answered"
    zeros = np.zeros(n)
    return {
        "correct": (1 - outside) * held if answered else zeros,
        "invented": outside * held if answered else zeros,
        "withheld": zeros if answered else (1 - outside) * held,
        "declined": zeros if answered else outside * held,
        "wrong": zeros,
        "failed": failures,
        "asked": np.ones(n),
        "no_answer": outside,
        "confidence": np.asarray(sure, dtype=float),
    }


sureness = st.sampled_from([0.1, 0.2, 0.5, 0.9, 1.0])
asked_rows = st.lists(
    st.tuples(sureness, st.booleans(), st.integers(0, 3)), min_size=2, max_size=30
)


def value(metric, found, weights):
    return metric.form.of(found, np.asarray(weights, dtype=float))


@given(asked_rows)
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows):
    sure, outside, weights = map(np.array, zip(*rows, strict=True))
    inside = np.repeat(sure, weights)[~np.repeat(outside, weights)]
    other = np.repeat(sure, weights)[np.repeat(outside, weights)]
    found = value(oos_auroc, columns(sure, outside), weights)
    if not len(inside) or not len(other):
        assert found is None
    else:
        above = (inside[:, None] > other[None]) + 0.5 * (inside[:, None] == other[None])
        assert found == pytest.approx(above.mean())


@given(asked_rows)
def test_false_positives_are_counted_at_the_strictest_threshold_that_keeps_95_percent(rows):
    sure, outside, weights = map(np.array, zip(*rows, strict=True))
    inside = np.repeat(sure, weights)[~np.repeat(outside, weights)]
    other = np.repeat(sure, weights)[np.repeat(outside, weights)]
    found = value(oos_fpr_at_95tpr, columns(sure, outside), weights)
    if not len(inside) or not len(other):
        assert found is None
    else:
        passing = [t for t in np.unique(sure) if (inside >= t).mean() >= 0.95 - 1e-12]
        assert found == pytest.approx((other >= max(passing)).mean())


def test_a_confidence_that_knows_has_area_one_and_lets_nothing_pass():
    found = columns([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1])
    assert value(oos_auroc, found, np.ones(4)) == 1.0
    assert value(oos_fpr_at_95tpr, found, np.ones(4)) == 0.0


def test_a_constant_confidence_knows_nothing():
    found = columns([0.5] * 6, [0, 0, 0, 1, 1, 1])
    assert value(oos_auroc, found, np.ones(6)) == 0.5
    assert value(oos_fpr_at_95tpr, found, np.ones(6)) == 1.0


def test_a_failure_counts_against_the_system_on_either_side():
    best = columns([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1])
    whole = value(oos_auroc, best, np.ones(4))
    for place in range(4):
        failed = np.arange(4) == place
        worse = columns([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], failed=failed)
        assert value(oos_auroc, worse, np.ones(4)) == whole - 0.5


def test_a_decline_without_a_proposal_is_less_sure_than_any_answer():
    declined, answered = (columns([np.nan], [1], said=said) for said in ("declined", "answered"))
    known = columns([0.001], [0])
    for found, wanted in ((declined, 1.0), (answered, 0.0)):
        both = {name: np.concatenate([known[name], found[name]]) for name in known}
        assert value(oos_auroc, both, np.ones(2)) == wanted


def test_what_was_not_asked_is_not_counted():
    found = columns([0.9, 0.1, 0.95], [0, 1, 1])
    found["asked"] = np.array([1.0, 1.0, 0.0])
    assert value(oos_auroc, found, np.ones(3)) == 1.0


# --- in the mapper


class Spelled:
    """An encoder whose texts are their own embeddings: ``"1 0 2"``."""

    def embed(self, texts):
        for place, text in enumerate(texts):
            yield Embedded(place, np.array(text.split(), dtype=np.float32), 0.0)


NAMED = Labels(names=tuple("abcd"), reasons=("out_of_scope",))
LINEAR = Head(
    labels=NAMED,
    weights=np.concatenate([HEAD, -HEAD.sum(axis=0, keepdims=True)]),
    bias=np.array([0.0, 0.0, 0.0, 0.0, -1.0]),
).storable()
HELD_OUT = clouds(seed=11, n=6)
ASKED = [" ".join(map(str, row.round(3))) for row in (*HELD_OUT[0], *-HELD_OUT[0][:5])]


def sureness_of(kind):
    far = np.random.default_rng(12).normal(size=(12, WIDTH)) * 0.3
    tune = np.concatenate([HELD_OUT[0], far])
    classes = np.concatenate([HELD_OUT[1], np.full(12, LABELS)])
    return learn_sureness(kind, LINEAR, train=(ROWS, CLASSES), tune=(tune, classes))


def said_by(system):
    questions = [Question(id=str(k), input=text) for k, text in enumerate(ASKED)]
    found = {reply.question: reply.said for reply in system.answer(questions)}
    return [found[question.id] for question in questions]


def proposal(said):
    return said if isinstance(said, Answer) else said.proposal


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_changes_how_sure_a_mapper_is_and_nothing_that_it_decides(kind):
    plain = said_by(MapperSystem(embeds=Spelled(), head=LINEAR))
    sure = said_by(MapperSystem(embeds=Spelled(), head=LINEAR, outside=sureness_of(kind)))
    assert {type(s) for s in plain} == {Answer, Bottom}
    assert [type(s) for s in sure] == [type(s) for s in plain]
    assert [proposal(s).value for s in sure] == [proposal(s).value for s in plain]
    assert [proposal(s).scores for s in sure] == [proposal(s).scores for s in plain]
    assert [proposal(s).confidence for s in sure] != [proposal(s).confidence for s in plain]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mapper_read_back_is_as_sure_as_the_one_that_was_saved(kind, tmp_path):
    pytest.importorskip("safetensors")
    facts = EncoderFacts(name="spelled", made_by="test", weights="w", tokenizer="t")
    card = Card.of(LINEAR, made_by="test", encoder=facts, strength=1.0)
    saved = Saved(head=LINEAR, card=card, outside=sureness_of(kind))
    weights.save(saved, tmp_path)
    again = weights.load(tmp_path)
    before, after = (
        said_by(MapperSystem(embeds=Spelled(), head=each.head, outside=each.outside))
        for each in (saved, again)
    )
    assert before == after


def test_a_card_that_names_a_score_whose_arrays_are_gone_is_refused(tmp_path):
    pytest.importorskip("safetensors")
    facts = EncoderFacts(name="spelled", made_by="test", weights="w", tokenizer="t")
    card = Card.of(LINEAR, made_by="test", encoder=facts, strength=1.0)
    energy = sureness_of("energy")
    weights.save(Saved(head=LINEAR, card=card, outside=energy), tmp_path)
    path = tmp_path / "card.json"
    path.write_text(path.read_text().replace('"energy"', '"mahalanobis"'))
    with pytest.raises(PluginError, match=r"outside\.whitener is missing"):
        weights.load(tmp_path)


def test_a_mapper_that_rejects_by_nothing_known_is_refused():
    with pytest.raises(PlanError) as caught:
        Mapper(reject="entropy")
    assert caught.value.code == "A102"
