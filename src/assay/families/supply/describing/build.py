"""How a model is built: its layers, heads and context, from whatever words its format has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..header import ModelHeader

_GGUF_READS_ONLY = frozenset(
    [
        "bert",
        "nomic-bert",
        "nomic-bert-moe",
        "neo-bert",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "eurobert",
        "t5encoder",
        "gemma-embedding",
        "clip",
        "mmproj",
    ]
)
"""Architectures that make vectors of a text, and no text."""

_GENERATES = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")

_ALIASES = {
    "layers": ("num_hidden_layers", "num_layers", "n_layers", "n_layer"),
    "width": ("hidden_size", "hidden_dim", "d_model", "n_embd", "dim"),
    "heads": ("num_attention_heads", "num_heads", "n_heads", "n_head"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "n_kv_heads"),
    "head_width": ("head_dim",),
    "context": ("max_position_embeddings", "max_seq_len", "context_length", "n_ctx", "n_positions"),
    "vocabulary": ("vocab_size", "n_vocab"),
}
"""As config.json has them, and as APR files do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is known of how a model is built; None for what the file does not say."""

    architecture: str | None = None
    layers: int | None = None
    width: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    """Heads of keys and values, of all layers together."""

    key_width: int | None = None
    value_width: int | None = None
    context: int | None = None
    vocabulary: int | None = None
    window: int | None = None
    """Tokens that some layers look back, where those look back less far than the others."""

    generates: bool | None = None
    """Whether it makes text, and so keeps keys and values."""

    compressed: bool = False
    """Whether keys and values are kept in fewer numbers than the heads say (latent attention, states)."""

    name: str | None = None

    @property
    def kv_numbers(self) -> int | None:
        """Numbers that are kept of one token; None where it cannot be said."""
        if not self.generates or self.compressed:
            return None
        if not self.kv_heads or not self.key_width or not self.value_width:
            return None
        return self.kv_heads * (self.key_width + self.value_width)


def build_of(header: ModelHeader) -> Build:
    """Return how the model in a file is built, as far as the file says."""
    metadata = header.metadata
    if header.format == "gguf":
        return _of_gguf(metadata)
    if header.format == "onnx":
        name = _text(metadata.get("graph"))
        return Build(architecture=_operators(metadata), generates=None, name=name)
    config = metadata.get("config") or metadata.get("hf_config")
    if isinstance(config, Mapping):
        return _of_config(config, _text(metadata.get("name")))
    return _of_config(metadata, _text(metadata.get("name"))) if header.format == "apr" else Build()


def number(value: object) -> int | None:
    """Return a positive whole number that is no truth value, else None."""
    return value if isinstance(value, int) and value is not True and 0 < value < 2**48 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _operators(metadata: Mapping[str, Any]) -> str | None:
    counts = list(metadata.get("operators", {}).items())
    shown = ", ".join(f"{count:,} {name}" for name, count in counts[:4])
    total = sum(count for _, count in counts)
    return f"a graph of {total:,} node{'s' * (total > 1)}: {shown}" if counts else None


def _of_gguf(metadata: Mapping[str, Any]) -> Build:
    kind = _text(metadata.get("general.architecture")) or ""

    def own(key: str) -> Any:
        return metadata.get(f"{kind}.{key}")

    layers, width = number(own("block_count")), number(own("embedding_length"))
    heads = _each(own("attention.head_count"), layers)
    shared = _each(own("attention.head_count_kv"), layers) or heads
    one = width // heads[0] if width and heads and heads[0] else None
    keys = number(own("attention.key_length")) or one
    tokens = metadata.get("tokenizer.ggml.tokens")
    count = len(tokens) if isinstance(tokens, Sequence) and not isinstance(tokens, str) else None
    causal = own("attention.causal")
    return Build(
        architecture=kind or None,
        layers=layers,
        width=width,
        heads=heads[0] if heads else None,
        kv_heads=sum(shared) if shared else None,
        key_width=keys,
        value_width=number(own("attention.value_length")) or keys,
        context=number(own("context_length")),
        vocabulary=number(own("vocab_size")) or count,
        window=number(own("attention.sliding_window")),
        generates=kind not in _GGUF_READS_ONLY and causal is not False if kind else None,
        compressed=number(own("attention.kv_lora_rank")) is not None
        or number(own("ssm.state_size")) is not None
        or number(own("wkv.head_size")) is not None,
        name=_text(metadata.get("general.name")),
    )


def _each(value: object, layers: int | None) -> list[int]:
    """Return a number of each layer: files say it once, or in a list."""
    if layers is None or layers > 10_000:
        return []
    if (one := number(value)) is not None:
        return [one] * layers
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == layers:
        found = [each for each in value if isinstance(each, int) and 0 <= each < 2**31]
        return found if len(found) == layers else []
    return []


def _of_config(config: Mapping[str, Any], name: str | None) -> Build:
    listed = config.get("architectures")
    kinds = [kind for kind in listed if isinstance(kind, str)] if isinstance(listed, list) else []
    if said := _text(config.get("hf_architecture")):
        kinds.append(said)
    kind = _text(config.get("architecture")) or _text(config.get("model_type"))
    inner = config.get("text_config")
    facts = {**config, **inner} if isinstance(inner, Mapping) else config
    found = {
        what: next((n for key in keys if (n := number(facts.get(key)))), None)
        for what, keys in _ALIASES.items()
    }
    layers, width, heads = found["layers"], found["width"], found["heads"]
    each = found["kv_heads"] or heads
    head = found["head_width"] or (width // heads if width and heads else None)
    generates = any(kind.endswith(_GENERATES) for kind in kinds) if kinds else None
    window = number(facts.get("sliding_window"))
    return Build(
        architecture=f"{kinds[0]} ({kind})" if kinds and kind else kinds[0] if kinds else kind,
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=each * layers if each and layers else None,
        key_width=head,
        value_width=head,
        context=found["context"],
        vocabulary=found["vocabulary"],
        window=window if facts.get("use_sliding_window") is not False else None,
        generates=generates,
        compressed=any(facts.get(key) for key in ("kv_lora_rank", "state_size", "ssm_state_size")),
        name=name or _text(config.get("_name_or_path")),
    )
