"""A network as an ONNX graph: raw features in, values, masks and reasons out, scaling inside.

Covered: rows that hold NaN or an infinity, products that overflow, an angle or a quotient without a
value (see ``deployed.Outputs``).  Not covered: rows unlike those of training; ensembles.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import log

import numpy as np

from ..learning.binned import Binned
from ..learning.projective import Projective
from ..learning.rows import Scale
from ..learning.two_heads import TwoHeads
from .deployed import NAMES, PROVENANCE, Deployed
from .writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """Names of what a head says, before the gate."""

    value: str
    """Scaled, [rows, outputs]."""

    sure: str
    """What the gate looks at, [rows]."""

    fault: str
    own: str
    reason: str
    """The place of the reason, [rows], int64."""


def graph_of(deployed: Deployed) -> bytes:
    """Return a network as a serialised ONNX model.

    Input ``features``, float64 [rows, features], in the units of the task.  Outputs in the order of
    ``NAMES``: ``decoded`` float64 [rows, outputs], NaN where there is no value; four masks, bool
    [rows]; ``bottom_provenance`` int64 [rows], 0 none, 1 fault, 2 semantic, 3 mixed; ``confidence``
    float64 [rows]; ``reason`` int64 [rows], a place in the reasons, or -1.

    *Not to be trusted when* it has not been compared with the records of its run: a bundle is.
    """
    writer, gate, scale = Writer(), deployed.gate, deployed.scale
    given = writer.any_not("features")
    x = writer.add("Sub", "features", writer.array("x_mean", scale.x_mean))
    out, hidden = _trunk(writer, deployed, writer.add("Div", x, writer.array("x_sd", scale.x_sd)))
    head = _head(writer, deployed, out, hidden)
    values = _outward(writer, scale, head.value)
    lost = writer.any_not(values)
    was = writer.add("Not", writer.any_not(head.value))
    fault = writer.add("Or", head.fault, given)
    fault = writer.add("Or", fault, writer.add("And", was, lost))
    sound = writer.add("Not", fault)
    semantic = writer.add("Less", head.sure, writer.number(gate.tau))
    if gate.own:
        semantic = writer.add("Or", semantic, head.own)
    semantic = writer.add("Or", semantic, writer.add("And", lost, sound))
    bottom = writer.add("Or", fault, semantic)
    # No confidence is below -1: a head without a margin has no gap.
    near = writer.number(-1.0 if gate.tau_train is None else gate.tau_train)
    gap = writer.add("And", writer.add("Not", bottom), writer.add("Less", head.sure, near))
    nan = writer.number(float("nan"))
    column = writer.add("Unsqueeze", bottom, writer.integers(1))
    sure = writer.add("Where", fault, writer.number(0.0), writer.within(head.sure, 0.0, 1.0))
    none = writer.array("no_reason", np.array(-1, dtype=np.int64))
    said = {
        "decoded": writer.add("Where", column, nan, values),
        "bottom_mask": bottom,
        "gap_mask": gap,
        "fault_mask": fault,
        "semantic_bottom_mask": semantic,
        "bottom_provenance": _provenance(writer, fault, semantic),
        "confidence": sure,
        "reason": writer.add("Where", fault, none, head.reason),
    }
    return _model(writer, deployed, said)


def _model(writer: Writer, deployed: Deployed, said: dict[str, str]) -> bytes:
    for name in NAMES:
        writer.output(name, said[name])
    proto = writer.onnx.TensorProto
    types = (proto.DOUBLE, *[proto.BOOL] * 4, proto.INT64, proto.DOUBLE, proto.INT64)
    width = len(deployed.scale.y_mean)
    shapes = (("rows", width), *[("rows",)] * 7)
    gate = deployed.gate
    return writer.model(
        {"features": ("rows", deployed.shape.inputs)},
        {n: (t, s) for n, t, s in zip(NAMES, types, shapes, strict=True)},
        {
            "reasons": json.dumps(deployed.reasons),
            "provenance": json.dumps(PROVENANCE),
            "tau_infer": repr(gate.tau),
            "tau_train": repr(gate.tau_train),
        },
    )


def _trunk(writer: Writer, deployed: Deployed, x: str) -> tuple[str, str]:
    """Append the hidden layers, and the one that says everything."""
    weights, shape = deployed.weights, deployed.shape

    def dense(x: str, layer: str) -> str:
        kernel, bias = (writer.array(f"{k}{layer}", weights[f"{k}{layer}"]) for k in "wb")
        return writer.add("Add", writer.add("MatMul", x, kernel), bias)

    for i in range(len(shape.hidden)):
        x = dense(x, str(i))
        if shape.activation == "relu":
            # ``Relu`` may make a number of NaN; this does not.
            below = writer.add("Less", x, writer.number(0.0))
            x = writer.add("Where", below, writer.number(0.0), x)
        else:
            spent = writer.add("Exp", writer.add("Neg", writer.within(x, -500.0, 500.0)))
            x = writer.add("Div", x, writer.add("Add", spent, writer.number(1.0)))
    return dense(x, "o"), x


def _head(writer: Writer, deployed: Deployed, out: str, hidden: str) -> _Head:
    head = deployed.head
    if isinstance(head, Projective):
        return _projective(writer, deployed, head, out, hidden)
    assert isinstance(head, TwoHeads | Binned)
    classes = 1 + head.reasons
    odds = _softmax(writer, writer.columns(out, 0, classes))
    if isinstance(head, TwoHeads):
        value = writer.columns(out, classes, classes + head.width)
    else:
        value = _means(writer, head, writer.columns(out, classes, head.outputs))
    fault = writer.add("Or", writer.any_not(odds), writer.any_not(value))
    likely = writer.add("ArgMax", odds, axis=1, keepdims=0)
    none = writer.array("class_value", np.array(0, dtype=np.int64))
    if head.reasons:
        rivals = writer.columns(odds, 1, classes)
        reason = writer.add("ArgMax", rivals, axis=1, keepdims=0)
    else:
        reason = writer.add("Sub", likely, writer.array("one", np.array(1, dtype=np.int64)))
    first = writer.add("Squeeze", writer.columns(odds, 0, 1), writer.integers(1))
    # NaN is below no threshold: a fault is no decline of the gate.
    sure = writer.add("Where", fault, writer.number(float("nan")), first)
    declines = writer.add("Not", writer.add("Equal", likely, none))
    own = writer.add("And", declines, writer.add("Not", fault))
    return _Head(value=value, sure=sure, fault=fault, own=own, reason=reason)


def _softmax(writer: Writer, logits: str) -> str:
    most = writer.add("ReduceMax", logits, writer.integers(-1), keepdims=1)
    powers = writer.add("Exp", writer.add("Sub", logits, most))
    total = writer.add("ReduceSum", powers, writer.integers(-1), keepdims=1)
    return writer.add("Div", powers, total)


def _means(writer: Writer, head: Binned, logits: str) -> str:
    """Append the mean of each output's intervals."""
    apart = writer.add("Reshape", logits, writer.integers(-1, head.width, head.bins))
    centres = writer.array("centres", head.centres[:, None])
    means = writer.add("MatMul", _softmax(writer, apart), centres)
    return writer.add("Squeeze", means, writer.integers(2))


