"""Model folders of tiny decoders with random weights, written without torch."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from assay.families.supply.converting.pre_tokenizers import PRE_TOKENIZERS

HEADS, SHARED, PER_HEAD, WIDTH, INNER, LAYERS = 4, 2, 8, 32, 64, 2
LETTERS = "abcdefghij"
MERGES = [["a", "b"], ["c", "d"], ["ab", "cd"]]
SPECIAL = ["<s>", "</s>"]
KINDS = ("llama", "qwen2", "gemma3_text")


def config_of(kind: str) -> dict:
    """Return a ``config.json`` as transformers 4 writes it."""
    gemma = {
        "sliding_window": 16,
        "sliding_window_pattern": 6,
        "query_pre_attn_scalar": PER_HEAD,
        "rope_local_base_freq": 10_000.0,
    }
    return {
        "architectures": ["Whatever"],
        "model_type": kind,
        "vocab_size": 16,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": SHARED,
        "head_dim": PER_HEAD,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10_000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        **(gemma if kind == "gemma3_text" else {}),
    }


def tensors_of(kind: str, dtype=np.float32, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random weights under Hugging Face's names."""
    rng = np.random.default_rng(seed)
    shapes = {"model.embed_tokens.weight": (16, WIDTH), "model.norm.weight": (WIDTH,)}
    for layer in range(LAYERS):
        inside = {
            "self_attn.q_proj": (HEADS * PER_HEAD, WIDTH),
            "self_attn.k_proj": (SHARED * PER_HEAD, WIDTH),
            "self_attn.v_proj": (SHARED * PER_HEAD, WIDTH),
            "self_attn.o_proj": (WIDTH, HEADS * PER_HEAD),
            "mlp.gate_proj": (INNER, WIDTH),
            "mlp.up_proj": (INNER, WIDTH),
            "mlp.down_proj": (WIDTH, INNER),
            "input_layernorm": (WIDTH,),
            "post_attention_layernorm": (WIDTH,),
        }
        if kind == "gemma3_text":
            inside |= dict.fromkeys(("self_attn.q_norm", "self_attn.k_norm"), (PER_HEAD,))
            inside |= dict.fromkeys(
                ("pre_feedforward_layernorm", "post_feedforward_layernorm"), (WIDTH,)
            )
        for name, shape in inside.items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
        if kind == "qwen2":
            for name in ("q_proj", "k_proj", "v_proj"):
                rows = (HEADS if name == "q_proj" else SHARED) * PER_HEAD
                shapes[f"model.layers.{layer}.self_attn.{name}.bias"] = (rows,)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def tokenizer(pre: str = "smollm") -> dict:
    """Return a small tokenizer.json that merges pairs of bytes."""
    tokens = [*LETTERS, *("".join(pair) for pair in MERGES)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": len(tokens) + i,
                "content": name,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for i, name in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": PRE_TOKENIZERS[pre],
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": MERGES,
        },
    }


def make_folder(path: Path, kind: str = "llama", dtype=np.float32, *, seed: int = 0) -> Path:
    """Write the folder of a tiny decoder."""
    path.mkdir(parents=True)
    save_file(tensors_of(kind, dtype, seed=seed), path / "model.safetensors", {"format": "pt"})
    for name, value in {
        "config.json": config_of(kind),
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "chat_template": "{{x}}",
        },
    }.items():
        (path / name).write_text(json.dumps(value))
    return path
