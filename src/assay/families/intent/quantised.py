"""The arithmetic of an int8 encoder: weights of seven bits, activations of eight, scaled by token.

Every token's activations have a scale of their own, so that no embedding depends on what it is
batched with; a scale for the whole tensor, as dynamic quantisation has it, makes it depend, and is
coarser.  Weights stay within 63 of zero: two products of eight and seven bits fit into the 16 bits
that processors without VNNI add up in, so that integers come out the same on all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .graph import Arithmetic, Writer

VERSION = "1"
"""Bump it whenever the bytes of a graph could change."""

WEIGHT_STEPS = 63
TABLE_STEPS = 127
ZERO = 128
"""The activation 0, unsigned."""

SMALLEST = 1e-12
"""Scale of a token whose activations are all zero."""


def scaled(
    table: NDArray[np.float32], *, steps: int, axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round to whole steps of a scale along an axis: integers, and their scales [1, n] or [n, 1].

    >>> integers, scales = scaled(np.array([[1.0, -2.0], [0.5, 4.0]], np.float32), steps=4, axis=0)
    >>> integers.tolist(), scales.tolist()
    ([[4, -2], [2, 4]], [[0.25, 1.0]])
    """
    largest = np.abs(table).max(axis=axis, keepdims=True)
    scales = np.maximum(largest / np.float32(steps), np.float32(SMALLEST))
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)


def _product(writer: Writer, x: str, name: str, kernel: NDArray[np.float32]) -> str:
    integers, scales = scaled(kernel, steps=WEIGHT_STEPS, axis=0)
    activations, scale = _by_token(writer, x)
    product = writer.add(
        "MatMulInteger",
        activations,
        writer.constant(name, integers),
        writer.constant("zero", np.array(ZERO, dtype=np.uint8)),
    )
    whole = writer.add("Cast", product, to=writer.onnx.TensorProto.FLOAT)
    by_token = writer.add("Mul", whole, scale)
    return writer.add("Mul", by_token, writer.constant(f"{name}.scale", scales[0]))


def _by_token(writer: Writer, x: str) -> tuple[str, str]:
    """Append the activations as unsigned integers and the scale of each token: once for each x."""
    if x not in writer.made:
        largest = writer.add("ReduceMax", writer.add("Abs", x), writer.axes(-1), keepdims=1)
        share = writer.add("Mul", largest, writer.scalar(1 / (ZERO - 1)))
        scale = writer.add("Max", share, writer.scalar(SMALLEST))
        steps = writer.add("Round", writer.add("Div", x, scale))
        shifted = writer.add("Add", steps, writer.scalar(float(ZERO)))
        unsigned = writer.add("Cast", shifted, to=writer.onnx.TensorProto.UINT8)
        writer.made[x] = unsigned, scale
    made: tuple[str, str] = writer.made[x]
    return made


def _lookup(writer: Writer, name: str, table: NDArray[np.float32]) -> str:
    integers, scales = scaled(table, steps=TABLE_STEPS, axis=1)
    rows = writer.add("Gather", writer.constant(name, integers), "input_ids", axis=0)
    scale = writer.add("Gather", writer.constant(f"{name}.scale", scales), "input_ids", axis=0)
    return writer.add("Mul", writer.add("Cast", rows, to=writer.onnx.TensorProto.FLOAT), scale)


INT8 = Arithmetic(product=_product, lookup=_lookup)