def _projective(
    writer: Writer, deployed: Deployed, head: Projective, out: str, hidden: str
) -> _Head:
    p, q = _pair(writer, deployed, head, out)
    size = writer.add("Abs", q)
    square = writer.add("Add", writer.add("Mul", q, q), writer.number(head.epsilon**2))
    value = writer.add("Div", writer.add("Mul", p, q), square)
    sure = writer.add("Squeeze", size, writer.integers(1))
    own = writer.add("Less", sure, writer.number(head.taus.infer))
    astray = writer.add("And", writer.add("Not", own), writer.any_not(value))
    fault = writer.add("Or", writer.any_not(p), writer.any_not(q))
    return _Head(
        value=value,
        sure=sure,
        fault=writer.add("Or", fault, astray),
        own=own,
        reason=_direction(writer, deployed, head, (p, out, hidden)),
    )


def _pair(writer: Writer, deployed: Deployed, head: Projective, out: str) -> tuple[str, str]:
    """Append P, [rows, outputs], and Q, [rows, 1], on the unit circle."""
    if head.form == "angle":
        angle = writer.columns(out, 0, 1)
        return writer.add("Cos", angle), writer.add("Sin", angle)
    weights = deployed.weights
    p = _polynomial(writer, "p", weights["p"], writer.columns(out, 1, 1 + head.width))
    q = _polynomial(writer, "q", weights["q"], writer.columns(out, 0, 1))
    if head.anchored:
        q = writer.add("Add", q, writer.number(1.0))
    # By the largest first: squares of small numbers would be zero, of large ones none.
    one, zero = writer.number(1.0), writer.number(0.0)
    sizes = writer.add("Abs", writer.add("Concat", p, q, axis=1))
    largest = writer.add("ReduceMax", sizes, writer.integers(1), keepdims=1)
    none = writer.add("Or", writer.add("Equal", largest, zero), writer.add("IsInf", largest))
    gauge = writer.add("Where", none, one, largest)
    p, q = writer.add("Div", p, gauge), writer.add("Div", q, gauge)
    squares = writer.add("ReduceSum", writer.add("Mul", p, p), writer.integers(1), keepdims=1)
    square = writer.add("Add", squares, writer.add("Mul", q, q))
    # (0, 0) stays what it is, a bottom.
    length = writer.add("Where", writer.add("Equal", square, zero), one, writer.add("Sqrt", square))
    return writer.add("Div", p, length), writer.add("Div", q, length)


