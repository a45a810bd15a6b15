"""``assay model inspect``: what a model file says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from assay.pages import Page, wrong_option
from assay.progress import BYTES, sized, telling

from ..describing.description import description, files_of
from ..formats.opening import open_model
from ..header import ModelFile, ModelHeader

LONGEST = 100
LARGE = 10**9
"""Bytes from which reading them all takes more than a moment."""


def inspect(
    path: Path,
    /,
    *,
    tensors: Annotated[bool, Parameter(negative="")] = False,
    context: int | None = None,
) -> Page:
    """Say what a model file or folder holds, from its head: the weights are not loaded.

    Exit status 2 and A205 where the file is damaged.

    Parameters
    ----------
    path
        A safetensors, GGUF, ONNX or APR file, or the folder of a safetensors model.
    tensors
        List every tensor.
    context
        Tokens that the memory is reckoned for; 4,096, or as many as the model takes, where it is left out.
    """
    if context is not None and not 1 <= context <= 10**9:
        raise wrong_option("--context", f"{context} is no number of tokens", "give 1 or more")
    with open_model(path) as model:
        facts = _described(model, context)
        lines = list(_lines(facts))
        if tensors:
            facts["list"] = [_tensor_facts(one) for one in _listed(model.header)]
            lines += ["", *_table(model.header)]
    return Page(lines=lines, facts=facts)


def _described(model: ModelFile, context: int | None) -> dict[str, Any]:
    """Return what is said of a model, and tell how far it is where that takes more than a moment."""
    sizes = {file.name: file.stat().st_size for file in files_of(model)}
    if sum(sizes.values()) < LARGE:
        return description(model, context=context)
    with telling(BYTES) as teller:
        teller.begin("reading", sizes)
        return description(model, context=context, tell=teller.advance)


def _lines(facts: dict[str, Any]) -> Iterator[str | tuple[str, ...]]:
    yield facts["path"]
    yield ""
    yield "format", f"{facts['format']} {facts['variant']}, {sized(facts['size'])}"
    if facts["name"]:
        yield "name", _cut(facts["name"])
    yield "architecture", _architecture(facts)
    if facts["context"]:
        yield "context", f"{facts['context']:,} tokens"
    count = facts["tensors"]
    yield "parameters", f"{facts['parameters']:,} in {count:,} tensor{'s' * (count != 1)}"
    for way in ("inputs", "outputs"):
        for value in (facts[way] or ())[:20]:
            shape = "" if value["shape"] is None else f" [{', '.join(map(str, value['shape']))}]"
            yield way[:-1], _cut(f"{value['name']}: {value['dtype'] or 'no tensor'}{shape}")
    yield from _tokenizer(facts)
    licence = facts["license"]
    yield "licence", _cut(f"{licence['says']} ({licence['from']})") if licence else "not said"
    yield from _memory(facts["memory"])
    for file in facts["files"]:
        name = f"  {file['name']}, {sized(file['size'])}" if len(facts["files"]) > 1 else ""
        yield "sha256", f"{file['sha256']}{name}"
    if facts["side_files"]:
        yield (
            "carries" if facts["format"] == "apr" else "beside",
            _cut(", ".join(facts["side_files"])),
        )
    if facts["dtypes"]:
        yield ""
        yield "type", "tensors", "numbers", "bytes"
    for dtype, one in facts["dtypes"].items():
        yield dtype, f"{one['tensors']:,}", f"{one['numbers']:,}", f"{one['bytes']:,}"
    if facts["notes"]:
        yield ""
        yield from (f"Note: {note}." for note in facts["notes"])


def _architecture(facts: dict[str, Any]) -> str:
    said = facts["architecture"]
    if not said:
        return "not said"
    layers, kv = facts["layers"], facts["kv_heads"]
    parts = [
        f"{facts[key]:,} {what}"
        for key, what in (("layers", "layers"), ("width", "wide"), ("heads", "heads"))
        if facts[key]
    ]
    if facts["heads"] and layers and kv and kv != layers * facts["heads"]:
        each = f"{kv // layers:,}" if kv % layers == 0 else f"{kv / layers:.1f}"
        parts[-1] += f" ({each} of keys and values)"
    if facts["vocabulary"]:
        parts.append(f"{facts['vocabulary']:,} tokens")
    return _cut(f"{said}: {', '.join(parts)}" if parts else said)


def _tokenizer(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    found = facts["tokenizer"]
    if not found and facts["format"] != "onnx":
        yield "tokenizer", "none"
    elif found:
        size = f", {found['vocabulary']:,} tokens" if found["vocabulary"] else ""
        yield "tokenizer", _cut(f"{found['kind']}{size}")
        adds = {True: "put before every text", False: "not added by itself", None: "not said"}
        if found["bos"] or found["adds_bos"] is not None:
            yield "begins with", _cut(f"{found['bos'] or 'no token'}, {adds[found['adds_bos']]}")
        if found["eos"]:
            yield "ends with", _cut(found["eos"])
    template = facts["chat_template"]
    if template:
        more = f", one of {template['templates']:,}" if template["templates"] > 1 else ""
        first = _cut(template["first_line"], 60)
        yield "chat template", f"yes, {template['characters']:,} characters{more}: {first}"
    elif facts["format"] != "onnx":
        yield "chat template", "none"


def _memory(memory: dict[str, Any]) -> Iterator[tuple[str, str]]:
    weights = sized(memory["weights"])
    if not memory["context"]:
        yield "memory", f"{weights} of weights; {memory['formula']}"
        return
    kept = f"{sized(memory['kv'])} of keys and values of {memory['context']:,} tokens"
    yield "memory", f"{sized(memory['total'])}: {weights} of weights, {kept}"
    yield "", memory["formula"]
    yield "", "what a runtime needs for activations comes on top"


def _listed(header: ModelHeader) -> Iterator[Any]:
    return iter(sorted(header.tensors, key=lambda one: (one.home, one.start)))


def _tensor_facts(tensor: Any) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "start": tensor.start,
        "size": tensor.size,
        "file": tensor.home,
    }


def _table(header: ModelHeader) -> Iterator[tuple[str, ...]]:
    homes = any(tensor.home for tensor in header.tensors)
    yield ("tensor", "type", "shape", "byte", "bytes", *(("file",) if homes else ()))
    for tensor in _listed(header):
        shape = " x ".join(f"{dim:,}" for dim in tensor.shape) or "one number"
        row = (_cut(tensor.name), tensor.dtype, shape, f"{tensor.start:,}", f"{tensor.size:,}")
        yield (*row, *((tensor.home,) if homes else ()))


def _cut(text: str, longest: int = LONGEST) -> str:
    """Return a text of a file as a line of a page; what is unsafe to see is escaped when it is printed."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
