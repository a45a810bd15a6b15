"""``convert``: a model file of one format becomes one of another, a piece of a tensor at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay import Artifact, PlanError

from .apr_writer import write_model
from .head import ClassifierHead, open_head
from .onnx_writer import write_onnx
from .placing import placed, require_free, require_room
from .precision import Choice, check, for_apr, for_safetensors, target, unchanged
from .safetensors_writer import dtype_of_config, write_folder, write_safetensors
from .source import Source, artifact_of, open_source
from .weights import Target

CONVERTER = "assay.model.convert/1"
"""Goes into every file; a change of the bytes that equal input gives makes it the next number."""

_ROOM = 2**20
"""Bytes besides the tensors and side files, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A model that was converted."""

    path: Path
    """The file, or the model folder."""

    artifact: Artifact
    """Its weights: digest, size, parents, and the converter that made it."""

    parents: tuple[Artifact, ...]
    """Every file that it was made from."""

    settings: Mapping[str, str]
    notes: tuple[str, ...] = ()
    """What a careful reader should know, a sentence each."""

    @property
    def sha256(self) -> str:
        """The digest of the weights, in hexadecimal."""
        return self.artifact.digest.removeprefix("sha256:")


def convert(
    source: Path, target: Path, *, to: str, quantise: str | None = None, force: bool = False
) -> Converted:
    """Write the model in ``source``, a file or a folder, as ``target``, whole or not at all.

    ``to`` is ``apr``, ``safetensors``, ``gguf`` or ``onnx``; without ``quantise`` every tensor keeps its
    type where the format has it, and is written in single precision where not.  A safetensors target
    is a folder, or the weights alone where it is named ``*.safetensors``.  Memory: a few pieces of about
    a million numbers, whatever the size of the model.  Equal files and settings give equal bytes.

    Raises ``PlanError`` A106 for a format, precision or target that cannot be, ``PluginError`` A403
    for no source, ``DataError`` A205 for a damaged or unknown one, A208 for numbers that the target's
    types cannot hold, ``AssayError`` A500 where the disk says no, A501 where another process writes there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.safetensors"
    ...     head = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    ...     _ = path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(4))
    ...     convert(path, Path(folder) / "one.apr", to="apr").artifact.made_by
    'assay.model.convert/1'

    *Not to be trusted when* a coarser type was asked for and the gate has not compared the answers.
    """
    check(to, quantise)
    require_free(target, replaces=force)
    settings = {"to": to, "quantise": quantise or "as it is"}
    opened = open_head(source) if to == "onnx" else open_source(source)
    made = {
        "made_by": CONVERTER,
        "parents": [_plain(parent) for parent in opened.parents],
        "settings": settings,
    }
    with placed(target, replaces=force) as path:
        match opened:
            case ClassifierHead():
                write_onnx(path, opened, made)
                notes = opened.notes
            case Source():
                notes = _written(path, opened, to=to, quantise=quantise, made=made)
    weights = target / "model.safetensors" if target.is_dir() else target
    kind = "graph" if to == "onnx" else "weights"
    found = artifact_of(weights, kind=kind, parents=tuple(p.digest for p in opened.parents))
    licence = opened.license if isinstance(opened, Source) else None
    return Converted(
        path=target,
        artifact=replace(found, source=None, made_by=CONVERTER, license=licence),
        parents=opened.parents,
        settings=settings,
        notes=notes,
    )


def _written(
    path: Path, source: Source, *, to: str, quantise: str | None, made: Mapping[str, Any]
) -> tuple[str, ...]:
    """Write a model, and return what is to be said of it."""
    match to:
        case "apr":
            wide = _to_apr(path, source, quantise, made)
        case "gguf":
            from .gguf_writer import write_gguf

            wide = write_gguf(path, source, quantise, made)
        case _:
            _to_safetensors(path, source, quantise, made)
            wide = ()
    if not wide:
        return ()
    return (
        f"{len(wide)} matrices are no whole number of blocks and are not {quantise}, {wide[0]} for one",
    )


def planned(source: Source, choose: Choice, path: Path) -> list[Target]:
    """Return every tensor as it is to be written; A500 where the disk has no room for them."""
    targets = [target(weight, choose(weight)) for weight in source.weights]
    size = sum(each.size for each in targets) + sum(map(len, source.side_files.values()))
    require_room(path, size + _ROOM)
    return targets


def _to_apr(
    path: Path, source: Source, quantise: str | None, made: Mapping[str, Any]
) -> tuple[str, ...]:
    choose = for_apr(quantise)
    targets = planned(source, choose, path)
    write_model(path, source, targets, made)
    return _wide(source, choose, quantise)


def _to_safetensors(
    path: Path, source: Source, quantise: str | None, made: Mapping[str, Any]
) -> None:
    targets = planned(source, for_safetensors(quantise), path)
    metadata = {"format": "pt", **source.metadata, "assay": json.dumps(made, sort_keys=True)}
    if path.suffix == ".safetensors":
        write_safetensors(path, targets, metadata)
        return
    if source.config is None:
        raise PlanError(
            "bare tensors make no model folder: there is no config.json",
            where="--out",
            hint="name a file that ends in .safetensors, or give the folder of the source",
            code="A106",
        )
    write_folder(
        path,
        targets,
        config=_with_dtype(source.config, targets),
        side_files=source.side_files,
        metadata=metadata,
    )


def _with_dtype(config: Mapping[str, Any], targets: Sequence[Target]) -> dict[str, Any]:
    """Return the configuration with the type that the tensors now have, where it names one."""
    held = dtype_of_config(targets)
    named = [key for key in ("dtype", "torch_dtype") if config.get(key) is not None]
    return {**config, **(dict.fromkeys(named, held) if held else {})}


def _wide(source: Source, choose: Choice, quantise: str | None) -> tuple[str, ...]:
    return unchanged(source.weights, choose) if quantise not in (None, "f32", "f16", "bf16") else ()


def _plain(parent: Artifact) -> dict[str, Any]:
    found = {"digest": parent.digest, "kind": parent.kind, "size": parent.size}
    return found | ({"source": parent.source} if parent.source else {})