def _polynomial(writer: Writer, name: str, coefficients: np.ndarray, z: str) -> str:
    """Append polynomials by Horner's rule; ``coefficients`` are [outputs, degree + 1]."""

    def place(i: int) -> str:
        return writer.array(f"{name}_{i}", coefficients[None, :, i])

    degree = coefficients.shape[1] - 1
    found = place(degree)
    for i in range(degree - 1, -1, -1):
        found = writer.add("Add", writer.add("Mul", found, z), place(i))
    return found


def _direction(
    writer: Writer, deployed: Deployed, head: Projective, said: tuple[str, str, str]
) -> str:
    """Append the place of the reason that a rational head names."""
    p, out, hidden = said
    first = writer.columns(p, 0, 1)
    nobody = writer.add("Cast", writer.add("IsNaN", first), to=writer.onnx.TensorProto.INT64)
    zero = writer.add("Squeeze", writer.add("Sub", nobody, nobody), writer.integers(1))
    if head.reasons == 1:
        return zero
    if head.direction in ("joint", "detached") and head.reasons > 1:
        if head.direction == "joint":
            begin = head.outputs - head.reasons
            logits = writer.columns(out, begin, head.outputs)
        else:
            kernel, bias = (writer.array(n, deployed.weights[n]) for n in ("wd", "bd"))
            logits = writer.add("Add", writer.add("MatMul", hidden, kernel), bias)
        nan = writer.add("IsNaN", logits)
        logits = writer.add("Where", nan, writer.number(0.0), logits)
        return writer.add("ArgMax", logits, axis=1, keepdims=0)
    one = writer.array("one", np.array(1, dtype=np.int64))
    if head.direction == "sign" and head.reasons == 2:
        mean = writer.add("ReduceMean", p, writer.integers(1), keepdims=0)
        above = writer.add("Greater", mean, writer.number(0.0))
        return writer.add("Where", above, zero, one)
    return writer.add("Sub", zero, one)


def _outward(writer: Writer, scale: Scale, value: str) -> str:
    """Append values in their units."""
    made = writer.add("Mul", value, writer.array("y_sd", scale.y_sd))
    made = writer.add("Add", made, writer.array("y_mean", scale.y_mean))
    if scale.y_unit is None:
        return made
    sinh = _sinh(writer, writer.within(made, -800.0, 800.0))
    return writer.add("Mul", sinh, writer.array("y_unit", scale.y_unit))


def _sinh(writer: Writer, x: str) -> str:
    """Append sinh of x to the last bits: runtimes have it for single precision only."""
    size = writer.add("Abs", x)
    # Half of exp(|x|) overflows no sooner than the result does.
    half = writer.add("Exp", writer.add("Sub", size, writer.number(log(2.0))))
    large = writer.add("Sub", half, writer.add("Div", writer.number(0.25), half))
    square = writer.add("Mul", size, size)
    series = writer.number(1.0)
    for n in (14, 12, 10, 8, 6, 4, 2):
        step = writer.add("Div", square, writer.number(float(n * (n + 1))))
        series = writer.add("Add", writer.number(1.0), writer.add("Mul", step, series))
    small = writer.add("Mul", size, series)
    near = writer.add("Less", size, writer.number(0.5))
    found = writer.add("Where", near, small, large)
    return writer.add("Mul", found, writer.add("Sign", x))


def _provenance(writer: Writer, fault: str, semantic: str) -> str:
    integer = writer.onnx.TensorProto.INT64
    one, two = (writer.add("Cast", mask, to=integer) for mask in (fault, semantic))
    doubled = writer.add("Mul", two, writer.array("two", np.array(2, dtype=np.int64)))
    return writer.add("Add", one, doubled)
