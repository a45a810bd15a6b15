"""A classifier head as an ONNX graph, which says what the head says or is not written.

Input ``features``, float32 [batch, features]; outputs ``logits`` and ``probabilities``, float32
[batch, labels].  Labels stand in the graph's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assay import DataError

from ..extras import extra
from .head import ClassifierHead

OPSET, IR_VERSION = 18, 9
CLOSE = 1e-5
"""How far a probability of the graph may be from that of the head in double precision."""

_TRIED = 256
_NODES = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}


def write_onnx(path: Path, head: ClassifierHead, made: Mapping[str, Any]) -> None:
    """Write the head, after onnxruntime has said what the head says on random features.

    Raises ``DataError`` A208 where it says something else.
    """
    data = graph_of(head, made)
    check_says_the_same(data, head)
    path.write_bytes(data)


def graph_of(head: ClassifierHead, made: Mapping[str, Any]) -> bytes:
    """Return the graph, serialised; equal heads give equal bytes."""
    helper, proto = extra("onnx.helper"), extra("onnx").TensorProto
    graph = _Graph()
    inner = "features"
    for layer in head.layers:
        weights, bias = graph.keep(layer.weights), graph.keep(layer.bias)
        inner = graph.add("Gemm", inner, weights, bias, transB=1)
        if layer.activation != "none":
            inner = graph.add(_NODES[layer.activation], inner)
    graph.add("Identity", inner, output="logits")
    _probabilities(graph, head)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "classifier_head",
            [helper.make_tensor_value_info("features", proto.FLOAT, ["batch", head.features])],
            [
                helper.make_tensor_value_info(name, proto.FLOAT, ["batch", len(head.labels)])
                for name in ("logits", "probabilities")
            ],
            graph.kept,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="assay",
    )
    said = {"labels": list(head.labels), **head.card, "assay": dict(made)}
    helper.set_model_props(
        model, {key: json.dumps(value, sort_keys=True) for key, value in said.items()}
    )
    return bytes(model.SerializeToString(deterministic=True))


def check_says_the_same(data: bytes, head: ClassifierHead) -> None:
    """Raise ``DataError`` A208 unless onnxruntime agrees with the head on random features."""
    runtime: Any = extra("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    rows = np.random.default_rng(0).normal(size=(_TRIED, head.features)).astype(np.float32)
    logits, shares = session.run(["logits", "probabilities"], {"features": rows})
    expected = head.logits(rows.astype(np.float64))
    scale = 1 + np.abs(expected).max()
    off = max(
        float(np.abs(logits - expected).max() / scale),
        float(np.abs(shares - head.probabilities(expected)).max()),
    )
    if not off <= CLOSE:
        raise DataError(
            f"REFUSED: the graph's answers are {off:.2g} from the head's, more than {CLOSE:g}",
            hint="report it with the head",
            code="A208",
        )


def _probabilities(graph: _Graph, head: ClassifierHead) -> None:
    if head.curve is None:
        divided = graph.add("Div", "logits", graph.keep(np.array(head.temperature)))
        graph.add("Softmax", divided, output="probabilities", axis=1)
        return
    # The log-odds of a class: its logit less the log of the others' sum, each by its own largest other.
    classes = len(head.labels)
    without = graph.keep(np.where(np.eye(classes, dtype=bool), -1e30, 0.0))
    wide = graph.add("Unsqueeze", "logits", graph.whole(1))
    others = graph.add("Add", wide, without)
    top = graph.add("ReduceMax", others, graph.whole(2), keepdims=1)
    summed = graph.add(
        "ReduceSum", graph.add("Exp", graph.add("Sub", others, top)), graph.whole(2), keepdims=0
    )
    rest = graph.add("Add", graph.add("Squeeze", top, graph.whole(2)), graph.add("Log", summed))
    odds = graph.add("Mul", graph.add("Sub", "logits", rest), graph.keep(head.curve.slope))
    shifted = graph.add("Add", odds, graph.keep(head.curve.offset))
    held = graph.add("Clip", shifted, graph.keep(np.array(-30.0)), graph.keep(np.array(30.0)))
    each = graph.add("Sigmoid", held)
    total = graph.add("ReduceSum", each, graph.whole(1), keepdims=1)
    graph.add("Div", each, total, output="probabilities")


class _Graph:
    """Collects nodes and arrays; names are numbers, so that equal graphs are equal bytes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.kept: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        name = output or f"{operator}_{len(self.nodes)}"
        make = extra("onnx.helper").make_node
        self.nodes.append(make(operator, inputs, [name], name=f"node_{name}", **attributes))
        return name

    def keep(self, array: Any) -> str:
        """Keep an array in single precision."""
        return self._keep(np.asarray(array, dtype=np.float32))

    def whole(self, axis: int) -> str:
        """Keep the number of an axis."""
        return self._keep(np.array([axis], dtype=np.int64))

    def _keep(self, array: Any) -> str:
        name = f"array_{len(self.kept)}"
        make = extra("onnx.numpy_helper").from_array
        self.kept.append(make(np.ascontiguousarray(array), name))
        return name
