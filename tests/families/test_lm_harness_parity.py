"""The harness's own `hf` model and ours answer the same requests alike, from a prompt to a score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tiny_llama
from assay import Answer, Reply, Sample
from assay.families.lm.prompted.safetensors_folder import Transformers

pytest.importorskip("lm_eval", reason="the extra harness is not installed")
pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("transformers", exc_type=ImportError)
pytestmark = pytest.mark.heavy

from assay.families.lm.harness.task import harness_task  # noqa: E402

ROWS = 6


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of random weights whose tokenizer puts a BOS before every text."""
    folder = tiny_llama.write_llama(tmp_path_factory.mktemp("model") / "tiny")
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_bytes())
    vocabulary = tokenizer["model"]["vocab"]
    kinds = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    for old, new in (("\u0143", "<s>"), ("\u0142", "</s>")):
        vocabulary[new] = vocabulary.pop(old)
        tokenizer["added_tokens"].append(
            {"id": vocabulary[new], "content": new, "special": True, **kinds}
        )
    begins = [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": begins,
        "pair": [*begins, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [vocabulary["<s>"]], "tokens": ["<s>"]}},
    }
    file.write_text(json.dumps(tokenizer))
    named = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    settings = json.loads((folder / "tokenizer_config.json").read_bytes())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | named))
    config = json.loads((folder / "config.json").read_bytes())
    config |= {"bos_token_id": vocabulary["<s>"], "eos_token_id": vocabulary["</s>"]}
    config["max_position_embeddings"] = 2048
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("data")
    arc = [
        {
            "question": f"What is number {k}, and why is it so?",
            "choices": {
                "text": ["this one", "that", "none of them all", "it"],
                "label": list("ABCD"),
            },
            "answerKey": "ABCD"[k % 4],
        }
        for k in range(ROWS + 3)
    ]
    gsm = [
        {
            "question": f"Tom has {k} nuts and finds 2. How many?",
            "answer": f"{k} + 2.\n#### {k + 2}",
        }
        for k in range(ROWS + 2)
    ]
    for place, rows in (("allenai__ai2_arc/ARC-Easy/test", arc), ("openai__gsm8k/main/test", gsm)):
        path = home / f"{place}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return home


@pytest.fixture(scope="module")
def theirs(model: Path) -> Any:
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(model), dtype="float32", device="cpu", batch_size=4)


def ours(model: Path, samples: tuple[Sample, ...], workdir: Path, batch: int) -> dict[str, Reply]:
    recipe = Transformers(model=model, chat="plain", device="cpu", max_tokens=12, batch=batch)
    system = recipe.build([], [], seed=0, workdir=workdir).system
    replies = system.answer([sample.question() for sample in samples])
    return {reply.question: reply for reply in replies}


def said(reply: Reply) -> Answer:
    assert isinstance(reply.said, Answer)
    return reply.said


def requests(kind: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
    from lm_eval.api.instance import Instance

    return [
        Instance(request_type=kind, doc={}, arguments=each, idx=k)  # type: ignore[arg-type]
        for k, each in enumerate(arguments)
    ]


@pytest.mark.parametrize("batch", [1, 8])
def test_likelihoods_and_decisions_are_those_of_the_harness(model, data, theirs, tmp_path, batch):
    samples = tuple(
        harness_task(task="arc_easy", fewshot=2, set_aside=3, data=data).samples("test")
    )
    assert len(samples) == ROWS
    asked = [
        (sample.input["contexts"][0], continuation)
        for sample in samples
        for continuation in sample.input["continuations"]
    ]
    told = theirs.loglikelihood(requests("loglikelihood", asked), disable_tqdm=True)
    found = ours(model, samples, tmp_path, batch)
    for at, sample in enumerate(samples):
        wanted = told[4 * at : 4 * at + 4]
        scores = said(found[sample.id]).scores
        assert [scores[f"ll:{k}"] for k in range(4)] == pytest.approx(
            [total for total, _ in wanted], abs=1e-3
        )
        assert [bool(scores[f"greedy:{k}"]) for k in range(4)] == [greedy for _, greedy in wanted]
        assert said(found[sample.id]).value == max(range(4), key=lambda k: wanted[k][0])


def test_what_is_written_is_what_the_harness_writes(model, data, theirs, tmp_path):
    samples = tuple(harness_task(task="gsm8k", fewshot=1, set_aside=2, data=data).samples("test"))
    given = [
        (
            s.input["prompt"],
            {"until": list(s.input["until"]), "max_gen_toks": 12, "do_sample": False},
        )
        for s in samples
    ]
    told = theirs.generate_until(requests("generate_until", given), disable_tqdm=True)
    found = ours(model, samples, tmp_path, 8)
    assert [said(found[sample.id]).value for sample in samples] == told
    for sample in samples:  # which token comes may not hang on the BOS: what was given does
        kept = json.loads(found[sample.id].evidence["tokens"])["prompt"]
        assert kept == theirs.tok_encode(sample.input["prompt"])
