"""Tiny decoders of random weights, and APR files of them, written as ``assay model convert`` writes them."""

import json
from pathlib import Path

import numpy as np

from assay.families.supply.formats.apr import TensorToWrite, write_apr

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
MARKS = ["<|end|>", "<|im_start|>", "<|im_end|>"]
SHAPE = {
    "vocab_size": 256 + len(MARKS),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "bos_token_id": None,
    "eos_token_id": 258,
}
MORE = {
    "llama": {},
    "qwen2": {},
    "gemma3_text": {"sliding_window": 16, "query_pre_attn_scalar": 8, "pad_token_id": 256},
}


def make_folder(path: Path, kind: str, *, seed: int = 0, tied: bool = False) -> Path:
    """Write a model folder: a decoder of random weights, whose tokens are bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens(MARKS)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|im_end|>")
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(path)
    torch.manual_seed(seed)
    config = AutoConfig.for_model(kind, **SHAPE, **MORE[kind], tie_word_embeddings=tied)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():  # norms and biases of a fresh model are all alike
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(path)
    return path


def numbers_of(folder: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a folder."""
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def as_apr(folder: Path, path: Path, *, dtype: str = "F32") -> Path:
    """Write the APR file of a folder; matrices in ``dtype``, the rest in 32 bits."""
    config = json.loads((folder / "config.json").read_bytes())
    sides = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
    write_apr(
        path,
        {"model_type": config["model_type"], "hf_config": config},
        [
            TensorToWrite.of_array(name, array, dtype if array.ndim == 2 else "F32")
            for name, array in numbers_of(folder).items()
        ],
        {name: (folder / name).read_bytes() for name in sides},
    )
    return path
