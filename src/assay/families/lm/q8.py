"""The weights of a GGUF file in blocks of 8 bits, which llama.cpp multiplies faster than of 4.

*Covered*: a weight moves by at most half a step of its block of 32, whose step is the block's
largest weight over 127 (and by the rounding of that step to 16 bits); the metadata is copied byte
for byte, but for the number that names the encoding.  *Not covered*: precision that the shipped
file has lost already does not come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from struct import pack
from typing import Any, BinaryIO

from assay import Artifact, PlanError, PluginError
from assay.kept import cache_folder, kept

from .models import Located

MAKER = "assay.families.lm.q8/1"
"""Bump the number when any byte could change."""

_FILE_TYPE = 7
"""``general.file_type`` of a file whose matrices are mostly Q8_0."""

_AT_ONCE = 2**20
"""Weights that are unpacked at a time."""


def require_gguf() -> None:
    """Raise ``PluginError`` A401 unless gguf is installed."""
    if find_spec("gguf") is None:
        raise PluginError(
            "gguf is not installed",
            where="options.encoding",
            hint="run pip install 'assay-eval[lm]', or set encoding: shipped",
            code="A401",
        )


def encoded(shipped: Located) -> Located:
    """Return the file of the same weights in Q8_0, made the first time and then kept.

    Tensors of whole numbers and of 16 or more bits are copied.  Memory is bounded, whatever the
    size of the file.  Equal files give equal files.  Raises ``PlanError`` A104 when nothing in the
    file is to be encoded or an encoding is not known, ``PluginError`` A401 without gguf and A403
    when the file is damaged, ``AssayError`` A500 when the cache cannot be written.
    """
    require_gguf()
    maker = f"{MAKER} gguf/{version('gguf')}"
    source = shipped.artifact.digest.removeprefix("sha256:")
    name = f"{source[:32]}-q8_0-{maker.replace('/', '-').replace(' ', '-')}.gguf"
    path = cache_folder() / "gguf" / name
    digest = kept(path, lambda file: _write(shipped, file))
    artifact = Artifact(
        digest=f"sha256:{digest}",
        kind=shipped.artifact.kind,
        size=path.stat().st_size,
        parents=(shipped.artifact.digest,),
        made_by=maker,
        license=shipped.artifact.license,
    )
    return Located(path=path, artifact=artifact)


def _write(shipped: Located, file: BinaryIO) -> None:
    gguf: Any = import_module("gguf")
    try:
        reader = gguf.GGUFReader(shipped.path)
        _check(gguf, reader, shipped)
        _write_head(gguf, reader, file)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise _damaged(shipped, f"it cannot be read as GGUF: {error}") from error
    for tensor in reader.tensors:
        written = 0
        for piece in _pieces(gguf, tensor, shipped):
            written += file.write(piece)
        file.write(bytes(-written % int(reader.alignment)))


def _check(gguf: Any, reader: Any, shipped: Located) -> None:
    """Refuse what would come out as something else."""
    if reader.byte_order != "I":
        raise _unfit("the model file has the byte order of other machines")
    parts = reader.get_field("split.count")
    if parts is not None and parts.contents() > 1:
        raise _unfit("the model file is one of several parts")
    kinds = {tensor.tensor_type for tensor in reader.tensors if _is_packed(gguf, tensor)}
    if not kinds:
        raise _unfit(f"{shipped.path.name} holds no weights of less than 8 bits")
    known = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"}
    strange = sorted(kind.name for kind in kinds if kind.name not in known)
    if strange:
        raise _unfit(f"{shipped.path.name} holds weights in {', '.join(strange)}")


def _is_packed(gguf: Any, tensor: Any) -> bool:
    kinds = gguf.GGMLQuantizationType
    blocks = gguf.GGML_QUANT_SIZES[tensor.tensor_type][0]
    return bool(blocks > 1 and tensor.tensor_type != kinds.Q8_0)


def _write_head(gguf: Any, reader: Any, file: BinaryIO) -> None:
    """Write everything before the weights: the metadata as it is, and where each tensor stands."""
    start = reader.tensors[0].field.offset
    head = bytearray(reader.data[:start].tobytes())
    kind = reader.get_field("general.file_type")
    if kind is not None:
        at = kind.offset + sum(int(part.nbytes) for part in kind.parts[:-1])
        head[at : at + 4] = pack("<I", _FILE_TYPE)
    offset = 0
    for tensor in reader.tensors:
        name = tensor.name.encode()
        kind = _kind(gguf, tensor)
        blocks, size = gguf.GGML_QUANT_SIZES[kind]
        shape = [int(length) for length in tensor.shape]
        head += pack("<Q", len(name)) + name
        head += pack(f"<I{len(shape)}QIQ", len(shape), *shape, int(kind), offset)
        offset += _padded(int(tensor.n_elements) // blocks * size, int(reader.alignment))
    file.write(head)
    file.write(bytes(-len(head) % int(reader.alignment)))


def _kind(gguf: Any, tensor: Any) -> Any:
    return gguf.GGMLQuantizationType.Q8_0 if _is_packed(gguf, tensor) else tensor.tensor_type


def _pieces(gguf: Any, tensor: Any, shipped: Located) -> Iterator[bytes]:
    """Yield the bytes of a tensor, a bounded number of rows at a time."""
    rows = tensor.data.reshape(-1, tensor.data.shape[-1])
    at_once = max(1, _AT_ONCE * len(rows) // max(int(tensor.n_elements), 1))
    for first in range(0, len(rows), at_once):
        some = rows[first : first + at_once]
        if _is_packed(gguf, tensor):
            weights = gguf.dequantize(some, tensor.tensor_type)
            if not abs(weights).max() < float("inf"):
                raise _damaged(shipped, f"weights of {tensor.name} are not finite")
            some = gguf.quantize(weights, gguf.GGMLQuantizationType.Q8_0)
        yield some.tobytes()


def _padded(size: int, alignment: int) -> int:
    return size + -size % alignment


def _unfit(what: str) -> PlanError:
    return PlanError(what, where="options.encoding", hint="set encoding: shipped", code="A104")


def _damaged(shipped: Located, what: str) -> PluginError:
    return PluginError(
        f"the model file is damaged: {what}",
        where=str(shipped.path),
        hint="fetch the file again and compare its size and sha256",
        code="A403",
    )
