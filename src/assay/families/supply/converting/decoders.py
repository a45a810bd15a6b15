"""The decoders that are known under two conventions: Hugging Face's and llama.cpp's.

The names and what is done to rows and norms: llama.cpp, ``convert_hf_to_gguf.py`` (classes
``LlamaModel``, ``Qwen2Model``, ``Gemma3Model``); tests hold the names to ``gguf.get_tensor_name_map``
and the numbers to ``transformers``' own loader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay import DataError

from ..faults import Fault, damaged
from ..header import TensorEntry
from .weights import Weight

_OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_GEMMA3_LAYER = _LAYER | {
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_BLOCK = re.compile(r"blk\.(\d+)\.(\w+)\.(weight|bias)")
_HF_LAYER = re.compile(r"model\.layers\.(\d+)\.([\w.]+)\.(weight|bias)")
_COUNTED = frozenset({"rope_freqs.weight"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """One architecture: ``llama``, ``qwen2``, ``gemma3`` in GGUF files."""

    gguf: str
    model_type: str
    """As in ``config.json``."""

    hf_class: str
    layer: Mapping[str, str] = field(default_factory=lambda: _LAYER)
    """llama.cpp's name of a part of a layer to Hugging Face's."""

    rotates_neighbours: bool = False
    """llama.cpp rotates rows 2i and 2i+1 of a head: queries and keys are stored in another order."""

    norm_shift: float = 0.0
    """How much larger llama.cpp stores the weights of norms."""

    activation: str = "silu"

    def to_hf(self, name: str) -> str | None:
        """Return Hugging Face's name of a tensor; None for a name that is unknown.

        >>> DECODERS["qwen2"].to_hf("blk.3.attn_q.bias")
        'model.layers.3.self_attn.q_proj.bias'
        """
        if name in _OUTER:
            return _OUTER[name]
        found = _BLOCK.fullmatch(name)
        if found is None or found[2] not in self.layer:
            return None
        return f"model.layers.{found[1]}.{self.layer[found[2]]}.{found[3]}"

    def to_gguf(self, name: str) -> str | None:
        """Return llama.cpp's name of a tensor; None for a name that is unknown.

        >>> DECODERS["gemma3"].to_gguf("model.layers.0.post_feedforward_layernorm.weight")
        'blk.0.post_ffw_norm.weight'
        """
        for ours, theirs in _OUTER.items():
            if theirs == name:
                return ours
        found = _HF_LAYER.fullmatch(name)
        if found is None:
            return None
        parts = {theirs: ours for ours, theirs in self.layer.items()}
        part = parts.get(found[2])
        return None if part is None else f"blk.{found[1]}.{part}.{found[3]}"

    def heads_of(self, name: str, config: Mapping[str, Any]) -> int | None:
        """Return in how many heads the rows of a tensor (Hugging Face's name) are to be reordered."""
        if not self.rotates_neighbours:
            return None
        heads = int(config["num_attention_heads"])
        if ".q_proj." in name:
            return heads
        return int(config.get("num_key_value_heads") or heads) if ".k_proj." in name else None


DECODERS = {
    decoder.gguf: decoder
    for decoder in (
        Decoder(
            gguf="llama", model_type="llama", hf_class="LlamaForCausalLM", rotates_neighbours=True
        ),
        Decoder(gguf="qwen2", model_type="qwen2", hf_class="Qwen2ForCausalLM"),
        Decoder(
            gguf="gemma3",
            model_type="gemma3_text",
            hf_class="Gemma3ForCausalLM",
            layer=_GEMMA3_LAYER,
            norm_shift=1.0,
            activation="gelu_pytorch_tanh",
        ),
    )
}
"""By the name in GGUF files."""

SHAPES = {
    "num_hidden_layers": "block_count",
    "max_position_embeddings": "context_length",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "rope_theta": "rope.freq_base",
    "head_dim": "attention.key_length",
    "sliding_window": "attention.sliding_window",
}
"""Keys of ``config.json`` to keys of a GGUF head, after the architecture and a dot."""


def decoder_of_config(config: Mapping[str, Any], path: Path) -> Decoder:
    """Return the decoder that a ``config.json`` names.  Raises ``DataError`` A205 for another."""
    kind = config.get("model_type")
    for decoder in DECODERS.values():
        if decoder.model_type == kind:
            return decoder
    raise unknown(f"model_type {kind!r}", path, [d.model_type for d in DECODERS.values()])


def decoder_of_gguf(architecture: object, path: Path) -> Decoder:
    """Return the decoder that a GGUF head names.  Raises ``DataError`` A205 for another."""
    found = DECODERS.get(str(architecture))
    if found is None:
        raise unknown(f"architecture {architecture!r}", path, list(DECODERS))
    return found


def unknown(what: str, path: Path, known: list[str]) -> DataError:
    """Return the error of a model whose tensors cannot be renamed."""
    return DataError(
        f"assay does not know how GGUF files name the tensors of {what}",
        where=str(path),
        hint=f"it knows {', '.join(known)}; convert this one with llama.cpp's own script",
        code="A205",
    )


def from_gguf(weight: Weight, decoder: Decoder, config: Mapping[str, Any]) -> Weight:
    """Return a tensor of a GGUF file as transformers would hold it."""
    name = decoder.to_hf(weight.name)
    if name is None:
        raise unknown(f"{decoder.gguf}: {weight.name}", weight.path, ["those of its decoders"])
    return _turned(weight, name, decoder, config, inward=True)


def for_gguf(weight: Weight, decoder: Decoder, config: Mapping[str, Any]) -> Weight:
    """Return a tensor of a transformers model as a GGUF file holds it."""
    name = decoder.to_gguf(weight.name)
    if name is None:
        raise unknown(
            f"{decoder.model_type}: {weight.name}", weight.path, ["those of its decoders"]
        )
    return replace(_turned(weight, weight.name, decoder, config, inward=False), name=name)


def is_derived(entry: TensorEntry) -> bool:
    """Whether a tensor of a GGUF file follows from its configuration alone."""
    return entry.name in _COUNTED


def _turned(
    weight: Weight, name: str, decoder: Decoder, config: Mapping[str, Any], *, inward: bool
) -> Weight:
    heads, shift = decoder.heads_of(name, config), decoder.norm_shift
    turned = replace(weight, name=name)
    if heads is not None:
        if not weight.shape or heads < 1 or weight.shape[0] % (2 * heads):
            what = f"{weight.name} has the shape {list(weight.shape)} for {heads} heads"
            raise damaged(Fault.NONSENSE, weight.path, what)
        halves = weight.shape[0] // heads // 2
        order = (heads, halves if inward else 2)
        # Back and forth cancels: a GGUF file to a GGUF file keeps its rows as they are.
        turned = replace(turned, heads=None if weight.heads is not None else order)
    if shift and name.endswith("norm.weight"):
        turned = replace(turned, shift=weight.shift + (-shift if inward else shift))
    return turned
