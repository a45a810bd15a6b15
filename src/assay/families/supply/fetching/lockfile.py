"""``models.lock``: which bytes every source stands for, as text that can be compared line by line.

*Covered*: two processes that add to it at once, a process that is killed (the old text or the new one).
*Not covered*: whoever can write the file can name other bytes; keep it under version control.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from assay import AssayError, DataError
from assay.locks import locking

VERSION = 1
MOST_BYTES = 32_000_000


class LockedFile(BaseModel, extra="forbid", frozen=True):
    """The bytes of a file."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class LockedSource(BaseModel, extra="forbid", frozen=True):
    """What a source stood for when it was locked."""

    resolved: str
    """The source with its commit; the source itself where it has none."""

    licence: str | None = None
    asked: tuple[str, ...]
    """Which files were asked for, as patterns: ``*`` for all that can be read."""

    files: dict[str, LockedFile]


class _Text(BaseModel, extra="forbid", frozen=True):
    version: int
    sources: dict[str, LockedSource]


_READER = TypeAdapter(_Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Sources to what they stand for."""

    sources: Mapping[str, LockedSource] = field(default_factory=dict)

    def with_source(self, source: str, entry: LockedSource) -> Lock:
        """Return the lock with an entry more, or with an entry's files and patterns added to it.

        Raises ``DataError`` A207 where a file is locked already, with other bytes.
        """
        old = self.sources.get(source)
        if old is not None:
            for name, file in entry.files.items():
                if old.files.get(name, file) != file:
                    raise DataError(
                        f"HALT checksum: {name} has sha256 {file.sha256}, and another process has"
                        f" just locked {old.files[name].sha256}",
                        where=source,
                        hint="compare both with the publisher",
                        code="A207",
                    )
            entry = entry.model_copy(
                update={
                    "asked": tuple(sorted({*old.asked, *entry.asked})),
                    "files": {**old.files, **entry.files},
                }
            )
        return replace(self, sources={**self.sources, source: entry})

    def text(self) -> str:
        """Return it as it is written: sorted, without dates, the same for the same bytes."""
        sources = {
            name: {
                "resolved": entry.resolved,
                **({"licence": entry.licence} if entry.licence else {}),
                "asked": sorted(entry.asked),
                "files": {
                    file: {"sha256": entry.files[file].sha256, "size": entry.files[file].size}
                    for file in sorted(entry.files)
                },
            }
            for name, entry in sorted(self.sources.items())
        }
        said = {"version": VERSION, "sources": sources}
        return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def read_lock(path: Path) -> Lock:
    """Read a lock file; an empty lock where there is none.

    Raises ``DataError`` A200 for what is none, with the line; ``AssayError`` A500 where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise _machine("read", path, error) from error
    if len(data) > MOST_BYTES:
        raise _broken(path, f"it is larger than {MOST_BYTES:,} bytes")
    try:
        json.loads(data, object_pairs_hook=_once)
        said = _READER.validate_json(data, strict=True)
    except json.JSONDecodeError as error:
        raise _broken(f"{path}:{error.lineno}", error.msg) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _broken(path, f"{place}: {first['msg']}" if place else first["msg"]) from None
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from None
    if said.version != VERSION:
        raise _broken(path, f"it is of version {said.version}, and assay reads {VERSION}")
    return Lock(sources=said.sources)


def add_to_lock(path: Path, source: str, entry: LockedSource) -> None:
    """Add what a source stands for to a lock file, whole or not at all.

    What other processes added meanwhile stays.  Raises as ``read_lock`` and ``Lock.with_source``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent):
            lock = read_lock(path)
            added = lock.with_source(source, entry)
            if added != lock:
                _write(path, added.text())
    except OSError as error:
        raise _machine("write", path, error) from error


def check_writable(path: Path) -> None:
    """Raise ``AssayError`` A500 where a lock file could not be written, before hours of download."""
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if path.is_dir():
        error = "it is a folder"
    elif nearest != path and not nearest.is_dir():
        error = f"{nearest} is a file"
    elif not os.access(nearest, os.W_OK):
        error = f"nothing can be written to {nearest}"
    else:
        error = ""
    if error:
        raise AssayError(
            f"cannot write the lock: {error}",
            where=str(path),
            hint="name another file with --lock",
            code="A500",
        )


def _write(path: Path, text: str) -> None:
    path = path.resolve()  # a link stays a link
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process; no file stays behind."""
    fcntl = locking(folder)
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read: dict[str, object] = {}
    for key, value in pairs:
        if key in read:
            raise ValueError(f"{key!r} comes twice")
        read[key] = value
    return read


def _broken(where: Path | str, why: str) -> DataError:
    return DataError(
        f"the lock cannot be read: {why}",
        where=str(where),
        hint="take it back from version control, or remove it and fetch again",
        code="A200",
    )


def _machine(verb: str, path: Path, error: OSError) -> AssayError:
    return AssayError(
        f"cannot {verb} the lock: {error.strerror or error}",
        where=str(path),
        hint="mend the permission or free some space, then say it again: it resumes",
        code="A500",
    )
