"""A graph without its large arrays, and the arrays one after another: what a runtime maps, it need not read."""

from __future__ import annotations

from ..extras import extra
from .files import digest_of

LARGE = 4096
"""Bytes from which an array stands outside the graph."""

PAGE = 4096
"""Each array begins where a page does, so that it can be mapped."""

HOLDS = "arrays"
"""Key of the metadata under which a graph names the digest of its arrays."""


def apart(model: bytes, location: str) -> tuple[bytes, bytes]:
    """Return a serialised ONNX model whose large arrays are in the file ``location``, and that file.

    The graph names the digest of the arrays, so its own digest speaks for both.  Equal models give
    equal bytes.  Source: "External data" in the ONNX specification.
    """
    onnx = extra("onnx")
    proto = onnx.load_from_string(model)
    arrays = bytearray()
    for tensor in proto.graph.initializer:
        data = tensor.raw_data
        if len(data) < LARGE:
            continue
        arrays.extend(bytes(-len(arrays) % PAGE))
        where = {"location": location, "offset": str(len(arrays)), "length": str(len(data))}
        arrays.extend(data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in where.items():
            tensor.external_data.add(key=key, value=value)
    onnx.helper.set_model_props(proto, {HOLDS: digest_of(bytes(arrays))})
    return bytes(proto.SerializeToString(deterministic=True)), bytes(arrays)
