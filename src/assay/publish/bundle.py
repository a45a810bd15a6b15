"""A system that left its run, and how it finds back: the metadata of a bundle.

Covered: files of the bundle that were changed, a run that is not the one it was made from (by the digest
of its seal), metadata of other schema versions.  Not covered: a forger who writes all of it anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ..core.errors import DataError, SealError
from ..store.canon import digest_file, open_plain, pretty, write_whole
from ..store.manifest import first_fault
from .merge import find, is_run

SCHEMA_NAME = "assay.bundle"
SCHEMA_VERSION = 1
METADATA = "metadata.json"
MOST_METADATA = 1 << 24
"""Bytes."""
ABOVE = 3
"""Folders above a bundle in which its run is looked for, with what lies in them and in their ``runs``."""


class Origin(BaseModel):
    """The run that a bundle is from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    plan: str
    """Digest of the resolved plan."""

    seal: str
    """Digest of ``SEAL``, which holds those of all other files."""

    manifest: str
    task: str
    task_use: str
    task_version: str
    system: str
    of: str
    """The system that was asked: another one where ``system`` is an operating point of it."""

    use: str
    options: dict[str, JsonValue]
    seed: int
    data: dict[str, str]
    """Split to the digest of its samples."""

    packages: dict[str, JsonValue]
    """Versions that the run was made with."""


class Bundle(BaseModel):
    """What ``metadata.json`` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_name: Literal["assay.bundle"] = "assay.bundle"
    schema_version: int = SCHEMA_VERSION
    origin: Origin
    files: dict[str, str]
    """Every other file of the bundle with its digest."""

    model: dict[str, JsonValue]
    """What the family that wrote it has to say: inputs, outputs, thresholds."""

    packages: dict[str, JsonValue]
    """Versions that wrote it."""


def is_bundle(folder: Path) -> bool:
    """Whether a folder says that it is a bundle, whole or not."""
    try:
        return f'"{SCHEMA_NAME}"'.encode() in _metadata(folder)
    except OSError:
        return False


def _metadata(folder: Path) -> bytes:
    with open_plain(folder / METADATA) as file:
        return file.read(MOST_METADATA)  # what is longer is cut, and no JSON


def write_metadata(folder: Path, bundle: Bundle) -> None:
    """Write ``metadata.json``, whole or not at all; equal bundles are equal bytes."""
    write_whole(folder / METADATA, pretty(bundle.model_dump(mode="json")))


def read_bundle(folder: Path) -> Bundle:
    """Return what a bundle says of itself; its files are those that it names.

    Raises ``DataError`` A200 for metadata that is damaged and for a file that is missing or changed,
    ``SealError`` A302 for another schema version.
    """
    path = folder / METADATA
    try:
        raw: Any = json.loads(_metadata(folder))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, f"the metadata cannot be read: {error}") from None
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise SealError(
            f"schema version {version!r}, but this assay reads version {SCHEMA_VERSION} of a bundle",
            where=str(path),
            hint="read it with the assay that wrote it, or bundle the run again",
            code="A302",
        )
    try:
        bundle = Bundle.model_validate(raw)
    except ValidationError as error:
        place, said = first_fault(error)
        raise _damaged(path, f"{place}: {said}") from None
    for name, digest in bundle.files.items():
        file = folder / name
        if not _is_there(file, name) or digest_file(file) != digest:
            raise _damaged(file, "the file is missing, or is not the one that was bundled")
    return bundle


def _is_there(file: Path, name: str) -> bool:
    """Whether a name is that of a file, and of one in this folder."""
    try:
        return Path(name).name == name and file.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def find_run(folder: Path, bundle: Bundle, among: Path | None) -> Path:
    """Return the run that a bundle is from, by the digest of its seal.

    It is looked for in ``among`` and below; without it, near the bundle.  Raises ``SealError`` A303
    where it is not there.
    """
    near = find([among]) if among is not None else _near(folder.resolve())
    for run in near:
        seal = run / "SEAL"
        if seal.is_file() and digest_file(seal) == bundle.origin.seal:
            return run
    looked = str(among) if among is not None else f"the {ABOVE} folders above {folder}"
    raise SealError(
        f"the run {bundle.origin.run!r}, whose seal is {bundle.origin.seal[:19]}, is not in {looked}",
        where=str(folder),
        hint="say where runs are with --among FOLDER",
        code="A303",
    )


def _near(folder: Path) -> Iterator[Path]:
    for above in folder.parents[:ABOVE]:
        for place in (above, above / "runs"):
            if is_run(place):
                yield place
            if place.is_dir():
                yield from (child for child in sorted(place.iterdir()) if is_run(child))


def _damaged(path: Path, what: str) -> DataError:
    return DataError(what, where=str(path), hint="bundle the run again: `assay science bundle RUN`")


def digests_of(folder: Path, names: Mapping[str, object] | list[str]) -> dict[str, str]:
    """Return the digests of some files of a folder."""
    return {name: digest_file(folder / name) for name in sorted(names)}
