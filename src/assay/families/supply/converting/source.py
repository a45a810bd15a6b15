"""A model to be converted, whatever it is stored as: its configuration, its tensors, its side files.

*Covered*: only tensors, JSON and text are read, and nothing is run; pickles beside the weights are left
where they are; a side file's name cannot lead out of a folder.  *Not covered*: what the side files say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any

from assay import Artifact

from ..faults import Fault, damaged
from ..formats.folder import CONFIG, INDEX, read_config
from ..formats.opening import open_model
from ..header import ModelFile
from .decoders import decoder_of_gguf, from_gguf, is_derived
from .elements import require_known
from .gguf_head import config_from_gguf
from .gguf_tokenizer import tokenizer_from_gguf
from .weights import Weight

NESTED = "files"
"""Key of our metadata in an APR file for side files that stand in folders of their own."""

_SIDE = frozenset({".json", ".txt", ".jinja", ".model"})
_LARGEST_SIDE = 64 * 2**20
_KINDS = {".safetensors": "weights", ".gguf": "weights", ".apr": "weights"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is converted.  Tensors have Hugging Face's names; their bytes are read when they are wanted."""

    path: Path
    format: str
    config: Mapping[str, Any] | None
    """``config.json``; None for bare tensors."""

    weights: tuple[Weight, ...]
    side_files: Mapping[str, bytes]
    """Tokenizer and the like, by their place in a model folder."""

    metadata: Mapping[str, str]
    """``__metadata__`` of safetensors."""

    parents: tuple[Artifact, ...]
    """Every file that was read."""

    license: str | None = None


def open_source(path: Path) -> Source:
    """Return the model in a file or in a folder of safetensors; every file is digested.

    Raises ``PluginError`` A403 for no such, ``DataError`` A205 for a file that is damaged, of no known
    format, or of an architecture whose tensors cannot be renamed.
    """
    with open_model(path) as opened:
        match opened.header.format:
            case "safetensors":
                return _safetensors(path, opened)
            case "apr":
                return _apr(path, opened)
            case "gguf":
                return _gguf(path, opened)
            case other:
                raise damaged(Fault.UNSUPPORTED, path, f"{other} files are not converted")


def artifact_of(
    path: Path, *, kind: str = "", name: str = "", parents: tuple[str, ...] = ()
) -> Artifact:
    """Digest a file; ``name`` is its place in a folder."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    kind = (
        kind or _KINDS.get(path.suffix) or ("tokenizer" if path.name[:5] == "token" else "config")
    )
    return Artifact(
        digest=f"sha256:{digest}",
        kind=kind,
        size=path.stat().st_size,
        source=f"file:{name or path.name}",
        parents=parents,
    )


def is_safe_place(name: str) -> bool:
    """Whether a side file of this name stays within the folder that it is written to.

    >>> is_safe_place("1_Pooling/config.json"), is_safe_place("../x"), is_safe_place("/etc/x")
    (True, False, False)
    """
    place = PurePosixPath(name)
    plain = "\\" not in name and "\0" not in name and not place.is_absolute()
    inside = bool(place.parts) and not any(part in ("..", ".") for part in place.parts)
    return plain and inside and str(place) == name and place.suffix in _SIDE and len(name) < 200


def _safetensors(path: Path, opened: ModelFile) -> Source:
    header, folder = opened.header, opened.path
    sides = dict(_side_files(folder)) if folder.is_dir() else {}
    config = folder / CONFIG if folder.is_dir() else None
    has_config = config is not None and config.is_file()
    homes = sorted({entry.home for entry in header.tensors} - {""})
    files = [folder / home for home in homes] or [folder]
    files += [config] if has_config and config else []
    files += [folder / name for name in sides]
    return Source(
        path=path,
        format="safetensors",
        config=read_config(config) if has_config and config else None,
        weights=tuple(_weights(opened)),
        side_files=sides,
        metadata={key: value for key, value in header.metadata.items() if isinstance(value, str)},
        parents=tuple(
            artifact_of(file, name=file.relative_to(folder).as_posix() if folder.is_dir() else "")
            for file in files
        ),
    )


def _side_files(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted((*path.glob("*"), *path.glob("*/*"))):
        name = file.relative_to(path).as_posix()
        if name in (CONFIG, INDEX) or not is_safe_place(name) or not file.is_file():
            continue
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if file.stat().st_size > _LARGEST_SIDE:
            raise damaged(Fault.OVERSIZED, file, f"a side file of {file.stat().st_size:,} bytes")
        yield name, file.read_bytes()


def _weights(opened: ModelFile) -> list[Weight]:
    path, found = opened.path, []
    for entry in opened.header.tensors:
        require_known(entry.dtype, entry.name, path)
        home = path / entry.home if path.is_dir() else path
        found.append(Weight(name=entry.name, path=home, entry=entry))
    return found


def _apr(path: Path, opened: ModelFile) -> Source:
    header = opened.header
    if not header.variant.startswith("v2"):
        # Older layouts may be compressed or have tensors that are not bytes of the file.
        raise damaged(Fault.UNSUPPORTED, path, f"{header.variant} is read, and not converted")
    ours = header.metadata.get("assay")
    kept = ours if isinstance(ours, dict) else {}
    sides = {name: opened.side_file(name) for name in header.side_files}
    nested = kept.get(NESTED)
    for name, text in (nested if isinstance(nested, dict) else {}).items():
        sides[str(name)] = str(text).encode()
    for name in sides:
        if not is_safe_place(name):
            raise damaged(Fault.NONSENSE, path, f"it carries a side file named {name!r}")
    config, metadata = header.metadata.get("hf_config"), kept.get("metadata")
    return Source(
        path=path,
        format="apr",
        config=config if isinstance(config, dict) else None,
        weights=tuple(_weights(opened)),
        side_files=sides,
        metadata={str(k): str(v) for k, v in metadata.items()}
        if isinstance(metadata, dict)
        else {},
        parents=(artifact_of(opened.path),),
        license=_text(header.metadata.get("license")),
    )


def _gguf(path: Path, opened: ModelFile) -> Source:
    head = opened.header
    decoder = decoder_of_gguf(head.metadata.get("general.architecture"), path)
    config = config_from_gguf(head.metadata, head.by_name, decoder, path)
    weights = [
        from_gguf(weight, decoder, config)
        for weight in _weights(opened)
        if not is_derived(weight.entry)
    ]
    return Source(
        path=path,
        format="gguf",
        config=config,
        weights=tuple(weights),
        side_files=tokenizer_from_gguf(head.metadata, config, path),
        metadata={},
        parents=(artifact_of(opened.path),),
        license=_text(head.metadata.get("general.license")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
