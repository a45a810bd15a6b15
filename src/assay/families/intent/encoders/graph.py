"""A BERT sentence encoder as an ONNX graph, written without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import PluginError

from ..extras import extra
from .files import BertShape
from .versions import GRAPH, OPSET

IR_VERSION = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """How a graph multiplies by weights and looks words up: all that precision changes."""

    product: Callable[[Writer, str, str, NDArray[np.float32]], str]
    """Append ``x @ kernel``: writer, x, name of the kernel, kernel [of, to]."""

    lookup: Callable[[Writer, str, NDArray[np.float32]], str]
    """Append the rows of a table that ``input_ids`` number: writer, name of the table, table."""


def bert_graph(
    weights: Mapping[str, NDArray[np.float32]],
    shape: BertShape,
    arithmetic: Arithmetic | None = None,
) -> bytes:
    """Write the graph of a BERT encoder with mean pooling as a serialised ONNX model.

    Inputs ``input_ids`` and ``attention_mask``, int64 [batch, sequence]; output ``embedding``,
    float32 [batch, hidden], of length one where the model normalises.  The weights (names as in
    ``transformers``' ``BertModel``) are inside the graph; without an ``arithmetic``, as fp32.  Raises ``PluginError`` A403 when a weight
    is missing or has the wrong shape.

    Pooling is a matrix product and not a ``ReduceSum``, because onnxruntime sums a batch of one in
    another order than a batch of two; so an embedding does not depend on what it is batched with,
    to the last bit (measured on x86 with 1 and 2 threads; the tests look again).

    *Not to be trusted when* the output has not been compared with the reference implementation:
    see ``encoder.encoder_agrees``.
    """
    writer = Writer(weights, arithmetic or FP32)
    x = _embed(writer, shape)
    mask = writer.add("Cast", "attention_mask", to=writer.onnx.TensorProto.FLOAT)
    bias = _attention_bias(writer, mask)
    for layer in range(shape.layers):
        x = _layer(writer, x, bias, prefix=f"encoder.layer.{layer}.", shape=shape)
    pooled = _mean(writer, x, mask)
    if shape.normalises:
        pooled = writer.add("LpNormalization", pooled, axis=-1, p=2)
    return writer.model(pooled, hidden=shape.hidden)


class Writer:
    """Collects nodes and initializers; every value is named by its operator and number."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], arithmetic: Arithmetic) -> None:
        self.onnx = extra("onnx")
        self.weights = weights
        self.arithmetic = arithmetic
        self.made: dict[str, Any] = {}
        """What was appended once for several readers, by a name of the arithmetic's choice."""
        self.norms: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
        """Scale and bias of each layer normalisation, by its output."""
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of its only output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(
            self.onnx.helper.make_node(operator, inputs, [name], name=name, **attributes)
        )
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep an array under a name, once."""
        if name not in self.initializers:
            tensor = self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
            self.initializers[name] = tensor
        return name

    def axes(self, *axes: int) -> str:
        """Keep a small vector of integers, named by its content."""
        return self.constant("axes_" + "_".join(map(str, axes)), np.array(axes, dtype=np.int64))

    def scalar(self, value: float) -> str:
        """Keep a float32 number, named by its content."""
        return self.constant(f"scalar_{value!r}", np.array(value, dtype=np.float32))

    def weight(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return a weight of the model, of just this shape."""
        found = self.weights.get(name)
        if found is None or found.shape != shape or found.dtype != np.float32:
            said = "missing" if found is None else f"{found.dtype} {list(found.shape)}"
            raise PluginError(
                f"the weight {name} is {said}; a BERT of this configuration has float32 "
                f"{list(shape)}",
                code="A403",
            )
        return found

    def rows(self, name: str) -> int:
        """Return the first dimension of a weight whose size no configuration tells; 0 if absent."""
        found = self.weights.get(name)
        return 0 if found is None or not found.ndim else len(found)

    def dense(self, x: str, name: str, *, of: int, to: int) -> str:
        """Append ``x @ weight.T + bias``."""
        bias = self.weight(f"{name}.bias", to)
        kernel = self.weight(f"{name}.weight", to, of).T
        product = self.arithmetic.product(self, x, f"{name}.weight", kernel)
        return self.add("Add", product, self.constant(f"{name}.bias", bias))

    def norm(self, x: str, name: str, *, shape: BertShape) -> str:
        """Append a layer normalisation."""
        scale, bias = (self.weight(f"{name}.{part}", shape.hidden) for part in ("weight", "bias"))
        inputs = (self.constant(f"{name}.weight", scale), self.constant(f"{name}.bias", bias))
        found = self.add("LayerNormalization", x, *inputs, axis=-1, epsilon=shape.epsilon)
        self.norms[found] = scale, bias
        return found

    def model(self, output: str, *, hidden: int) -> bytes:
        """Return the bytes of the finished model."""
        helper, proto = self.onnx.helper, self.onnx.TensorProto
        self.nodes.append(helper.make_node("Identity", [output], ["embedding"]))
        graph = helper.make_graph(
            self.nodes,
            "sentence_encoder",
            [
                helper.make_tensor_value_info(name, proto.INT64, ["batch", "sequence"])
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("embedding", proto.FLOAT, ["batch", hidden])],
            list(self.initializers.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="assay.families.intent.encoders.graph",
            producer_version=GRAPH,
        )
        return bytes(model.SerializeToString(deterministic=True))


def _product(writer: Writer, x: str, name: str, kernel: NDArray[np.float32]) -> str:
    return writer.add("MatMul", x, writer.constant(name, kernel))


def _lookup(writer: Writer, name: str, table: NDArray[np.float32]) -> str:
    return writer.add("Gather", writer.constant(name, table), "input_ids", axis=0)


FP32 = Arithmetic(product=_product, lookup=_lookup)


def _embed(writer: Writer, shape: BertShape) -> str:
    """Words plus positions plus the first segment, normalised."""

    def table(part: str) -> NDArray[np.float32]:
        name = f"embeddings.{part}_embeddings.weight"
        return writer.weight(name, writer.rows(name), shape.hidden)

    length = writer.add("Gather", writer.add("Shape", "input_ids"), writer.axes(1), axis=0)
    rows = writer.constant("places", table("position") + table("token_type")[0])
    place = writer.add("Slice", rows, writer.axes(0), length, writer.axes(0))
    word = writer.arithmetic.lookup(writer, "words", table("word"))
    return writer.norm(writer.add("Add", word, place), "embeddings.LayerNorm", shape=shape)


def _attention_bias(writer: Writer, mask: str) -> str:
    """Zero where a key counts, the lowest float where it is padding: [batch, 1, 1, sequence]."""
    keys = writer.add("Unsqueeze", mask, writer.axes(1, 2))
    absent = writer.add("Sub", writer.scalar(1.0), keys)
    return writer.add("Mul", absent, writer.scalar(float(np.finfo(np.float32).min)))


def _layer(writer: Writer, x: str, bias: str, *, prefix: str, shape: BertShape) -> str:
    head = shape.hidden // shape.heads
    split = writer.axes(0, 0, shape.heads, head)

    def project(part: str, order: list[int]) -> str:
        flat = writer.dense(x, f"{prefix}attention.self.{part}", of=shape.hidden, to=shape.hidden)
        return writer.add("Transpose", writer.add("Reshape", flat, split), perm=order)

    query, key, value = (
        project("query", [0, 2, 1, 3]),
        project("key", [0, 2, 3, 1]),
        project("value", [0, 2, 1, 3]),
    )
    scores = writer.add("Div", writer.add("MatMul", query, key), writer.scalar(head**0.5))
    shares = writer.add("Softmax", writer.add("Add", scores, bias), axis=-1)
    context = writer.add("Transpose", writer.add("MatMul", shares, value), perm=[0, 2, 1, 3])
    joined = writer.add("Reshape", context, writer.axes(0, 0, shape.hidden))
    hidden, wide = shape.hidden, writer.rows(f"{prefix}intermediate.dense.bias")
    attended = writer.dense(joined, f"{prefix}attention.output.dense", of=hidden, to=hidden)
    x = writer.norm(
        writer.add("Add", attended, x), f"{prefix}attention.output.LayerNorm", shape=shape
    )
    inner = writer.dense(x, f"{prefix}intermediate.dense", of=hidden, to=wide)
    outer = writer.dense(writer.add("Gelu", inner), f"{prefix}output.dense", of=wide, to=hidden)
    return writer.norm(writer.add("Add", outer, x), f"{prefix}output.LayerNorm", shape=shape)


def _mean(writer: Writer, x: str, mask: str) -> str:
    """The mean of the tokens that are not padding, as a product [1, sequence] by [sequence, n]."""
    row = writer.add("Unsqueeze", mask, writer.axes(1))
    column = writer.add("Unsqueeze", mask, writer.axes(2))
    total = writer.add("MatMul", row, x)
    count = writer.add("MatMul", row, column)
    return writer.add("Squeeze", writer.add("Div", total, count), writer.axes(1))
