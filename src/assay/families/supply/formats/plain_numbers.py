"""Bytes to numbers, for the types that are one number after another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..extras import extra
from ..faults import Fault, damaged

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64, "C128": 128,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U4": 4, "I4": 4, "U2": 2, "I2": 2,
}  # fmt: skip
"""Bits of a number, by type; no blocks, no scales."""

_NUMPY = {
    "BOOL": "u1", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8", "C128": "<c16",
}  # fmt: skip

_ML_DTYPES = {
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip


def bytes_of(dtype: str, numbers: int) -> int:
    """Return how many bytes numbers take, the last byte filled up.

    >>> bytes_of("BF16", 3), bytes_of("I4", 3)
    (6, 2)
    """
    return -(-numbers * BITS[dtype] // 8)


def plain_numbers(dtype: str, raw: memoryview, shape: Sequence[int], *, path: Path) -> Any:
    r"""Return little-endian numbers as an array: float32 for every real type, else their own.

    Raises A205 (``UNSUPPORTED``) for types that are packed into parts of bytes.

    >>> plain_numbers("BF16", memoryview(b"\x80\x3f"), (1,), path=Path("m")).tolist()
    [1.0]
    """
    import numpy as np

    if dtype == "BF16":
        wide = np.frombuffer(raw, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    if dtype in _NUMPY:
        found = np.frombuffer(raw, _NUMPY[dtype]).reshape(shape)
        if dtype == "BOOL":
            return found != 0
        with np.errstate(
            all="ignore"
        ):  # a number beyond float32 becomes infinite, and is told elsewhere
            return found.astype(np.float32, copy=False) if dtype[0] == "F" else found
    if dtype in _ML_DTYPES:
        kind = getattr(extra("ml_dtypes"), _ML_DTYPES[dtype])
        return np.frombuffer(raw, kind).reshape(shape).astype(np.float32)
    raise damaged(Fault.UNSUPPORTED, path, f"numbers of the type {dtype} are packed")
