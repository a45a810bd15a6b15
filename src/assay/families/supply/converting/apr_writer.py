"""A model as one APR v2 file: tensors under Hugging Face's names, configuration, tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from assay import DataError

from ..formats.apr import TensorToWrite, write_apr
from ..formats.apr.parsed import is_side_name
from .source import NESTED, Source
from .weights import Target

_KEYS = {
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "num_kv_heads": "num_key_value_heads",
    "vocab_size": "vocab_size",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "max_position_embeddings",
    "rms_norm_eps": "rms_norm_eps",
    "head_dim": "head_dim",
}
"""Documented keys of APR to keys of ``config.json``."""

_NEOX = 2
_BITS = {
    "APR_Q8": ("q8", 8, None),
    "APR_Q4": ("q4", 4, 32),
    "Q4_K": ("q4_k", 4, 256),
    "Q6_K": ("q6_k", 6, 256),
}


def write_model(
    path: Path, source: Source, targets: Sequence[Target], made: Mapping[str, Any]
) -> None:
    """Write a model as APR; ``made`` is what the file says of its own making."""
    plain = {name: data for name, data in source.side_files.items() if is_side_name(name)}
    metadata = metadata_of(source, targets, plain)
    ours: dict[str, Any] = dict(made)
    if source.metadata:
        ours["metadata"] = dict(source.metadata)
    if nested := {name: data for name, data in source.side_files.items() if name not in plain}:
        ours[NESTED] = {name: _text(name, data, source.path) for name, data in nested.items()}
    tensors = (
        TensorToWrite(
            name=target.name, dtype=target.dtype, shape=target.shape, pieces=partial(_views, target)
        )
        for target in targets
    )
    write_apr(path, metadata | {"assay": ours}, tensors, plain)


def metadata_of(
    source: Source, targets: Sequence[Target], side_files: Mapping[str, bytes]
) -> dict[str, Any]:
    """Return the documented keys of an APR file, and ``hf_config``."""
    config = source.config or {}
    found: dict[str, Any] = {
        "model_type": config.get("model_type", "custom"),
        "original_format": source.format,
        "license": source.license,
        **{
            ours: config[theirs] for ours, theirs in _KEYS.items() if config.get(theirs) is not None
        },
    }
    if source.config is not None:
        found["hf_config"] = dict(config)
        found["architecture"] = config.get("model_type")
        found["hf_model_type"] = config.get("model_type")
        found["hf_architecture"] = next(iter(config.get("architectures") or ()), None)
    rope = config.get("rope_parameters") or {}
    theta = config.get("rope_theta", rope.get("full_attention", rope).get("rope_theta"))
    if theta is not None:
        found |= {"rope_theta": theta, "rope_type": _NEOX}  # rows are as transformers has them
    if quantised := {target.dtype for target in targets} & set(_BITS):
        name, bits, block = _BITS[min(quantised)]
        found["quantization"] = {
            "quant_type": name,
            "bits": bits,
            "symmetric": name in ("q8", "q4"),
        }
        if block:
            found["quantization"]["block_size"] = block
    if template := chat_template(side_files):
        found["chat_template"] = template
    return {key: value for key, value in found.items() if value is not None}


def chat_template(side_files: Mapping[str, bytes]) -> str | None:
    """Return the chat template of a model folder, wherever it has it; None for none."""
    if "chat_template.jinja" in side_files:
        return side_files["chat_template.jinja"].decode("utf-8", "replace")
    try:
        found = json.loads(side_files.get("tokenizer_config.json", b"{}"))
    except ValueError:
        return None
    template = found.get("chat_template") if isinstance(found, dict) else None
    return template if isinstance(template, str) else None


def _views(target: Target) -> Iterator[memoryview]:
    return (piece.data for piece in target.pieces())


def _text(name: str, data: bytes, where: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise DataError(
            f"APR files cannot carry {name}: it is in a folder and no text",
            where=str(where),
            hint="take it out of the folder",
            code="A208",
        ) from None
