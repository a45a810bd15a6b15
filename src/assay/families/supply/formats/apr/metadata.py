"""The JSON that an APR v2 file says of itself: bounded when read, in one order when written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from assay import DataError

from ...faults import Fault, damaged
from .layouts import Bytes

LIMIT = 16 * 2**20
"""Bytes; the limit that the format documents."""

ORDER = (
    *("model_type", "name", "description", "author", "license", "data_source", "data_license"),
    *("version", "source", "original_format", "created_at", "total_size", "param_count"),
    *("quantization", "sharding", "chat_template", "chat_format", "special_tokens"),
    *("architecture", "hf_architecture", "hf_model_type", "hidden_size", "num_layers"),
    *("num_heads", "num_kv_heads", "vocab_size", "intermediate_size", "max_position_embeddings"),
    *("rope_theta", "rope_type", "rms_norm_eps", "head_dim", "num_experts"),
    *("num_experts_per_tok", "moe_intermediate_size"),
)
"""The documented keys, in the order in which the reference writer writes them."""

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
"""Documented key to the names that files in the wild have for it."""

_KEPT_NULL = ("license", "data_source", "data_license")


def settled(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata under the documented names: an alias stands in where its key is absent.

    >>> settled({"n_embd": 576, "vocab_size": 9, "n_vocab": 8})
    {'vocab_size': 9, 'hidden_size': 576}

    *Not to be trusted when* a file means something else by an alias: nothing in it says so.
    """
    aliases = {alias for names in ALIASES.values() for alias in names}
    found = {key: value for key, value in metadata.items() if key not in aliases}
    for key, names in ALIASES.items():
        if found.get(key) is not None:
            continue
        for name in names:
            if metadata.get(name) is not None:
                found[key] = metadata[name]
                break
    return found


def parse(data: Bytes, path: Path, what: str) -> dict[str, Any]:
    """Return a JSON object; of a key that comes twice the last one.

    Raises A205: longer than ``LIMIT``, no JSON, no object, nested too deeply.
    """
    if len(data) > LIMIT:
        raise damaged(Fault.OVERSIZED, path, f"{what} of {len(data)} bytes; the limit is {LIMIT}")
    value = read_json(data, path, what)
    if not isinstance(value, dict):
        raise damaged(Fault.NONSENSE, path, f"{what} is not a JSON object")
    return value


def read_json(data: Bytes, path: Path, what: str) -> Any:
    """Return any JSON; A205 where it is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise damaged(Fault.NONSENSE, path, f"{what} is not JSON: {error}") from error


def compose(metadata: Mapping[str, Any], *, total_size: int, param_count: int) -> bytes:
    """Return the JSON of a file: documented keys in the documented order, then others by name.

    ``total_size`` (bytes of tensors) and ``param_count`` stand where ``metadata`` has none.  The same
    mapping gives the same bytes whatever its order.  Raises A200 for what JSON cannot say (NaN,
    infinity, an object of another kind) and for more than ``LIMIT`` bytes.

    >>> compose({"b": 1, "name": "m", "a": 2}, total_size=0, param_count=0)[:40]
    b'{"model_type":"custom","name":"m","licen'
    """
    given = {
        "model_type": "custom",
        **dict.fromkeys(_KEPT_NULL),
        "total_size": total_size,
        "param_count": param_count,
        **metadata,
    }
    known = [key for key in ORDER if key in given and (given[key] is not None or key in _KEPT_NULL)]
    others = sorted(key for key in given if key not in ORDER)
    try:
        text = msgspec.json.encode({key: _plain(given[key], key) for key in (*known, *others)})
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise DataError(f"the metadata cannot be written as JSON: {error}") from error
    if len(text) > LIMIT:
        raise DataError(f"the metadata takes {len(text)} bytes; the format allows {LIMIT}")
    return text


def _plain(value: Any, key: str) -> Any:
    """Return the value with every mapping in order; refuse what JSON would change in silence."""
    match value:
        case Mapping():
            return {str(name): _plain(value[name], f"{key}.{name}") for name in sorted(value)}
        case list() | tuple():
            return [_plain(item, key) for item in value]
        case float() if not math.isfinite(value):
            raise DataError(f"the metadata cannot be written as JSON: {key} is {value}")
        case None | bool() | int() | float() | str():
            return value
    raise DataError(f"the metadata cannot be written as JSON: {key} is of {type(value).__name__}")
