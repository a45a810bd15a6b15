"""llama.cpp's own quantiser, a few rows at a time.

The kernels are those of the library that comes with ``xllamacpp``: ``ggml_quantize_chunk`` is called in it.
Which tensor becomes which type is llama.cpp's rule (``llama_tensor_get_type`` in src/llama-quant.cpp),
written down again here for dense decoders, because the wheel leaves ``llama_model_quantize`` out; tests
hold it to files that llama.cpp made.

*Covered*: the entry point is tried on numbers whose codes are known before it is trusted.
*Not covered*: importance matrices; models with experts; types below 4 bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from assay import PluginError
from assay.machines import usable_cpus

from ..extras import extra, require
from .elements import GGML_BLOCKS, Bytes, Singles, finite

_IDS = {"Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14}
FILE_TYPES = {
    "f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q8_0": 7, "q5_0": 8, "q5_1": 9,
    "q4_k_s": 14, "q4_k_m": 15, "q5_k_s": 16, "q5_k_m": 17, "q6_k": 18, "bf16": 32,
}  # fmt: skip
"""``general.file_type`` of a GGUF file: ``llama_ftype`` in llama.h."""

_BASE = {
    "q4_k_s": "Q4_K", "q4_k_m": "Q4_K", "q5_k_s": "Q5_K", "q5_k_m": "Q5_K", "q6_k": "Q6_K",
    "q4_0": "Q4_0", "q4_1": "Q4_1", "q5_0": "Q5_0", "q5_1": "Q5_1", "q8_0": "Q8_0",
}  # fmt: skip
MIXES = tuple(_BASE)
"""The mixtures that can be asked for."""

_NARROW = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""What stands in where rows are no whole number of blocks of 256."""


def type_in(mix: str, name: str, shape: tuple[int, ...], layers: int, *, tied: bool) -> str:
    """Return the type of a tensor (llama.cpp's name) in a mixture of a dense decoder.

    ``tied`` says that the embedding is the output head, too.

    >>> type_in("q4_k_m", "blk.0.ffn_down.weight", (1536, 8960), 28, tied=True)
    'Q6_K'
    >>> type_in("q4_k_m", "blk.0.attn_norm.weight", (1536,), 28, tied=True)
    'F32'
    """
    if len(shape) < 2 or not name.endswith("weight"):
        return "F32"
    wanted = _BASE[mix]
    part = name.split(".")[-2]
    if part == "output" or (part == "token_embd" and tied):
        wanted = wanted if wanted == "Q8_0" else "Q6_K"
        return wanted if shape[-1] % GGML_BLOCKS[wanted][0] == 0 else "Q8_0"
    if mix in ("q4_k_m", "q5_k_m", "q4_k_s", "q5_k_s") and part in ("attn_v", "ffn_down"):
        wanted = _raised(mix, part, int(name.split(".")[1]), layers)
    if shape[-1] % GGML_BLOCKS[wanted][0] == 0:
        return wanted
    narrow = _NARROW.get(wanted)
    return narrow if narrow and shape[-1] % GGML_BLOCKS[narrow][0] == 0 else "F16"


def _raised(mix: str, part: str, layer: int, layers: int) -> str:
    """Return the type of the two matrices that a mixture keeps finer in some layers."""
    some = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
    if mix in ("q4_k_m", "q5_k_m") and some:
        return "Q6_K"
    few = layer < 4 if part == "attn_v" else layer < layers // 8
    if mix == "q4_k_s" and few:
        return "Q5_K"
    return _BASE[mix]


def quantised(numbers: Singles, dtype: str, row: int) -> Bytes:
    """Return whole rows of finite numbers as blocks, made by as many threads as there are cores.

    Raises ``DataError`` A208 for a number that is not finite, ``PluginError`` A401 without xllamacpp,
    A403 for one whose quantiser is not the one that is known.
    """
    blocks, size = GGML_BLOCKS[dtype]
    if row % blocks or numbers.size % row:
        raise ValueError(f"{numbers.size} numbers are no rows of {row} in blocks of {blocks}")
    whole = np.ascontiguousarray(finite(numbers, dtype)).reshape(-1, row)
    threads = usable_cpus()
    each = max(1, -(-len(whole) // threads))
    parts = [whole[at : at + each] for at in range(0, len(whole), each)]
    kernel = _quantiser()
    # The foreign call lets other threads run, and rows do not depend on each other.
    with ThreadPoolExecutor(threads) as pool:
        made = pool.map(
            lambda part: _call(kernel, part, _IDS[dtype], row, size * row // blocks), parts
        )
        return np.concatenate([*made, np.zeros(0, dtype=np.uint8)])


def _call(kernel: Callable[..., int], numbers: Singles, kind: int, row: int, size: int) -> Bytes:
    rows = numbers.size // row
    made = np.empty(rows * size, dtype=np.uint8)
    written = kernel(kind, numbers.ctypes.data, made.ctypes.data, 0, rows, row, None)
    if written != made.size:
        raise _other(f"it wrote {written} bytes for {made.size}")
    return made


@cache
def _quantiser() -> Callable[..., int]:
    require("xllamacpp", "gguf")
    library: Any = ctypes.CDLL(extra("xllamacpp.xllamacpp").__file__)
    try:
        kernel = library.ggml_quantize_chunk
    except AttributeError:
        raise _other("it has no ggml_quantize_chunk") from None
    whole, pointer = ctypes.c_int64, ctypes.c_void_p
    kernel.argtypes = [ctypes.c_int, pointer, pointer, whole, whole, whole, pointer]
    kernel.restype = ctypes.c_size_t
    _try_out(kernel)
    return kernel  # type: ignore[no-any-return]  # a foreign function


def _try_out(kernel: Callable[..., int]) -> None:
    """Quantise a ramp to every type and compare it with what gguf makes of the codes.

    Another order of the types or of the arguments would be seen here, and not in a model.
    """
    gguf = extra("gguf")
    ramp = np.linspace(-1, 1, 512, dtype=np.float32)
    for dtype, kind in _IDS.items():
        blocks, size = GGML_BLOCKS[dtype]
        made = _call(kernel, ramp, kind, 256, size * 256 // blocks)
        back = gguf.dequantize(made.reshape(1, -1), gguf.GGMLQuantizationType[dtype])
        if np.abs(back.reshape(-1) - ramp).max() > 2 / 16:  # a step of 4 bits over [-1, 1]
            raise _other(
                f"its {dtype} of a ramp is off by {np.abs(back.reshape(-1) - ramp).max():g}"
            )


def _other(what: str) -> PluginError:
    return PluginError(
        f"the quantiser of xllamacpp is not the one that assay knows: {what}",
        where="xllamacpp",
        hint="install the version of xllamacpp in constraints.txt",
        code="A403",
    )
