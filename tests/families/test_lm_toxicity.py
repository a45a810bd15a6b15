"""Toxic continuations: a classifier with measured errors, which are taken off and kept in the interval."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Better, DataError, Metric, PlanError, Reply, run
from assay.families.lm.safety.classifier import (
    Classifier,
    errs_on,
    features,
    is_held_out,
    learn,
    learnt,
    read,
    write,
)
from assay.families.lm.safety.erring import Counted, Errs, corrected
from assay.families.lm.safety.texts import Text, read_texts
from assay.families.lm.safety.toxicity import toxicity
from assay.stats.bootstrap import counts, resample_statistic
from assay.stats.inference import Undefined
from assay.testing import check_task

DATA = Path(os.environ.get("ASSAY_DATA") or Path(__file__).parents[3] / "shared" / "data")
DAVIDSON = DATA / "davidson_hate" / "davidson_hate.jsonl.gz"
HATECHECK = DATA / "hatecheck" / "hatecheck.jsonl.gz"

VILE = ("vermin", "scum", "filth", "trash")
KIND = ("friend", "dear", "neighbour", "guest")


def labelled_rows(n: int = 200) -> list[dict[str, object]]:
    return [
        {"text": f"you are {word} no {k} in town {k % 7}", "toxic": word in VILE}
        for k in range(n)
        for word in ((VILE + KIND)[k % 8],)
    ]


def written(folder: Path, name: str, rows: list[dict[str, object]]) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    written(tmp_path, "texts.jsonl", labelled_rows())
    written(tmp_path, "prompts.jsonl", [{"prompt": f"You there, no. {k}:"} for k in range(6)])
    return tmp_path


# --- errors taken off -----------------------------------------------------------------------

COUNTED = Counted(
    name="toxic",
    says="",
    flagged=lambda columns: columns["flagged"],
    read=lambda columns: columns["read"],
    columns=(),
)


def metric(errs: Errs) -> Metric:
    return corrected(COUNTED, errs, better=Better.LOWER)


def known(flagged: int, of: int) -> dict[str, np.ndarray]:
    return {"flagged": (np.arange(of) < flagged).astype(float), "read": np.ones(of)}


@given(st.floats(0, 1), st.integers(60, 100), st.integers(0, 40))
def test_the_share_of_positives_comes_back_from_what_a_classifier_flags(share, found, wrong):
    errs = Errs(found=found, positives=100, flagged_wrongly=wrong, negatives=100)
    seen = share * found / 100 + (1 - share) * wrong / 100
    columns = {"flagged": np.array([seen]), "read": np.ones(1)}
    assert metric(errs).form.of(columns, np.ones(1)) == pytest.approx(share, abs=1e-9)


def test_a_classifier_that_tells_nothing_apart_gives_no_number():
    for found, wrong in ((50, 50), (30, 60), (0, 0)):
        form = metric(Errs(found=found, positives=100, flagged_wrongly=wrong, negatives=100)).form
        assert form.of(known(10, 40), np.ones(40)) is None
        many = form.prepare(known(10, 40), np.arange(40))
        assert np.isnan(many(np.ones((5, 40), dtype=np.int16))).all()


def test_nothing_read_is_no_number():
    form = metric(Errs(found=90, positives=100, flagged_wrongly=5, negatives=100)).form
    assert form.of({"flagged": np.zeros(3), "read": np.zeros(3)}, np.ones(3)) is None


def test_many_resamples_at_once_do_not_depend_on_how_they_are_cut():
    form = metric(Errs(found=90, positives=100, flagged_wrongly=5, negatives=100)).form
    drawn = counts(40, resamples=64, rng=np.random.default_rng(0))
    many = form.prepare(known(10, 40), np.arange(40))
    whole = many(drawn)
    assert np.array_equal(whole, np.concatenate([many(drawn[:10]), many(drawn[10:])]))
    assert np.ptp(whole) > 0


def covered(errs_of: int, *, carried: bool, runs: int = 200) -> float:
    """Return how often the interval holds the true share of 0.3, from 400 texts."""
    rng = np.random.Generator(np.random.PCG64(11))
    recall, false, share, n = 0.85, 0.1, 0.3, 400
    held = 0
    for _ in range(runs):
        found = int(rng.binomial(errs_of, recall))
        wrong = int(rng.binomial(errs_of, false))
        scale = 1 if carried else 10**6  # the same rates, as if they were known exactly
        errs = Errs(
            found=found * scale,
            positives=errs_of * scale,
            flagged_wrongly=wrong * scale,
            negatives=errs_of * scale,
        )
        form = metric(errs).form
        flagged = rng.binomial(n, share * recall + (1 - share) * false)
        columns = known(int(flagged), n)
        drawn = counts(n, resamples=300, rng=rng)
        many = form.prepare(columns, np.arange(n))
        inference = resample_statistic(
            form.of, columns, groups=np.arange(n), drawn=drawn, many=many
        )
        assert not isinstance(inference, Undefined)
        low, high = inference.interval()
        held += low <= share <= high
    return held / runs


@pytest.mark.slow
def test_intervals_hold_the_truth_because_the_errors_of_the_classifier_are_in_them():
    assert covered(50, carried=True) >= 0.92
    # The same without them: what the correction would claim if its rates were known.
    assert covered(50, carried=False) <= 0.85


# --- the classifier -------------------------------------------------------------------------


@given(st.text(max_size=80))
def test_any_text_has_features_and_case_changes_none(text):
    assert features(text) == features(text.upper().lower()) or text != text.upper().lower()
    assert is_held_out(text) in (True, False)


def test_weights_are_those_of_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    vectors = pytest.importorskip("sklearn.feature_extraction.text")
    texts = [Text(text=str(r["text"]), toxic=bool(r["toxic"])) for r in labelled_rows()]
    ours = learn(texts)
    made = vectors.TfidfVectorizer(
        tokenizer=lambda text: list(features(text).elements()),
        token_pattern=None,
        lowercase=False,
        sublinear_tf=True,
        min_df=5,
    )
    table = made.fit_transform([text.text for text in texts])
    fitted = linear.LogisticRegression(class_weight="balanced", tol=1e-8, max_iter=1000)
    fitted.fit(table, [text.toxic for text in texts])
    theirs = fitted.predict_proba(table)[:, 1]
    mine = [ours.probability(text.text) for text in texts]
    assert np.allclose(mine, theirs, atol=2e-3)


def test_what_is_written_is_read_and_nothing_else_is(tmp_path):
    classifier = learn([Text(text=str(r["text"]), toxic=bool(r["toxic"])) for r in labelled_rows()])
    file = io.BytesIO()
    write(classifier, file)
    path = tmp_path / "c.json"
    path.write_bytes(file.getvalue())
    assert read(path) == classifier
    for bad in (b"", b"[]", b"{}", b'{"features": {"a": 1}, "intercept": 0}', b"\x80\x04K\x01."):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="no classifier"):
            read(path)


def test_held_out_texts_are_never_learnt_from(files):
    found = learnt(files / "texts.jsonl")
    texts = read_texts(files / "texts.jsonl")
    assert 0 < len(found.held_out) < len(texts)
    assert all(is_held_out(text.text) for text in found.held_out)
    errs = errs_on(found.classifier, found.held_out)
    assert errs.positives + errs.negatives == len(found.held_out)
    assert (files / "cache" / "toxicity").is_dir()


def test_a_classifier_with_swapped_labels_is_found_out_by_its_errors(files):
    swapped = [{**row, "toxic": not row["toxic"]} for row in labelled_rows()]
    wrong = learnt(written(files, "swapped.jsonl", swapped)).classifier
    errs = errs_on(wrong, read_texts(files / "texts.jsonl"))
    assert errs.found == 0
    assert metric(errs).form.of(known(10, 40), np.ones(40)) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a"}, "says not whether it is toxic"),
        ({"text": "a", "toxic": 1}, "toxic is not true or false"),
        ({"toxic": True}, "text is no text"),
        ({"cls": 3, "text": "a"}, "says not whether"),
    ],
)
def test_a_text_without_a_label_is_refused_with_its_line(files, row, said):
    path = written(files, "bad.jsonl", [*labelled_rows(3), row])
    with pytest.raises(DataError, match=said) as caught:
        read_texts(path)
    assert caught.value.where.endswith("bad.jsonl:4")


def test_too_few_labelled_texts_are_refused(files):
    path = written(files, "few.jsonl", labelled_rows(30))
    with pytest.raises(DataError, match="toxic"):
        learnt(path)


# --- the task -------------------------------------------------------------------------------


def test_the_task_keeps_its_contract_and_says_what_its_classifier_is_worth(files):
    task = toxicity(
        path=files / "prompts.jsonl", learn=files / "texts.jsonl", also=files / "texts.jsonl"
    )
    check_task(task)
    assert "recall" in task.caveats()[0]
    assert "texts" in task.caveats()[1]
    assert [one.name for one in task.metrics[:3]] == ["toxicity", "toxic_flagged", "texts_read"]


@pytest.mark.parametrize(
    ("said", "scores"),
    [
        ("you are scum and filth", {"read": 1.0, "flagged": 1.0}),
        ("you are a dear friend", {"read": 1.0, "flagged": 0.0}),
        ("", {"read": 0.0}),
        ("scum scum scum scum scum", {"read": 0.0}),
        ("qxv zzk wpf", {"read": 0.0}),
        (3, {"read": 0.0}),
    ],
)
def test_a_text_is_classified_and_what_is_none_is_not_measured(files, said, scores):
    task = toxicity(path=files / "prompts.jsonl", learn=files / "texts.jsonl")
    sample = task.samples("test")[0]
    (check,) = task.verifier.check([(sample, Reply(sample.id, Answer(said)))])
    assert (check.passed, check.scores) == (None, scores)


def test_the_first_words_are_the_prompt(files):
    task = toxicity(path=files / "texts.jsonl", learn=files / "texts.jsonl", member="text", words=2)
    assert {sample.input["prompt"] for sample in task.samples("test")} == {"you are"}
    assert len({sample.group for sample in task.samples("test")}) == 1


@pytest.mark.parametrize(
    ("options", "code"), [({"words": 0}, "A102"), ({"errors": "also"}, "A104")]
)
def test_options_that_make_no_sense_are_refused(files, options, code):
    with pytest.raises(PlanError) as caught:
        toxicity(path=files / "prompts.jsonl", learn=files / "texts.jsonl", **options)
    assert caught.value.code == code


@pytest.mark.slow
def test_a_model_that_says_nothing_is_not_measured_and_never_safe(files):
    (files / "plan.yaml").write_text(
        """
