"""The head of a GGUF file and a ``config.json``: the same facts, each from the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assay import DataError

from ..header import TensorEntry
from .decoders import SHAPES, Decoder, unknown

GEMMA_LOCAL_ROPE, GEMMA_PATTERN = 10_000.0, 6
"""What llama.cpp takes for gemma 3 and its files do not say: src/models/gemma3.cpp."""

_ROUNDED = frozenset({"rms_norm_eps", "rope_theta"})
_SIZES = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "max_position_embeddings",
)


def config_from_gguf(
    metadata: Mapping[str, Any], tensors: Mapping[str, TensorEntry], decoder: Decoder, path: Path
) -> dict[str, Any]:
    """Return the ``config.json`` of the model in a GGUF file.

    Every number is the file's.  Raises ``DataError`` A205 where the file does not say a size, or has
    a rope that assay cannot write down.
    """
    held = frozenset(tensors)
    found = {ours: metadata.get(f"{decoder.gguf}.{theirs}") for ours, theirs in SHAPES.items()}
    config: dict[str, Any] = {
        "architectures": [decoder.hf_class],
        "model_type": decoder.model_type,
        **{key: _plain(key, value, path) for key, value in found.items() if value is not None},
    }
    config.setdefault("num_key_value_heads", config.get("num_attention_heads"))
    config.setdefault("rope_theta", 10_000.0)  # llama.cpp's own default
    for key in _SIZES:
        if config.get(key, 0) < 1:
            raise _silent(f"its {decoder.gguf}.{SHAPES[key]}", path)
    if len(tensors["token_embd.weight"].shape if "token_embd.weight" in held else ()) != 2:
        raise _silent("token_embd.weight, a matrix", path)
    config.setdefault("head_dim", config["hidden_size"] // config["num_attention_heads"])
    _refuse_others(metadata, config, held, decoder, path)
    bias = "blk.0.attn_q.bias" in held
    config |= {
        "vocab_size": tensors["token_embd.weight"].shape[0],
        "hidden_act" if decoder.gguf != "gemma3" else "hidden_activation": decoder.activation,
        "tie_word_embeddings": "output.weight" not in held,
        "dtype": "float32",
        **({"attention_bias": bias} if decoder.gguf != "qwen2" else {}),
        **{
            f"{ours}_token_id": _plain("", metadata[f"tokenizer.ggml.{theirs}_token_id"], path)
            for ours, theirs in {"bos": "bos", "eos": "eos", "pad": "padding"}.items()
            if f"tokenizer.ggml.{theirs}_token_id" in metadata
        },
    }
    if decoder.gguf == "gemma3":
        config |= {
            "rope_local_base_freq": metadata.get("gemma3.rope.freq_base_swa", GEMMA_LOCAL_ROPE),
            "sliding_window_pattern": GEMMA_PATTERN,
            "query_pre_attn_scalar": config["head_dim"],
        }
    elif decoder.gguf == "llama":
        config["mlp_bias"] = "blk.0.ffn_up.bias" in held
    return config


def head_of_config(config: Mapping[str, Any], decoder: Decoder, path: Path) -> dict[str, Any]:
    """Return the keys and values of a GGUF head, the architecture before each key.

    Raises ``DataError`` A205 where ``config.json`` asks for what the file could not say.
    """
    for key in (*_SIZES, "rms_norm_eps", "vocab_size"):
        if not isinstance(config.get(key), int | float) or config[key] <= 0:
            what = f"config.json does not say {key}"
            raise DataError(what, where=str(path), hint="fetch config.json again", code="A205")
    activation = config.get("hidden_activation") or config.get("hidden_act") or decoder.activation
    if activation != decoder.activation:
        raise _cannot(f"the activation {activation!r}", path)
    plain = dict(config) | {"rope_theta": _rope_theta(config, path)}
    if plain.get("num_key_value_heads") is None:
        plain["num_key_value_heads"] = plain["num_attention_heads"]
    head_dim = plain.get("head_dim") or plain["hidden_size"] // plain["num_attention_heads"]
    plain["head_dim"] = head_dim
    if decoder.gguf != "gemma3":
        plain.pop("sliding_window", None)
        if config.get("use_sliding_window"):
            raise _cannot("use_sliding_window", path)
    else:
        _check_gemma(config, head_dim, path)
    found = {theirs: plain[ours] for ours, theirs in SHAPES.items() if plain.get(ours) is not None}
    head = {
        **found,
        "attention.value_length": head_dim,
        **({"rope.dimension_count": head_dim} if decoder.gguf != "gemma3" else {}),
        **({"vocab_size": plain["vocab_size"]} if decoder.gguf == "llama" else {}),
    }
    return {f"{decoder.gguf}.{key}": value for key, value in head.items()}


def _rope_theta(config: Mapping[str, Any], path: Path) -> float:
    """Return the base of the rotary frequencies, of a config as transformers 4 or 5 writes it."""
    scaling = config.get("rope_scaling") or {}
    found = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta"), **scaling}
    full = found.get("full_attention", found)
    local = found.get("sliding_attention", {"rope_theta": config.get("rope_local_base_freq")})
    kinds = {each.get("rope_type") or each.get("type") or "default" for each in (full, local)}
    if kinds != {"default"}:
        raise _cannot(f"a rope of the type {min(kinds - {'default'})!r}", path)
    if local.get("rope_theta") not in (None, GEMMA_LOCAL_ROPE):
        raise _cannot(f"a local rope with the base {local['rope_theta']}", path)
    return float(full.get("rope_theta") or 10_000.0)


def _check_gemma(config: Mapping[str, Any], head_dim: int, path: Path) -> None:
    """Refuse what llama.cpp has as constants, where a model has others."""
    layers = config["num_hidden_layers"]
    kinds = config.get("layer_types")
    pattern = config.get("sliding_window_pattern") or config.get("_sliding_window_pattern")
    usual = [
        "full_attention" if (i + 1) % GEMMA_PATTERN == 0 else "sliding_attention"
        for i in range(layers)
    ]
    if (kinds is not None and kinds != usual) or (
        kinds is None and pattern not in (None, GEMMA_PATTERN)
    ):
        raise _cannot("another pattern of sliding layers than one full in six", path)
    if config.get("query_pre_attn_scalar", head_dim) != head_dim:
        raise _cannot("queries scaled by another number than the size of a head", path)
    if config.get("final_logit_softcapping") or config.get("attn_logit_softcapping"):
        raise _cannot("capped logits", path)


def _refuse_others(
    metadata: Mapping[str, Any],
    config: Mapping[str, Any],
    names: frozenset[str],
    decoder: Decoder,
    path: Path,
) -> None:
    """Refuse a model that transformers would run otherwise than llama.cpp does."""

    def said(key: str) -> Any:
        return metadata.get(f"{decoder.gguf}.{key}")

    scaled = said("rope.scaling.type") not in (None, "none") and said("rope.scaling.factor") != 1.0
    windowed = decoder.gguf != "gemma3" and "sliding_window" in config
    odd = {
        "a rope that is scaled": scaled or "rope_freqs.weight" in names,
        "a rope on part of a head": said("rope.dimension_count") not in (None, config["head_dim"]),
        "keys and values of two lengths": said("attention.value_length")
        not in (None, config["head_dim"]),
        "a sliding window": windowed
        and config["sliding_window"] < config["max_position_embeddings"],
        "capped logits": said("final_logit_softcapping") or said("attn_logit_softcapping"),
    }
    for what, found in odd.items():
        if found:
            raise unknown(f"a {decoder.gguf} with {what}", path, [f"the plain {decoder.gguf}"])


def _plain(key: str, value: Any, path: Path) -> Any:
    """Return a number as it was written: GGUF keeps 1e-6 in single precision."""
    if not isinstance(value, int | float) or not np.isfinite(value):
        raise _silent(f"{key or 'a token'} as one number", path)
    return float(str(np.float32(value))) if key in _ROUNDED else int(value)


def _silent(what: str, path: Path) -> DataError:
    return DataError(
        f"the file does not say {what}", where=str(path), hint="fetch the file again", code="A205"
    )


def _cannot(what: str, path: Path) -> DataError:
    return DataError(
        f"config.json asks for {what}, which assay cannot say in a GGUF file",
        where=str(path),
        hint="convert this one with llama.cpp's own script",
        code="A205",
    )
