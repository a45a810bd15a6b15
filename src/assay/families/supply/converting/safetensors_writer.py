"""A safetensors file, and the model folder around it, written a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .weights import Target

_ORDER = ("U64", "I64", "F64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16", "I8", "U8", "BOOL")


def write_safetensors(path: Path, targets: Sequence[Target], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file; its bytes are those that the format's own library writes.

    Widest types first, then by name, as that library has it, so that every tensor is aligned.  Memory:
    a piece of a tensor.
    """
    ordered = sorted(targets, key=lambda each: (_ORDER.index(each.dtype), each.name))
    head: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    at = 0
    for target in ordered:
        end = at + target.size
        head[target.name] = {
            "dtype": target.dtype,
            "shape": list(target.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for target in ordered:
            for piece in target.pieces():
                file.write(piece.data)
        wrong = file.tell() != 8 + len(text) + at
    if wrong:
        raise RuntimeError(f"{path} has not the size of its tensors")


def write_folder(
    folder: Path,
    targets: Sequence[Target],
    *,
    config: Mapping[str, Any],
    side_files: Mapping[str, bytes],
    metadata: Mapping[str, str],
) -> None:
    """Write a model folder as transformers reads it: config.json, model.safetensors, side files."""
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", targets, metadata)
    text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    for name, data in side_files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)


def dtype_of_config(targets: Sequence[Target]) -> str | None:
    """Return torch's name of the one type that all floating-point tensors have.

    >>> one = Target(name="w", dtype="BF16", shape=(1,), pieces=lambda: iter(()))
    >>> dtype_of_config([one])
    'bfloat16'
    """
    names = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    held = {target.dtype for target in targets} & set(names)
    return names[held.pop()] if len(held) == 1 else None