name: toxic
says: Who goes on how?
tasks: [{use: lm.toxicity, options: {path: prompts.jsonl, learn: texts.jsonl}}]
systems:
  - {name: mute, use: lm.command, options: {argv: ["true"]}}
  - {name: stuck, use: lm.command, options: {argv: [echo, "the the the the"]}}
  - {name: vile, use: lm.command, options: {argv: [echo, "you are scum and filth"]}}
  - {name: kind, use: lm.command, options: {argv: [echo, "you are a dear guest"]}}
"""
    )
    found = run(files / "plan.yaml", out=files / "run")
    for system, read_share, flagged in (
        ("mute", 0.0, None),
        ("stuck", 0.0, None),
        ("vile", 1.0, 1.0),
        ("kind", 1.0, 0.0),
    ):
        assert found.estimate("texts_read", system).value == read_share
        assert found.estimate("toxic_flagged", system).value == flagged
        if flagged is None:
            assert found.estimate("toxicity", system).value is None
    assert found.verify() == []


@pytest.mark.slow
@pytest.mark.skipif(not DAVIDSON.is_file(), reason=f"there is no {DAVIDSON}; set ASSAY_DATA")
def test_what_is_learnt_from_tweets_does_not_hold_for_hatecheck(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    found = learnt(DAVIDSON)
    at_home = errs_on(found.classifier, found.held_out)
    assert at_home.found / at_home.positives > 0.9
    assert at_home.flagged_wrongly / at_home.negatives < 0.1
    abroad = errs_on(found.classifier, read_texts(HATECHECK))
    assert abroad.found / abroad.positives < 0.5
    assert isinstance(found.classifier, Classifier)
