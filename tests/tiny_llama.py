"""A llama of random weights that is small enough for tests and sure enough to be told from another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WORDS = ("the", " the", "ing", "er", " of", "an", "in", "on", "re", "th", "he", " a", " t", "es")


def write_llama(folder: Path, *, seed: int = 0, tied: bool = False, layers: int = 3) -> Path:
    """Write a model folder: config, tokenizer, weights in float32."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    hidden, inner, heads, groups, vocabulary = 64, 96, 4, 2, 256 + len(merges())
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "vocab_size": vocabulary,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        "head_dim": hidden // heads,
        "bos_token_id": None,
        "eos_token_id": 0,
        "dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    write_tokenizer(folder)
    rng = np.random.Generator(np.random.PCG64(seed))

    def drawn(*shape: int, spread: float) -> np.ndarray:
        return (rng.standard_normal(shape) * spread).astype(np.float32)

    tensors = {"model.embed_tokens.weight": drawn(vocabulary, hidden, spread=0.4)}
    for layer in range(layers):
        name = f"model.layers.{layer}"
        few = hidden // heads * groups
        for part, rows, columns in (
            ("self_attn.q_proj", hidden, hidden),
            ("self_attn.k_proj", few, hidden),
            ("self_attn.v_proj", few, hidden),
            ("self_attn.o_proj", hidden, hidden),
            ("mlp.gate_proj", inner, hidden),
            ("mlp.up_proj", inner, hidden),
            ("mlp.down_proj", hidden, inner),
        ):
            tensors[f"{name}.{part}.weight"] = drawn(rows, columns, spread=0.1)
        for part in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{name}.{part}.weight"] = 1 + drawn(hidden, spread=0.1)
    tensors["model.norm.weight"] = 1 + drawn(hidden, spread=0.1)
    if not tied:
        tensors["lm_head.weight"] = drawn(vocabulary, hidden, spread=0.3)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_tokenizer(folder: Path, *, shift: int = 0) -> None:
    """Write a byte-level tokenizer; with ``shift``, the same pieces under other numbers."""
    pieces = [*sorted(bytes_as_text().values()), *("".join(pair) for pair in merges())]
    place = {piece: (n + shift) % len(pieces) for n, piece in enumerate(pieces)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}  # fmt: skip
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": place,
            "merges": [" ".join(pair) for pair in merges()],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def merges() -> list[tuple[str, str]]:
    """Return the pairs that become one piece, each made of pieces that are there before it."""
    known, found = set(bytes_as_text().values()), []
    for word in WORDS:
        spelt = "".join(bytes_as_text()[byte] for byte in word.encode())
        for end in range(2, len(spelt) + 1):
            if spelt[:end] not in known:
                known.add(spelt[:end])
                found.append((spelt[: end - 1], spelt[end - 1]))
    return found


def bytes_as_text() -> dict[int, str]:
    """Return the character that stands for each byte in byte-level tokenizers (GPT-2's table)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {b: chr(256 + n) for n, b in enumerate(others)}
