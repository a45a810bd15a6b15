"""A folder of safetensors weights, or a file that becomes one, looked at before anything loads it.

*Covered*: nothing in it is run.  Pickles (``.bin``, ``.pt``) are refused, so is a model that brings
code of its own; weights whose head is nonsense or that are cut short are told; every file that could
be read is digested.  *Not covered*: damage of the weights, which only the digest tells.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from assay import Artifact, PluginError
from assay.formats import Format, format_of, formats
from assay.kept import digest_of

_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_READ = (".json", ".safetensors", ".jinja", ".model", ".txt")
_KINDS = {".safetensors": "weights", ".model": "tokenizer", ".txt": "tokenizer", ".jinja": "prompt"}
_LONGEST_HEAD = 100 * 10**6
"""Bytes of the head of a safetensors file, as its own library allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """What a folder holds."""

    path: Path
    artifacts: tuple[Artifact, ...]
    weights: int
    """How many numbers the model has."""


def find_model(model: Path) -> ModelFolder:
    """Return the model in a folder, or the folder that is made of a model file, once.

    Of a file, the artifacts are the file itself and, with it as their parent, those of the folder.

    Raises what ``look_into`` raises; ``PluginError`` A403 for a file that no installed format
    recognises; what the format raises for one that is damaged.
    """
    if not model.is_file():
        return look_into(model)
    found = look_into(_format(model).as_folder(model))
    whole = _artifact(model)
    return replace(
        found,
        artifacts=(
            replace(whole, kind="weights"),
            *(replace(made, source=None, parents=(whole.digest,)) for made in found.artifacts),
        ),
    )


def count_weights(model: Path) -> int:
    """Return how many numbers a model has, without making a folder of a file.

    Raises what ``find_model`` raises.
    """
    return _format(model).parameters(model) if model.is_file() else look_into(model).weights


def _format(file: Path) -> Format:
    found = format_of(file)
    if found is None:
        known = ", ".join(formats()) or "none is installed"
        raise _unfit("no format of model files begins like this file", file, f"formats: {known}")
    return found


def look_into(path: Path) -> ModelFolder:
    """Return what a model folder holds, every file digested.

    Raises ``PluginError`` A403 when it is none: no ``config.json``, no weights in safetensors, no
    tokenizer, code of its own, or weights that are no whole safetensors file.
    """
    if not path.is_dir():
        raise _unfit("there is no such folder", path, "give the folder of config.json")
    files = sorted(file for file in path.iterdir() if file.is_file())
    weights = [file for file in files if file.suffix == ".safetensors"]
    if not weights:
        pickles = [file.name for file in files if file.suffix in _PICKLES]
        held = f": {pickles[0]} is a pickle, which runs code when it is read" if pickles else ""
        raise _unfit(f"the folder has no weights in safetensors{held}", path, "convert them first")
    if not any(file.name in ("tokenizer.json", "tokenizer.model", "vocab.txt") for file in files):
        raise _unfit("the folder has no tokenizer.json", path, "save the tokenizer there, too")
    for name in ("config.json", "tokenizer_config.json"):
        if (path / name).is_file() or name == "config.json":
            _require_no_code(path / name)
    artifacts = tuple(_artifact(file) for file in files if file.suffix in _READ)
    return ModelFolder(path=path, artifacts=artifacts, weights=sum(map(_count, weights)))


def _artifact(file: Path) -> Artifact:
    size, digest = digest_of(file)
    kind = _KINDS.get(file.suffix, "tokenizer" if file.name.startswith("token") else "config")
    return Artifact(digest=f"sha256:{digest}", kind=kind, size=size, source=f"file:{file.name}")


def _require_no_code(file: Path) -> None:
    try:
        config = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise _unfit(
            f"{file.name} cannot be read: {error}", file, "fetch the folder again"
        ) from None
    if not isinstance(config, dict) or "auto_map" in config:
        what = f"{file.name} wants code of the model's own to be run (auto_map)"
        raise _unfit(what, file, "use a model whose architecture transformers has itself")


def _count(file: Path) -> int:
    """Return how many numbers a safetensors file holds, from its head."""
    try:
        return _numbers(file)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        why = str(error) if type(error) is ValueError else "its head makes no sense"
        what = f"{file.name} is not a whole safetensors file: {why}"
        raise _unfit(what, file, "fetch the file again and compare its sha256") from None


def _numbers(file: Path) -> int:
    with file.open("rb") as opened:
        size = int.from_bytes(opened.read(8), "little")
        if not 2 <= size <= _LONGEST_HEAD:
            raise ValueError("it does not begin as safetensors do")
        head: dict[str, Any] = json.loads(opened.read(size))
    head.pop("__metadata__", None)
    ends = [int(tensor["data_offsets"][1]) for tensor in head.values()]
    if file.stat().st_size != 8 + size + max(ends, default=0):
        raise ValueError("it is cut short, or longer than its head says")
    return sum(prod(tensor["shape"]) for tensor in head.values())


def _unfit(what: str, path: Path, hint: str) -> PluginError:
    return PluginError(what, where=str(path), hint=hint, code="A403")
