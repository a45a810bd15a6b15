"""What a model needs of memory: its weights as they are stored, and keys and values of a context."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..header import ModelHeader
from .build import Build

CONTEXT = 4096
"""Tokens that memory is reckoned for where nobody says how many."""

KV_BYTES = 2
"""Bytes of a number of keys and values: runtimes keep them in 16 bits unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes to run a model; None for what cannot be said.  Activations come on top."""

    weights: int
    context: int | None
    kv_per_token: int | None
    kv: int | None
    total: int | None
    formula: str

    @property
    def facts(self) -> dict[str, Any]:
        """Return it as ``--json`` has it."""
        return asdict(self)


def memory_of(header: ModelHeader, build: Build, context: int | None = None) -> Memory:
    """Return what a model needs at so many tokens, with the formula.

    Weights are counted as they are stored: a runtime that turns them into wider numbers needs more.
    """
    weights = sum(tensor.size for tensor in header.tensors)
    if build.generates is False:
        return Memory(
            weights=weights,
            context=None,
            kv_per_token=None,
            kv=0,
            total=weights,
            formula="it makes no text, and keeps no keys and values",
        )
    numbers = build.kv_numbers
    if numbers is None:
        why = (
            "keys and values are kept in a compressed form, which is not reckoned"
            if build.compressed
            else "what a graph keeps of a token stands in no head"
            if header.format == "onnx"
            else "the file does not say what is kept of a token"
        )
        return Memory(
            weights=weights, context=None, kv_per_token=None, kv=None, total=None, formula=why
        )
    tokens = context or min(CONTEXT, build.context or CONTEXT)
    each = numbers * KV_BYTES
    formula = (
        f"{_heads(build)} x ({build.key_width:,} + {build.value_width:,}) numbers x {KV_BYTES} bytes "
        f"= {each:,} bytes a token"
    )
    if build.window:
        formula += f"; less in layers that look back {build.window:,} tokens"
    return Memory(
        weights=weights,
        context=tokens,
        kv_per_token=each,
        kv=tokens * each,
        total=weights + tokens * each,
        formula=formula,
    )


def _heads(build: Build) -> str:
    """Return how many heads keep keys and values, layer by layer where all have as many."""
    heads, layers = build.kv_heads or 0, build.layers or 1
    each = f"{layers:,} layers x {heads // layers:,}" if heads % layers == 0 else f"{heads:,}"
    return f"{each} head{'s' if heads > layers else ''}"
