"""How numbers stand in files: the size of each type, and the way to single precision and back.

Everything works on flat pieces of a tensor, so that no tensor has to be in memory whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import DataError

from ..extras import extra
from ..faults import Fault, damaged
from ..formats.apr import codecs

Bytes = NDArray[np.uint8]
Singles = NDArray[np.float32]

PLAIN = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
    "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""Bytes of one number, for types that store each on its own."""

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
GGML_BLOCKS = {
    "Q4_0": (32, 18), "Q4_1": (32, 20), "Q5_0": (32, 22), "Q5_1": (32, 24), "Q8_0": (32, 34),
    "Q2_K": (256, 84), "Q3_K": (256, 110), "Q4_K": (256, 144), "Q5_K": (256, 176),
    "Q6_K": (256, 210),
}  # fmt: skip
"""Numbers and bytes of one block, for the types that llama.cpp made; a block never leaves its row."""

_APR = {"APR_Q4": (32, 18), "APR_Q8": (1, 1)}


def is_float(dtype: str) -> bool:
    """Whether the numbers are floating point, or blocks that stand for such.

    >>> is_float("BF16"), is_float("Q4_K"), is_float("I64")
    (True, True, False)
    """
    return dtype in FLOATS or dtype in GGML_BLOCKS or dtype in _APR


def block(dtype: str) -> tuple[int, int]:
    """Return how many numbers a piece of a tensor is made of at least, and their bytes.

    >>> block("F32"), block("Q4_K"), block("APR_Q4")
    ((1, 4), (256, 144), (32, 18))
    """
    return (1, PLAIN[dtype]) if dtype in PLAIN else _APR.get(dtype) or GGML_BLOCKS[dtype]


def bytes_of(dtype: str, shape: tuple[int, ...]) -> int:
    """Return the bytes of a tensor.

    >>> bytes_of("Q8_0", (2, 64)), bytes_of("APR_Q8", (3,)), bytes_of("APR_Q4", (33,))
    (136, 7, 36)
    """
    if dtype in _APR:
        return codecs.sizes_of(dtype, shape)[0]
    numbers, size = block(dtype)
    return prod(shape) // numbers * size


def to_singles(data: Bytes, dtype: str) -> Singles:
    """Return flat single-precision numbers of a piece that holds whole blocks; not for APR_Q8.

    >>> to_singles(np.array([0x80, 0x3F], dtype=np.uint8), "BF16").tolist()
    [1.0]
    """
    numbers, size = block(dtype)
    if dtype in GGML_BLOCKS:
        gguf = extra("gguf")
        # One row: gguf takes sixteen rows at a time, and a block for a row would be slow.
        return np.asarray(
            gguf.dequantize(data.reshape(1, -1), gguf.GGMLQuantizationType[dtype])
        ).reshape(-1)
    return codecs.decode(data.data, dtype, (data.size // size * numbers,))


def from_singles(numbers: Singles, dtype: str) -> Bytes:
    """Return flat numbers as ``F32``, ``F16``, ``BF16``, ``F64`` or ``APR_Q4`` (then of whole blocks).

    Raises ``DataError`` A208 where a finite number would be infinite in that type.

    >>> from_singles(np.array([1.0], dtype=np.float32), "BF16").tolist()
    [128, 63]
    """
    return np.concatenate(
        [np.frombuffer(each, dtype=np.uint8) for each in codecs.encode(numbers, dtype)]
        or [np.zeros(0, dtype=np.uint8)]
    )


def to_apr_q8(pieces: Callable[[], Iterator[Singles]]) -> Iterator[Bytes]:
    """Yield ``APR_Q8`` of a tensor that is read twice: once for its scale, once for its numbers.

    Its bytes are those of ``codecs.encode``, which needs the tensor whole.

    >>> pieces = to_apr_q8(lambda: iter([np.array([127.0, -127.0], np.float32)]))
    >>> [bytes(piece).hex() for piece in pieces]
    ['0000803f', '7f81']
    """
    top = np.float32(max((np.abs(finite(each, "APR_Q8")).max() for each in pieces()), default=0))
    with np.errstate(under="ignore"):
        scale = top / np.float32(127) if top else np.float32(1)
    yield np.frombuffer(np.asarray(scale, dtype="<f4").tobytes(), dtype=np.uint8)
    # The largest number of the tensor, put in front, makes the codec find this scale; its code is left out.
    for each in pieces():
        whole = from_singles(np.concatenate([np.array([top], dtype=np.float32), each]), "APR_Q8")
        yield whole[5:]


def finite(numbers: Singles, dtype: str) -> Singles:
    """Return the same numbers; ``DataError`` A208 where one is not finite."""
    if not np.isfinite(numbers).all():
        raise DataError(
            f"a tensor cannot be made {dtype}: it holds a number that is not finite",
            hint="keep it in a wider type",
            code="A208",
        )
    return numbers


def require_known(dtype: str, name: str, path: Path) -> None:
    """Raise ``DataError`` A205 for a type whose numbers cannot be read."""
    if dtype not in PLAIN and dtype not in GGML_BLOCKS and dtype not in _APR:
        raise damaged(Fault.UNKNOWN_TYPE, path, f"{name} is {dtype}")
