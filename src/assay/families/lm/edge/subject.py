"""A model and the runtime that runs it: found, digested, and refused before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay import Artifact
from assay.extras import Extra
from assay.pages import wrong_option

from ..folder import find_model
from ..header import read_header
from ..models import MODELS, check_name, locate
from ..prompted.transformers_speaker import Dtype
from ..server import require_llama
from .job import RuntimeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One model in one runtime."""

    name: str
    """As it was named; of a path, its last part."""

    runtime: RuntimeName
    path: Path
    """What the runtime loads: a GGUF file, or a folder of safetensors."""

    dtype: Dtype
    """Of weights in memory; llama.cpp keeps those of its file."""

    files: tuple[Artifact, ...]
    """What is loaded, digested."""

    @property
    def says(self) -> str:
        """What it is, in words."""
        how = f" ({self.dtype})" if self.runtime == "transformers" else ""
        return f"{self.name}, {self.runtime}{how}"

    @property
    def size(self) -> int:
        """Bytes on disk of all that is loaded."""
        return sum(file.size for file in self.files)


def find_subject(model: str, runtime: RuntimeName | None, *, dtype: Dtype) -> Subject:
    """Find a model for a runtime; without one, GGUF runs in llama.cpp and all else in transformers.

    Raises ``PlanError`` A103 for an unknown name, A106 for a runtime that does not read the model;
    ``PluginError`` A401 without the runtime, A403 for files that are missing, damaged or unsafe.
    """
    is_gguf = model in MODELS or model.endswith(".gguf")
    if runtime == "llama.cpp" and not is_gguf:
        raise wrong_option(
            "--runtime", f"llama.cpp does not read {model}", "give a GGUF file, or leave it out"
        )
    if not is_gguf and not Path(model).exists():
        check_name(model)
    found: RuntimeName = runtime or ("llama.cpp" if is_gguf else "transformers")
    name = model if model in MODELS else Path(model).name
    if found == "llama.cpp":
        require_llama("lm edge")
        located = locate(model)
        read_header(located.path)
        return Subject(
            name=name, runtime=found, path=located.path, dtype=dtype, files=(located.artifact,)
        )
    Extra("transformers").require("torch", "transformers")
    path = locate(model).path if model in MODELS else Path(model)
    folder = find_model(path)
    # Of a file a folder was made, once; it is the folder that is loaded.
    files = tuple(file for file in folder.artifacts if file.parents or path.is_dir())
    return Subject(name=name, runtime=found, path=folder.path, dtype=dtype, files=files)
