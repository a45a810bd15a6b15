"""A folder with a model: weights in one safetensors file or in shards, and what stands beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from assay import PluginError

from ..faults import Fault, damaged
from ..header import ModelFile, ModelHeader, TensorEntry
from .looks import HEAD
from .mapped import Mapped
from .opened import OpenModel
from .plain_numbers import plain_numbers
from .safetensors_file import open_safetensors
from .spans import named

INDEX = "model.safetensors.index.json"
CONFIG = "config.json"
LONGEST_SIDE_FILE = 2**28
MOST_FILES = 10_000

_SIDE_FILES = frozenset(
    {
        CONFIG, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json",
        "vocab.json", "vocab.txt", "merges.txt", "spiece.model", "README.md", "LICENSE",
        "LICENSE.txt", "LICENSE.md", "LICENCE", "NOTICE",
    }
)  # fmt: skip
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.safetensors")
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def open_folder(
    path: Path, open_file: Callable[[Path], ModelFile], is_manifest: Callable[[bytes], bool]
) -> ModelFile:
    """Open the model in a folder: safetensors, or the one GGUF, ONNX or APR file in it.

    Raises ``DataError`` A205 for a damaged file, a shard that is missing (``INCOMPLETE``), a tensor
    that two shards have (``DUPLICATE``); shards that no index names stand in the notes.
    """
    names = sorted(file.name for file in path.iterdir() if file.is_file())[:MOST_FILES]
    weights = [name for name in names if name.endswith(".safetensors")]
    if not weights and INDEX not in names:
        return open_file(path / _only(path, names, is_manifest))
    sides = [name for name in names if name in _SIDE_FILES]
    files = {name: partial(_side_file, path / name) for name in sides}
    shards, index, notes = _shards(path, names, weights)
    opened: dict[str, ModelFile] = {}
    maps: dict[str, Mapped] = {}
    try:
        for name in shards:
            opened[name] = open_safetensors(path / name)
            maps[name] = Mapped(path / name)
        header = _header(path, opened, index, sides, notes)
    except BaseException:
        for mapped in maps.values():
            mapped.close()
        raise
    finally:
        for one in opened.values():
            one.close()
    return OpenModel(header, maps, path=path, decode=partial(_numbers, path), files=files)


def read_config(path: Path) -> dict[str, Any]:
    """Return a JSON object beside a model; raises A205 (``NONSENSE``) for anything else."""
    try:
        found = msgspec.json.decode(_side_file(path))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise damaged(Fault.NONSENSE, path, named(str(problem))) from None
    if not isinstance(found, dict):
        raise damaged(Fault.NONSENSE, path, "it is no JSON object")
    return found


def _numbers(path: Path, entry: TensorEntry, raw: memoryview) -> Any:
    return plain_numbers(entry.dtype, raw, entry.shape, path=path / entry.home)


def _side_file(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LONGEST_SIDE_FILE + 1)
    if len(data) > LONGEST_SIDE_FILE:
        raise damaged(Fault.OVERSIZED, path, f"it has over {LONGEST_SIDE_FILE:,} bytes")
    return data


def _shards(
    path: Path, names: list[str], weights: list[str]
) -> tuple[list[str], dict[str, str], list[str]]:
    """Return which files are the model's, which tensor stands where, and what is odd about it."""
    if INDEX in names:
        index = _index(path / INDEX)
        shards = sorted(set(index.values()))
        gone = [name for name in shards if name not in names]
        if gone:
            what = f"{named(gone[0])}, one of {len(gone):,} of {len(shards):,} shards"
            raise damaged(Fault.INCOMPLETE, path, what)
        extra = [name for name in weights if name not in shards]
        notes = [f"{named(name)} is in no index: it is left out" for name in extra[:20]]
        return shards, index, notes
    parts = Counter(match.group(1, 3) for name in weights if (match := _PART.fullmatch(name)))
    for (stem, of), count in parts.items():
        if count != int(of):
            what = f"{count:,} of {int(of):,} shards of {named(stem)}, and {INDEX}"
            raise damaged(Fault.INCOMPLETE, path, what)
    notes = [f"{INDEX} is missing: all safetensors are taken together"] if len(weights) > 1 else []
    return weights, {}, notes


def _index(path: Path) -> dict[str, str]:
    try:
        found = msgspec.json.decode(_side_file(path), type=_Index).weight_map
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise damaged(Fault.NONSENSE, path, named(str(problem))) from None
    for name in set(found.values()):
        if Path(name).name != name or name in ("", ".", "..") or "\0" in name or "\\" in name:
            raise damaged(Fault.OUTSIDE, path, named(name))
    if not found:
        raise damaged(Fault.NONSENSE, path, "it names no tensor")
    return found


def _header(
    path: Path,
    opened: dict[str, ModelFile],
    index: dict[str, str],
    sides: list[str],
    notes: list[str],
) -> ModelHeader:
    tensors: dict[str, TensorEntry] = {}
    metadata: dict[str, Any] = {}
    for shard, one in opened.items():
        metadata |= one.header.metadata
        for entry in one.header.tensors:
            if entry.name in tensors:
                where = f"{named(tensors[entry.name].home)} and {named(shard)}"
                raise damaged(Fault.DUPLICATE, path, f"{named(entry.name)}, in {where}")
            tensors[entry.name] = TensorEntry(
                name=entry.name,
                dtype=entry.dtype,
                shape=entry.shape,
                start=entry.start,
                size=entry.size,
                home=shard,
            )
    for name, shard in index.items():
        if name not in tensors or tensors[name].home != shard:
            what = f"{named(name)}, which {INDEX} says is in {named(shard)}"
            raise damaged(Fault.INCOMPLETE, path, what)
    if index and len(tensors) > len(index):
        beyond = next(name for name in tensors if name not in index)
        count = len(tensors) - len(index)
        notes.append(f"tensors in no index: {count:,}, {named(beyond)} for one")
    if CONFIG in sides:
        metadata["config"] = read_config(path / CONFIG)
    else:
        notes.append(f"{CONFIG} is missing: the architecture is not known")
    return ModelHeader(
        format="safetensors",
        variant=f"{len(opened):,} shards" if len(opened) > 1 else "one file",
        size=sum(one.header.size for one in opened.values()),
        tensors=tuple(tensors.values()),
        metadata=metadata,
        side_files=tuple(sides),
        notes=(*(note for one in opened.values() for note in one.header.notes), *notes),
    )


def _only(path: Path, names: list[str], is_manifest: Callable[[bytes], bool]) -> str:
    """Return the name of the one file that is the model, where there are no safetensors."""
    models = [name for name in names if name.lower().endswith((".gguf", ".onnx", ".apr"))]
    lists = [name for name in names if name.endswith(".json") and is_manifest(_head(path / name))]
    if len(models) == 1 or (models and len(lists) == 1):
        return (lists or models)[0]
    if models:
        what = f"{len(models):,} model files: {', '.join(map(named, models[:5]))}"
        raise PluginError(what, where=str(path), hint="name one of them", code="A403")
    pickles = [name for name in names if name.lower().endswith(_PICKLES)]
    if pickles:
        what = f"the folder has no model but {named(pickles[0])}, which by its name is a pickle"
        raise damaged(Fault.UNKNOWN_FORMAT, path, what)
    raise PluginError(
        "the folder has no model file", where=str(path), hint="check its path", code="A403"
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
