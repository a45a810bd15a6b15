"""All that can be said of a model from its files, as a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..header import ModelFile, ModelHeader
from .build import Build, build_of
from .licence import licence_of
from .memory import memory_of
from .tokens import Tokens, tokens_of

_BLOCK = 2**20


def description(
    model: ModelFile, *, context: int | None = None, tell: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Return what a model says of itself.  Every file of its weights is read once, for its sha256.

    ``tell`` is told of which file how many bytes more were read.
    """
    header, build, tokens = model.header, build_of(model.header), tokens_of(model)
    return {
        "path": str(model.path),
        "format": header.format,
        "variant": header.variant,
        "size": header.size,
        "name": build.name,
        "architecture": build.architecture,
        "layers": build.layers,
        "width": build.width,
        "heads": build.heads,
        "kv_heads": build.kv_heads,
        "context": build.context,
        "vocabulary": build.vocabulary,
        "tensors": len(header.tensors),
        "parameters": header.parameters,
        "dtypes": _dtypes(header),
        "tokenizer": tokens.facts if tokens else None,
        "chat_template": tokens.template_facts if tokens else None,
        "license": licence_of(model),
        "memory": memory_of(header, build, context).facts,
        "inputs": header.metadata.get("inputs") if header.format == "onnx" else None,
        "outputs": header.metadata.get("outputs") if header.format == "onnx" else None,
        "side_files": list(header.side_files),
        "files": [_digested(file, tell) for file in files_of(model)],
        "notes": [*header.notes, *_notes(model, build, tokens)],
    }


def _dtypes(header: ModelHeader) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for tensor in header.tensors:
        one = found.setdefault(tensor.dtype, {"tensors": 0, "numbers": 0, "bytes": 0})
        one["tensors"] += 1
        one["numbers"] += tensor.numbers
        one["bytes"] += tensor.size
    return dict(sorted(found.items(), key=lambda pair: -pair[1]["bytes"]))


def files_of(model: ModelFile) -> Iterator[Path]:
    """Yield the files that hold the weights."""
    homes = sorted({tensor.home for tensor in model.header.tensors} - {""})
    if model.path.is_dir():
        yield from (model.path / home for home in homes)
    else:
        yield model.path
        yield from (model.path.parent / home for home in homes)


def _digested(path: Path, tell: Callable[[str, int], None] | None) -> dict[str, Any]:
    digest, size = sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if tell:
                tell(path.name, len(block))
    return {"name": path.name, "size": size, "sha256": digest.hexdigest()}


def _notes(model: ModelFile, build: Build, tokens: Tokens | None) -> Iterator[str]:
    header = model.header
    if tokens and (twice := tokens.begins_twice):
        yield f"a prompt may begin twice: {twice}"
    if tokens and tokens.vocabulary and build.vocabulary and tokens.vocabulary > build.vocabulary:
        yield (
            f"the tokenizer has {tokens.vocabulary:,} tokens, the model {build.vocabulary:,}: some of them have "
            "no row of weights"
        )
    config = header.metadata.get("config") or header.metadata.get("hf_config")
    if isinstance(config, dict):
        if "auto_map" in config:
            yield "config.json asks for code of the model's own (auto_map), which assay never runs"
        if "quantization_config" in config:
            yield "weights are packed (quantization_config): parameters counts packed numbers"
    folder = model.path.parent
    alone = header.format == "safetensors" and not model.path.is_dir()
    if alone and (folder / "config.json").is_file():
        yield "config.json stands beside it: inspect the folder, and see how the model is built"
    if not header.tensors:
        yield "it has no tensors"
