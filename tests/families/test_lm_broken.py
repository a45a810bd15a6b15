"""Broken models come out as broken, whatever they are asked and whatever runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_llama

from assay import Failed, PlanError, PluginError, Question, Reply
from assay.families.lm.prompted.gguf_file import Gguf
from assay.families.lm.prompted.safetensors_folder import Transformers

pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("transformers", exc_type=ImportError)
pytestmark = pytest.mark.heavy

Weights = dict[str, np.ndarray]


def changed(folder: Path, change: Callable[[Weights], None]) -> Path:
    """Write a tiny llama whose weights are changed."""
    from safetensors.numpy import load_file, save_file

    tiny_llama.write_llama(folder)
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def no_numbers(weights: Weights) -> None:
    weights["model.norm.weight"][:] = np.nan


def infinite(weights: Weights) -> None:
    weights["lm_head.weight"][:] = np.inf


def asked(recipe: Transformers | Gguf, workdir: Path, *inputs: object) -> list[Reply]:
    system = recipe.build([], [], seed=0, workdir=workdir).system
    questions = [Question(id=str(k), input=one, seed=3) for k, one in enumerate(inputs)]  # type: ignore[arg-type]
    return sorted(system.answer(questions), key=lambda reply: reply.question)


def as_gguf(folder: Path) -> Path:
    from assay.families.supply.converting.convert import convert

    convert(folder, folder.with_suffix(".gguf"), to="gguf")
    return folder.with_suffix(".gguf")


WHICH = {"contexts": ["The cat sat"], "continuations": [" on the mat", " in a tree"]}


@pytest.mark.parametrize("change", [no_numbers, infinite])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_one_question_and_several_are_failures_where_predictions_are_no_numbers(
    tmp_path, change, temperature
):
    folder = changed(tmp_path / "model", change)
    recipe = Transformers(
        model=folder, chat="plain", device="cpu", max_tokens=4, temperature=temperature
    )
    for inputs in (
        ("Hi",),
        ("Hi", "Hello", "Good day"),
        (WHICH,),
        (WHICH, {"contexts": ["Hi"], "continuations": [" there"]}),
    ):
        replies = asked(recipe, tmp_path, *inputs)
        assert len(replies) == len(inputs)
        for reply in replies:
            assert isinstance(reply.said, Failed)
            assert reply.said.why == "non_finite"


def test_llama_cpp_too_says_that_predictions_are_no_numbers(tmp_path):
    pytest.importorskip("xllamacpp")
    file = as_gguf(changed(tmp_path / "model", no_numbers))
    recipe = Gguf(model=file, chat="plain", context=128, max_tokens=4)
    for reply in asked(recipe, tmp_path, "Hi", "Hello", WHICH):
        assert isinstance(reply.said, Failed)
        assert reply.said.why == "non_finite"


def test_an_answer_to_one_question_is_what_it_is_among_others(tmp_path):
    folder = tiny_llama.write_llama(tmp_path / "model")
    recipe = Transformers(
        model=folder, chat="plain", device="cpu", max_tokens=6, temperature=1.0, batch=2
    )
    alone, *_ = asked(recipe, tmp_path, "The cat sat")
    first, *_ = asked(recipe, tmp_path, "The cat sat", "on the mat of the other one")
    assert alone.said == first.said


def test_the_tokens_of_a_prompt_are_kept(tmp_path):
    folder = tiny_llama.write_llama(tmp_path / "model")
    [reply] = asked(
        Transformers(model=folder, chat="plain", device="cpu", max_tokens=2), tmp_path, "The cat"
    )
    kept = json.loads(reply.evidence["tokens"])["prompt"]
    assert len(kept) == reply.usage.tokens_in
    pytest.importorskip("xllamacpp")
    recipe = Gguf(model=as_gguf(folder), chat="plain", context=64, max_tokens=2)
    [other] = asked(recipe, tmp_path, "The cat")
    assert json.loads(other.evidence["tokens"])["prompt"] == kept


def with_bos(folder: Path, *, spelt: str) -> Path:
    """Give a tiny llama a BOS that its template writes, maybe more than once."""
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_bytes())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["<s>"] = vocabulary.pop("\u0143")
    tokenizer["added_tokens"] = [
        {
            "id": vocabulary["<s>"],
            "content": "<s>",
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
    ]
    file.write_text(json.dumps(tokenizer))
    settings = json.loads((folder / "tokenizer_config.json").read_bytes())
    settings |= {
        "bos_token": "<s>",
        "chat_template": spelt + "{% for m in messages %}{{ m.content }}{% endfor %}",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize("asking", ["Hi", WHICH])
def test_two_bos_tokens_are_refused_and_one_is_counted(tmp_path, asking):
    once = with_bos(tiny_llama.write_llama(tmp_path / "once"), spelt="<s>")
    recipe = Transformers(model=once, device="cpu", max_tokens=2)
    [reply] = asked(recipe, tmp_path, asking)
    kept = json.loads(reply.evidence["tokens"])
    tokens = kept.get("prompt") or kept["context"]
    vocabulary = json.loads((once / "tokenizer.json").read_bytes())["model"]["vocab"]
    assert tokens.count(vocabulary["<s>"]) == 1
    twice = with_bos(tiny_llama.write_llama(tmp_path / "twice"), spelt="<s><s>")
    with pytest.raises(PlanError, match="two BOS") as caught:
        asked(Transformers(model=twice, device="cpu", max_tokens=2), tmp_path, asking)
    assert caught.value.code == "A104"


def test_a_tokenizer_with_tokens_that_the_model_lacks_is_refused(tmp_path):
    def fewer(weights: Weights) -> None:
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            weights[name] = weights[name][:200]

    folder = changed(tmp_path / "model", fewer)
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 200}))
    recipe = Transformers(model=folder, chat="plain", device="cpu", max_tokens=2)
    with pytest.raises(PluginError, match="the model has 200 only") as caught:
        asked(recipe, tmp_path, "Hi")
    assert caught.value.code == "A403"


def test_a_whole_text_that_nothing_stands_before_cannot_be_asked_for(tmp_path):
    folder = tiny_llama.write_llama(tmp_path / "model")  # its tokenizer names no BOS and no EOS
    recipe = Transformers(model=folder, chat="plain", device="cpu")
    [reply] = asked(recipe, tmp_path, {"text": "The cat"})
    assert isinstance(reply.said, Failed)
    assert reply.said.why == "no_prompt"
