"""A model as the gate meets it: its tensors under the Hub's names, a folder to run it from, its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from assay import Artifact, PluginError

from ..converting.source import Source, open_source
from ..converting.weights import Weight
from ..formats.opening import open_model
from ..passport import digest_of_files

Array: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model file, or a model folder, its head checked."""

    path: Path
    format: str
    files: tuple[Artifact, ...]
    """Every file that belongs to it."""

    source: Source = field(repr=False)
    made: Mapping[str, Any] = field(default_factory=dict)
    """How it was made, as the file says: ``parents`` and ``settings``."""

    @property
    def sha256(self) -> str:
        """64 hex digits: of the file; of several, over their names and digests."""
        return digest_of_files(self.files)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files)

    def tensors(self) -> StoredTensors:
        """Return its tensors, one in memory at a time."""
        return StoredTensors(self.source.weights)

    def folder(self) -> Path:
        """Return the folder that transformers loads; made in the cache of a file that carries everything.

        Raises ``PluginError`` A403 for bare tensors without a ``config.json`` beside them.
        """
        match self.format:
            case "apr":
                from ..running.apr_folder import as_folder

                return as_folder(self.path)
            case "gguf":
                from ..running.gguf_folder import as_folder as unpacked

                return unpacked(self.path)
            case _:
                return _given(self.path)


class StoredTensors:
    """The tensors of a model file under the Hub's names, unpacked one by one."""

    def __init__(self, weights: Sequence[Weight]) -> None:
        self._weights = {weight.name: weight for weight in weights}
        self.kinds: Mapping[str, tuple[str, tuple[int, ...]]] = {
            weight.name: (weight.dtype, tuple(weight.shape)) for weight in weights
        }

    def numbers(self, name: str) -> Array:
        """Return a tensor in single precision, in its shape."""
        weight = self._weights[name]
        whole = np.empty(weight.numbers, dtype=np.float32)
        at = 0
        for piece in weight.singles():
            whole[at : at + piece.size] = piece
            at += piece.size
        return whole.reshape(weight.shape)


def find_model(path: Path) -> Model:
    """Return the model that a path names: an APR, GGUF or safetensors file, or a model folder.

    Raises ``PluginError`` A403 for a path that is none, ``DataError`` A205 for a damaged file.
    """
    if not path.exists():
        raise PluginError(
            "there is no such file",
            where=str(path),
            hint="give an APR, GGUF or safetensors file, or a folder with config.json",
            code="A403",
        )
    source = open_source(path)
    return Model(
        path=path, format=source.format, files=source.parents, source=source, made=_made(path)
    )


def _given(path: Path) -> Path:
    """Return the folder of weights in safetensors, which must be the ones that transformers loads."""
    folder = path if path.is_dir() else path.parent
    if not (folder / "config.json").is_file():
        raise PluginError(
            "there is no config.json beside the weights",
            where=str(folder),
            hint="give the folder of the model",
            code="A403",
        )
    if path.is_file() and path.name != "model.safetensors":
        # Loading the folder would run whatever else it holds, and say that this file agrees.
        raise PluginError(
            f"transformers loads model.safetensors of a folder, and this file is {path.name}",
            where=str(path),
            hint="give it a folder of its own, or convert it: assay model convert --to apr",
            code="A403",
        )
    return folder


def _made(path: Path) -> Mapping[str, Any]:
    """Return what our own converter wrote into the head of a file."""
    if path.is_dir():
        return {}
    with open_model(path) as opened:
        said = opened.header.metadata.get("assay")
    if isinstance(said, str):  # safetensors has texts only
        try:
            said = json.loads(said)
        except ValueError:
            return {}
    return said if isinstance(said, dict) else {}
