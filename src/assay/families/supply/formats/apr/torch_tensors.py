"""An ``.apr`` file as torch tensors, in the file's own memory where the type allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...extras import extra
from .reading import Map, open_apr
from .whole import Extent

_SAME = {
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "F64": ("float64", 8),
    "I32": ("int32", 4),
    "I64": ("int64", 8),
    "I8": ("int8", 1),
    "U8": ("uint8", 1),
}


def torch_tensors(path: Path, *, extent: Extent = Extent.HEAD) -> dict[str, Any]:
    """Return the tensors of a file by name, as ``safetensors.torch.load_file`` does of its own.

    A type that torch has keeps it, and stands in the mapped file, read when it is used; writing to
    such a tensor copies the page and never changes the file.  Quantised types become float32 in memory.
    The checksum over the whole file is *not* computed (``Extent.WHOLE`` does): it would read every byte,
    and whoever loads a model compares its sha256 or its passport.  Raises what ``open_apr`` raises, A401
    without torch.
    """
    torch = extra("torch")
    made = {}
    with open_apr(path, extent=extent, memory=Map.PRIVATE) as file:
        for entry in file.header.tensors:
            name, width = _SAME.get(entry.dtype, ("", 1))
            if not name:
                made[entry.name] = torch.from_numpy(file.numbers(entry.name))
            elif not entry.numbers:
                made[entry.name] = torch.empty(entry.shape, dtype=getattr(torch, name))
            else:
                buffer = file.buffer(entry.name)
                if buffer.readonly or entry.start % width:  # unpacked, or APR1 has no alignment
                    buffer = memoryview(bytearray(buffer))
                flat = torch.frombuffer(buffer, dtype=getattr(torch, name))
                made[entry.name] = flat.reshape(entry.shape)
    return made
