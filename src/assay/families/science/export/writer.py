"""Writes ONNX graphs node by node, in double precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extras import extra

OPSET, IR_VERSION = 20, 9
PRODUCER = "assay.families.science.export"


class Writer:
    """Collects nodes and constants; every value is named by its operator and number."""

    def __init__(self) -> None:
        self.onnx = extra("onnx")
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of its only output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(
            self.onnx.helper.make_node(operator, inputs, [name], name=name, **attributes)
        )
        return name

    def array(self, name: str, value: NDArray[Any]) -> str:
        """Keep an array under a name, once."""
        if name not in self.constants:
            tensor = self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
            self.constants[name] = tensor
        return name

    def number(self, value: float) -> str:
        """Keep a double, named by its content."""
        return self.array(f"number_{value!r}", np.array(value, dtype=np.float64))

    def integers(self, *values: int) -> str:
        """Keep a vector of integers, named by its content."""
        return self.array("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def columns(self, x: str, begin: int, end: int) -> str:
        """Append columns ``begin`` to ``end`` of a matrix."""
        return self.add("Slice", x, self.integers(begin), self.integers(end), self.integers(1))

    def any_not(self, x: str) -> str:
        """Append which rows hold NaN or an infinity, shape [rows]."""
        none = self.add("Or", self.add("IsNaN", x), self.add("IsInf", x))
        counted = self.add("Cast", none, to=self.onnx.TensorProto.DOUBLE)
        most = self.add("ReduceMax", counted, self.integers(1), keepdims=0)
        return self.add("Greater", most, self.number(0.5))

    def within(self, x: str, low: float, high: float) -> str:
        """Append x limited to [low, high]; NaN stays NaN, which ``Clip`` does not promise."""
        above = self.add("Less", self.number(high), x)
        x = self.add("Where", above, self.number(high), x)
        return self.add("Where", self.add("Less", x, self.number(low)), self.number(low), x)

    def model(
        self,
        inputs: Mapping[str, Sequence[Any]],
        outputs: Mapping[str, tuple[int, Sequence[Any]]],
        told: Mapping[str, str],
    ) -> bytes:
        """Return the bytes of the finished model, checked; equal graphs are equal bytes.

        Inputs are doubles of these shapes; outputs have a type, and are values of the same name.
        """
        helper, proto = self.onnx.helper, self.onnx.TensorProto
        graph = helper.make_graph(
            self.nodes,
            "science_head",
            [helper.make_tensor_value_info(n, proto.DOUBLE, list(s)) for n, s in inputs.items()],
            [helper.make_tensor_value_info(n, t, list(s)) for n, (t, s) in outputs.items()],
            list(self.constants.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
        )
        helper.set_model_props(model, dict(sorted(told.items())))
        self.onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))

    def output(self, name: str, value: str) -> None:
        """Give a value the name of an output."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [value], [name], name=name))
