"""The arithmetic of an int8 encoder: weights of seven bits, activations of eight, scaled by token.

Every token's activations have a scale of their own, so that no embedding depends on what it is
batched with; a scale for the whole tensor, as dynamic quantisation has it, makes it depend, and is
coarser.  Weights stay within 63 of zero: two products of eight and seven bits fit into the 16 bits
that processors without VNNI add up in, so that integers come out the same on all of them.

Three things stay finer than that, because most of the error was theirs: the values of attention are
multiplied in floats; so are the four widest channels of what a layer normalisation gives, which would
set the scale of all others; and what comes out of a GELU, never below -0.17, is rounded from there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .graph import FP32, Arithmetic, Writer

IN_FLOATS = ".attention.self.value.weight"
WIDE = 4
GELU_FLOOR = 0.17
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
    if name.endswith(IN_FLOATS):
        return FP32.product(writer, x, name, kernel)
    if x in writer.norms:
        wide = widest(*writer.norms[x])
        rest, narrow = kernel.copy(), _narrow(writer, x, wide)
        rest[wide] = 0
        top = writer.constant(f"{x}.wide", wide)
        exact = writer.add(
            "MatMul",
            writer.add("Gather", x, top, axis=-1),
            writer.constant(f"{name}.wide", kernel[wide]),
        )
        return writer.add("Add", _integers(writer, narrow, name, rest), exact)
    if x.startswith("Gelu_"):
        return _from_gelu(writer, x, name, kernel)
    return _integers(writer, x, name, kernel)


def widest(
    scale: NDArray[np.float32], bias: NDArray[np.float32], *, count: int = WIDE
) -> NDArray[np.int64]:
    """Return which channels of a layer normalisation reach farthest, in order.

    >>> widest(np.array([1, 5, 1, 1], np.float32), np.array([0, 0, 3, 0], np.float32), count=2).tolist()
    [1, 2]
    """
    reach = np.hypot(scale, bias) + np.abs(bias)
    return np.sort(np.argsort(reach, kind="stable")[-count:]).astype(np.int64)


def _narrow(writer: Writer, x: str, wide: NDArray[np.int64]) -> str:
    """Append ``x`` without its widest channels: once for each x."""
    key = f"{x} narrowed"
    if key not in writer.made:
        kept = np.ones(len(writer.norms[x][0]), dtype=np.float32)
        kept[wide] = 0
        writer.made[key] = writer.add("Mul", x, writer.constant(f"{x}.narrow", kept))
    return str(writer.made[key])


def _integers(writer: Writer, x: str, name: str, kernel: NDArray[np.float32]) -> str:
    integers, scales = scaled(kernel, steps=WEIGHT_STEPS, axis=0)
    activations, scale = _by_token(writer, x)
    return _multiplied(writer, activations, scale, name, (integers, scales), zero=ZERO)


def _from_gelu(writer: Writer, x: str, name: str, kernel: NDArray[np.float32]) -> str:
    """Append the product of what is never below -0.17, rounded in 255 steps from there."""
    integers, scales = scaled(kernel, steps=WEIGHT_STEPS, axis=0)
    above = writer.add("Add", x, writer.scalar(GELU_FLOOR))
    largest = writer.add("ReduceMax", above, writer.axes(-1), keepdims=1)
    scale = _at_least(writer, writer.add("Mul", largest, writer.scalar(1 / 255)))
    steps = writer.add("Round", writer.add("Div", above, scale))
    unsigned = writer.add("Cast", steps, to=writer.onnx.TensorProto.UINT8)
    found = _multiplied(writer, unsigned, scale, name, (integers, scales), zero=0)
    shift = -GELU_FLOOR * (integers.astype(np.float64) * scales).sum(axis=0)
    return writer.add("Add", found, writer.constant(f"{name}.shift", shift.astype(np.float32)))


def _multiplied(
    writer: Writer,
    activations: str,
    scale: str,
    name: str,
    weights: tuple[NDArray[np.int8], NDArray[np.float32]],
    *,
    zero: int,
) -> str:
    integers, scales = weights
    product = writer.add(
        "MatMulInteger",
        activations,
        writer.constant(name, integers),
        writer.constant(f"zero_{zero}", np.array(zero, dtype=np.uint8)),
    )
    whole = writer.add("Cast", product, to=writer.onnx.TensorProto.FLOAT)
    by_token = writer.add("Mul", whole, scale)
    return writer.add("Mul", by_token, writer.constant(f"{name}.scale", scales[0]))


def _at_least(writer: Writer, scale: str) -> str:
    return writer.add("Max", scale, writer.scalar(SMALLEST))


def _by_token(writer: Writer, x: str) -> tuple[str, str]:
    """Append the activations as unsigned integers and the scale of each token: once for each x."""
    if x not in writer.made:
        largest = writer.add("ReduceMax", writer.add("Abs", x), writer.axes(-1), keepdims=1)
        scale = _at_least(writer, writer.add("Mul", largest, writer.scalar(1 / (ZERO - 1))))
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


ARITHMETIC = Arithmetic(product=_product, lookup=_lookup)
