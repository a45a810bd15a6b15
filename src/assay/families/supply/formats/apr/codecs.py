"""Numbers to the bytes of APR's tensor types, and back.

*Covered*: every type of the format; sizes; values that a type cannot hold are refused, never made
infinite in silence.  *Not covered*: writing Q4_K and Q6_K from numbers.  ``gguf`` can only undo them,
so their blocks come from a GGUF file as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay import DataError

from ...extras import extra

IDS = {
    "F32": 0,
    "F16": 1,
    "F64": 3,
    "I32": 4,
    "I64": 5,
    "I8": 6,
    "U8": 7,
    "Q4_K": 12,
    "Q6_K": 14,
    "BF16": 30,
    "APR_Q4": 128,
    "APR_Q8": 129,
}
"""Type to the number that a file has for it."""

LEGACY = {8: "APR_Q4", 9: "APR_Q8"}
"""Numbers of older files, which GGML has for types of its own."""

PLAIN = {
    "F32": "<f4",
    "F16": "<f2",
    "F64": "<f8",
    "I32": "<i4",
    "I64": "<i8",
    "I8": "i1",
    "U8": "u1",
}
"""Types that NumPy has, by its names."""

SUPER_BLOCKS = {"Q4_K": 144, "Q6_K": 210}
"""Bytes of 256 numbers."""

QUANTISED = frozenset({"APR_Q4", "APR_Q8", *SUPER_BLOCKS})

_CHUNK = 1 << 20  # numbers at a time: what a chunk needs besides its input is under 32 MiB
_BLOCK, _SUPER = 32, 256
Float = NDArray[np.float32]


def sizes_of(dtype: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bytes that a tensor of this type and shape takes; the first is what we write.

    Super-blocks are padded row by row or over the whole tensor, as writers differ; an empty tensor of
    ``APR_Q8`` has no scale in the reference writer.

    >>> sizes_of("APR_Q8", (3, 5)), sizes_of("APR_Q4", (33,)), sizes_of("Q4_K", (2, 128))
    ((19,), (36,), (288, 144))
    """
    numbers = prod(shape)
    if dtype == "APR_Q8":
        return (4 + numbers,) if numbers else (0, 4)
    if dtype == "APR_Q4":
        return (-(-numbers // _BLOCK) * 18,)
    if dtype in SUPER_BLOCKS:
        rows, last = prod(shape[:-1]), shape[-1] if shape else 1
        by_row = rows * -(-last // _SUPER) * SUPER_BLOCKS[dtype]
        flat = -(-numbers // _SUPER) * SUPER_BLOCKS[dtype]
        return (by_row,) if by_row == flat else (by_row, flat)
    return (numbers * (2 if dtype == "BF16" else np.dtype(PLAIN[dtype]).itemsize),)


def encode(values: NDArray[Any], dtype: str) -> Iterator[memoryview]:
    """Yield the bytes of an array, of any shape, as a type of the format, a million numbers at a time.

    Rounds to the nearest even for F16 and BF16, half away from zero for APR_Q8 (one scale for the
    tensor, ``max|x| / 127``) and APR_Q4 (a scale for each 32 numbers, ``max|x| / 7``, kept in f16).
    Raises A208 for what the type cannot hold: a finite number that would become infinite, one that
    is not finite in a quantised type, one that is no integer in an integer type.

    >>> import numpy as np
    >>> b"".join(encode(np.array([1.0, -2.0]), "F16")).hex()
    '003c00c0'

    Source: ``add_q8_tensor`` and ``add_q4_tensor`` of aprender's crate apr-format, whose bytes these
    are.  *Not to be trusted when* a tensor has outliers: APR_Q8 gives them all of its one scale.
    """
    flat = np.ascontiguousarray(values).reshape(-1)
    match dtype:
        case "APR_Q8":
            yield from _encode_q8(flat)
        case "APR_Q4":
            for chunk in _chunks(flat):
                yield _q4(_quantisable(chunk, dtype))
        case "BF16":
            for chunk in _chunks(flat):
                yield _bytes(_bf16(chunk))
        case _ if dtype in PLAIN:
            for chunk in _chunks(flat):
                yield _bytes(_plain(chunk, dtype))
        case _:
            raise DataError(
                f"numbers cannot be made {dtype}: only the blocks of a GGUF file can be kept",
                hint="quantise with llama.cpp to GGUF first, or use APR_Q4 or APR_Q8",
                code="A208",
            )


def decode(raw: memoryview | bytes, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the numbers of a tensor: float32, or integers as they are, in its shape.

    F32 and integers are a view of ``raw``, read-only if it is; others are new.  ``raw`` has one of the
    sizes of ``sizes_of``.  Needs the extra for Q4_K and Q6_K (``gguf.quants``).

    >>> decode(bytes.fromhex("0000803f7f81"), "APR_Q8", (2,))
    array([ 127., -127.], dtype=float32)
    """
    with np.errstate(all="ignore"):  # a file may hold what overflows; the reader sees infinities
        match dtype:
            case "APR_Q8":
                return _decode_q8(raw).reshape(shape)
            case "APR_Q4":
                return _decode_q4(raw, prod(shape)).reshape(shape)
            case "Q4_K" | "Q6_K":
                return _decode_super(raw, dtype, shape)
            case "BF16":
                wide = np.frombuffer(raw, "<u2").astype("<u4")
                wide <<= 16
                return wide.view("<f4").reshape(shape)
            case "F16" | "F64":
                return np.frombuffer(raw, PLAIN[dtype]).astype(np.float32).reshape(shape)
            case _:
                return np.frombuffer(raw, PLAIN[dtype]).reshape(shape)


def _chunks(flat: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for at in range(0, flat.size, _CHUNK):
        yield flat[at : at + _CHUNK]


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).data.cast("B")


def _refuse(dtype: str, why: str) -> DataError:
    return DataError(
        f"a tensor cannot be made {dtype}: {why}", hint="keep it in a wider type", code="A208"
    )


def _narrow(chunk: NDArray[Any], name: str, dtype: Literal["<f2", "<f4", "<f8"]) -> NDArray[Any]:
    with np.errstate(over="ignore", under="ignore"):
        made = chunk.astype(dtype, copy=False)
    if made.itemsize < chunk.itemsize and not np.array_equal(np.isinf(made), np.isinf(chunk)):
        raise _refuse(name, f"{np.abs(chunk[np.isfinite(chunk)]).max():g} would become infinite")
    return made


def _plain(chunk: NDArray[Any], dtype: str) -> NDArray[Any]:
    match dtype:
        case "F16":
            return _narrow(chunk, dtype, "<f2")
        case "F32":
            return _narrow(chunk, dtype, "<f4")
        case "F64":
            return _narrow(chunk, dtype, "<f8")
    holds = np.iinfo(PLAIN[dtype])
    if chunk.dtype.kind not in "iu":
        raise _refuse(dtype, f"it holds numbers of type {chunk.dtype}")
    if chunk.size and not (holds.min <= int(chunk.min()) and int(chunk.max()) <= holds.max):
        raise _refuse(dtype, f"it holds {chunk.min()} to {chunk.max()}")
    return chunk.astype(PLAIN[dtype], copy=False)


def _bf16(chunk: NDArray[Any]) -> NDArray[np.uint16]:
    """Round to the nearest bfloat16, ties to even; a NaN stays one."""
    given = _narrow(chunk, "BF16", "<f4")
    bits = given.view("<u4")
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1))) >> 16
    if not np.isfinite(given).all():
        rounded = np.where(np.isnan(given), (bits >> 16) | np.uint32(0x40), rounded)
    made = rounded.astype("<u2")
    if ((made & 0x7FFF) == 0x7F80).sum() != np.isinf(given).sum():
        raise _refuse("BF16", f"{np.abs(given[np.isfinite(given)]).max():g} would become infinite")
    return made


def _quantisable(chunk: NDArray[Any], dtype: str) -> Float:
    if not np.isfinite(chunk).all():
        raise _refuse(dtype, "it holds a number that is not finite")
    return _narrow(chunk, dtype, "<f4")


def _rounded(quotient: Float) -> Float:
    """Round half away from zero, in place.

    The largest float below one half, not one half: 0.49999997 + 0.5 is 1 in float32.
    """
    quotient += np.copysign(np.float32(0.49999997), quotient)
    return np.trunc(quotient, out=quotient)


def _divided(values: Float, scale: Float) -> Float:
    """Divide and round; where a scale has underflowed to zero, as the reference: 0 / 0 counts 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = _rounded(values / scale)
    if not scale.all():
        quotient[np.isnan(quotient)] = 0
    return quotient


def _encode_q8(flat: NDArray[Any]) -> Iterator[memoryview]:
    if not flat.size:
        return
    tops = [np.abs(_quantisable(chunk, "APR_Q8")).max() for chunk in _chunks(flat)]
    top = np.float32(max(tops))
    with np.errstate(under="ignore"):
        scale = np.asarray(top / np.float32(127) if top else 1, "<f4")
    yield _bytes(scale.reshape(1))
    for chunk in _chunks(flat):
        codes = _divided(_narrow(chunk, "APR_Q8", "<f4"), scale)
        yield _bytes(np.clip(codes, -127, 127, out=codes).astype(np.int8))


def _decode_q8(raw: memoryview | bytes) -> Float:
    numbers = np.frombuffer(raw, np.int8, offset=min(4, len(raw))).astype(np.float32)
    if numbers.size:
        numbers *= np.frombuffer(raw, "<f4", count=1)[0]
    return numbers


def _q4(chunk: Float) -> memoryview:
    blocks = -(-chunk.size // _BLOCK)
    values = np.zeros((blocks, _BLOCK), np.float32)
    values.reshape(-1)[: chunk.size] = chunk
    top = np.abs(values).max(axis=1, keepdims=True)
    with np.errstate(under="ignore", over="ignore"):
        scale = np.where(top == 0, np.float32(1), top / np.float32(7))
        kept = scale.astype("<f2")
    if np.isinf(kept).any():
        raise _refuse("APR_Q4", f"the scale of a block, {scale.max():g}, does not fit into f16")
    codes = _divided(values, scale)
    nibbles = (np.clip(codes, -8, 7, out=codes) + np.float32(8)).astype(np.uint8)
    nibbles.reshape(-1)[chunk.size :] = 0  # the reference leaves the bytes after the last number 0
    made = np.empty((blocks, 18), np.uint8)
    made[:, :2] = kept.view(np.uint8)
    made[:, 2:] = nibbles[:, ::2] | (nibbles[:, 1::2] << 4)
    return _bytes(made)


def _decode_q4(raw: memoryview | bytes, numbers: int) -> Float:
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 18)
    made = np.empty((len(blocks), _BLOCK), np.float32)
    for at in range(0, len(blocks), _CHUNK // _BLOCK):
        some, out = blocks[at : at + _CHUNK // _BLOCK], made[at : at + _CHUNK // _BLOCK]
        scale = np.ascontiguousarray(some[:, :2]).view("<f2").astype(np.float32)
        out[:, ::2] = some[:, 2:] & 15
        out[:, 1::2] = some[:, 2:] >> 4
        out -= 8
        out *= scale
    return made.reshape(-1)[:numbers]


def _decode_super(raw: memoryview | bytes, dtype: str, shape: tuple[int, ...]) -> Float:
    quants, size = extra("gguf.quants"), SUPER_BLOCKS[dtype]
    kind = extra("gguf").GGMLQuantizationType[dtype]
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, size)
    made = np.empty((len(blocks), _SUPER), np.float32)
    for at in range(0, len(blocks), _CHUNK // _SUPER):
        some = blocks[at : at + _CHUNK // _SUPER].reshape(1, -1)
        made[at : at + _CHUNK // _SUPER] = quants.dequantize(some, kind).reshape(-1, _SUPER)
    numbers = prod(shape)
    if len(raw) == sizes_of(dtype, shape)[0] and shape:  # every row begins a block
        rows = prod(shape[:-1])
        made = made.reshape(rows, -1)[:, : shape[-1]] if rows else made
    return np.ascontiguousarray(made).reshape(-1)[:numbers].reshape(shape)
