"""N-grams beside an embedding: saved and loaded it says the same, and damage is named."""

import numpy as np
import pytest

from assay import Answer, Bottom, PluginError, Sample
from assay.families.intent.encoders.opening import open_encoder
from assay.families.intent.recipes.blend import WEIGHT, Blend
from assay.families.intent.recipes.tfidf import fit_ngrams
from assay.families.intent.recipes.trained import load, loads
from assay.families.intent.training.learning import Training, train

TEXTS = ("stake my coins", "stake it all", "swap for dai", "swap now", "what is it", "who are you")


def samples():
    for number, text in enumerate(TEXTS * 3):
        label = Bottom("out_of_scope") if text[:2] == "wh" else Answer(text.split()[0])
        yield Sample(id=str(number), input=f"{text} {number}", target=label, group=f"g{number % 9}")


@pytest.fixture(scope="module")
def made():
    return train(list(samples()), Training(encoder="minilm+tfidf", strength=10.0))


@pytest.mark.slow
def test_both_readings_stand_in_one_vector(made):
    encoder = open_encoder("minilm")
    blend = Blend(ngrams=fit_ngrams(TEXTS), encoder=encoder)
    rows = blend.matrix(TEXTS).toarray()
    n = len(blend.ngrams.idf)
    assert rows.shape == (len(TEXTS), n + blend.hidden)
    assert np.allclose(np.linalg.norm(rows[:, :n], axis=1), 1.0)
    assert np.allclose(np.linalg.norm(rows[:, n:], axis=1), WEIGHT, atol=1e-4)
    features, values = blend.features(TEXTS[0])
    one = np.zeros(rows.shape[1])
    one[features] = values
    assert np.allclose(one, rows[0], atol=1e-5)


@pytest.mark.slow
def test_saved_and_loaded_it_says_the_same(made, tmp_path):
    made.save(tmp_path)
    again = load(tmp_path)
    assert again.answer_all(TEXTS) == made.answer_all(TEXTS)
    kinds = [artifact.kind for artifact in loads(tmp_path)]
    assert kinds[-3:] == ["vocabulary", "head", "card"]


@pytest.mark.slow
def test_another_vocabulary_is_not_taken_for_its_own(made, tmp_path):
    made.save(tmp_path)
    (tmp_path / "ngrams.json").write_text("{}")
    with pytest.raises(PluginError, match="A403"):
        load(tmp_path)
