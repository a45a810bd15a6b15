"""The tensors of any model file as one safetensors file, written a tensor at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..header import ModelFile, TensorEntry

AS_THEY_STAND = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")
"""Types that safetensors has too: their bytes are copied.  Any other is unpacked to 32 bits."""

_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
_AT_ONCE = 2**24


def write_weights(model: ModelFile, file: BinaryIO, *, adjacent: int = 0) -> None:
    """Write the tensors of ``model``, by name, as safetensors.

    No more than one tensor is held.  ``adjacent`` is the width of a head where rows of queries and
    keys stand as llama.cpp has them, in adjacent pairs, and are put back into halves; 0 where they
    stand as on the Hub.  The format: huggingface.co/docs/safetensors.
    """
    tensors = sorted(model.header.tensors, key=lambda tensor: tensor.name)
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in tensors:
        dtype = _dtype(tensor)
        size = tensor.numbers * _BYTES.get(dtype, 1)
        head[tensor.name] = {
            "dtype": dtype,
            "shape": list(tensor.shape),
            "data_offsets": [at, at + size],
        }
        at += size
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for tensor in tensors:
        file.writelines(_parts(model, tensor, adjacent))


def _dtype(tensor: TensorEntry) -> str:
    return tensor.dtype if tensor.dtype in AS_THEY_STAND else "F32"


def _parts(model: ModelFile, tensor: TensorEntry, adjacent: int) -> Iterator[Any]:
    turned = adjacent and tensor.name.endswith(
        tuple(f"{which}_proj.{what}" for which in "qk" for what in ("weight", "bias"))
    )
    if tensor.dtype in AS_THEY_STAND and not turned:
        with model.raw(tensor.name) as whole:
            for start in range(0, len(whole), _AT_ONCE):
                yield whole[start : start + _AT_ONCE]
        return
    numbers = model.numbers(tensor.name)
    if turned:
        rows = numbers.shape[0]
        apart = numbers.reshape(rows // adjacent, adjacent // 2, 2, *numbers.shape[1:])
        numbers = apart.swapaxes(1, 2).reshape(numbers.shape)
    yield numbers.astype("<f4", copy=False).tobytes()
