"""The configuration of a decoder, from the keys that other writers of APR files use.

Files of assay hold the whole ``config.json`` (``hf_config``).  Others describe a model by the keys and
aliases of the APR format; sizes that tensors show are taken from the tensors, and must agree with what
the keys say.

*Covered*: Llama, Qwen 2 and Gemma 3 decoders with the tensor names of the Hub.  *Not covered*: scaled
rotary embeddings, mixtures of experts, other tensor names: refused, or told by the tensors that lack.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..faults import Fault, damaged
from ..header import ModelHeader

ALIASES = {
    "hidden_size": ("hidden_dim", "d_model", "n_embd"),
    "num_layers": ("num_hidden_layers", "n_layers", "n_layer"),
    "num_heads": ("num_attention_heads", "n_heads", "n_head"),
    "num_kv_heads": ("num_key_value_heads", "n_kv_heads"),
    "vocab_size": ("n_vocab",),
    "intermediate_size": ("ffn_dim", "intermediate_dim", "n_inner"),
    "max_position_embeddings": ("max_seq_len", "context_length", "n_ctx"),
    "rms_norm_eps": ("layer_norm_eps", "norm_eps"),
}
"""Documented keys, and what they are called in files that were seen."""

KINDS = {
    "llama": ("llama", "LlamaForCausalLM"),
    "smollm": ("llama", "LlamaForCausalLM"),
    "qwen2": ("qwen2", "Qwen2ForCausalLM"),
    "qwen": ("qwen2", "Qwen2ForCausalLM"),
    "gemma3": ("gemma3_text", "Gemma3ForCausalLM"),
    "gemma3_text": ("gemma3_text", "Gemma3ForCausalLM"),
}
"""Architecture, as files name it, to the type and class that transformers has."""

_EMBEDDING = "model.embed_tokens.weight"
_LAYER = "model.layers.0."


def config_of(header: ModelHeader, path: Path) -> dict[str, Any]:
    """Return the ``config.json`` of a decoder.

    Raises ``DataError`` A205 for an architecture that is not known, a key or a tensor that lacks, and
    for keys that the tensors contradict.
    """
    whole = header.metadata.get("hf_config")
    if isinstance(whole, Mapping):
        return dict(whole)
    said = _Said(header, path)
    kind, name = _kind(said)
    config: dict[str, Any] = {
        "architectures": [name],
        "model_type": kind,
        "dtype": "float32",
        "hidden_act": "silu",
        **_sizes(said),
        "max_position_embeddings": said.number("max_position_embeddings"),
        "rms_norm_eps": said.real("rms_norm_eps"),
        "rope_theta": said.real("rope_theta"),
        "tie_word_embeddings": "lm_head.weight" not in header.by_name,
    }
    match kind:
        case "llama":
            config["attention_bias"] = f"{_LAYER}self_attn.q_proj.bias" in header.by_name
            config["mlp_bias"] = f"{_LAYER}mlp.gate_proj.bias" in header.by_name
        case "gemma3_text":
            del config["hidden_act"]
            config |= {
                "hidden_activation": "gelu_pytorch_tanh",
                "sliding_window": said.number("sliding_window"),
                "query_pre_attn_scalar": said.number("query_pre_attn_scalar"),
                # The same in every Gemma 3 that was published.
                "rope_local_base_freq": said.real("rope_local_base_freq", 10_000.0),
                "sliding_window_pattern": said.number("sliding_window_pattern", 6),
            }
        case _:
            pass
    return config


def turns_adjacent(header: ModelHeader) -> bool:
    """Whether rotary embeddings turn adjacent pairs, so that queries and keys stand in llama.cpp's order.

    A file of assay holds them as the Hub does; others say so by ``rope_type: 0``.
    """
    return "hf_config" not in header.metadata and header.metadata.get("rope_type") == 0


class _Said:
    """The metadata, read by the names of the table above."""

    def __init__(self, header: ModelHeader, path: Path) -> None:
        self.header, self.path = header, path

    def get(self, key: str) -> Any:
        found = self.header.metadata
        return next(
            (found[k] for k in (key, *ALIASES.get(key, ())) if found.get(k) is not None), None
        )

    def real(self, key: str, default: float | None = None) -> float:
        value = self.get(key)
        if value is None:
            value = default
        if value is None:
            raise self.unfit(f"the metadata has no {key}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise damaged(Fault.NONSENSE, self.path, f"{key} is {value!r}")
        return float(value)

    def number(self, key: str, default: int | None = None) -> int:
        value = self.real(key, default)
        if value != int(value):
            raise damaged(Fault.NONSENSE, self.path, f"{key} is {value!r}")
        return int(value)

    def shape(self, tensor: str) -> tuple[int, ...]:
        entry = self.header.by_name.get(tensor)
        if entry is None:
            raise self.unfit(f"there is no tensor {tensor}")
        if len(entry.shape) != 2:
            raise damaged(Fault.NONSENSE, self.path, f"{tensor} has the shape {entry.shape}")
        return entry.shape

    def agreed(self, key: str, shown: int) -> int:
        """Return what tensors show, which the key must not contradict."""
        value = self.get(key)
        if value is not None and value != shown:
            what = f"{key} is {value!r}, and the tensors show {shown}"
            raise damaged(Fault.NONSENSE, self.path, what)
        return shown

    def unfit(self, what: str) -> Exception:
        return damaged(
            Fault.UNSUPPORTED,
            self.path,
            f"{what}, and no hf_config",
            hint=f"convert the model with `assay model convert`; known without it: {', '.join(KINDS)}",
        )


def _kind(said: _Said) -> tuple[str, str]:
    named = [
        said.get(k) for k in ("hf_model_type", "architecture", "hf_architecture", "model_type")
    ]
    names = [str(name).lower().removesuffix("forcausallm") for name in named if name]
    for name in names:
        if name in KINDS:
            return KINDS[name]
    raise said.unfit(f"the architecture {names[0] if names else 'is not said'!r} is not known")


def _sizes(said: _Said) -> dict[str, int]:
    vocabulary, hidden = said.shape(_EMBEDDING)
    queries, _ = said.shape(f"{_LAYER}self_attn.q_proj.weight")
    keys, _ = said.shape(f"{_LAYER}self_attn.k_proj.weight")
    wide, _ = said.shape(f"{_LAYER}mlp.gate_proj.weight")
    heads = said.number("num_heads")
    if queries % heads or keys % (queries // heads):
        what = f"{heads} heads do not divide {queries} queries and {keys} keys"
        raise damaged(Fault.NONSENSE, said.path, what)
    layers = {
        name.split(".")[2] for name in said.header.by_name if name.startswith("model.layers.")
    }
    width = queries // heads
    return {
        "vocab_size": said.agreed("vocab_size", vocabulary),
        "hidden_size": said.agreed("hidden_size", hidden),
        "intermediate_size": said.agreed("intermediate_size", wide),
        "num_hidden_layers": said.agreed("num_layers", len(layers)),
        "num_attention_heads": heads,
        "num_key_value_heads": said.agreed("num_kv_heads", keys // width),
        "head_dim": said.agreed("head_dim", width),
    }
