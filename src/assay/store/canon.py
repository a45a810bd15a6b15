"""One way to write a value as bytes, so that equal values have equal digests."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from ..core.errors import RunError
from .around import runs_around

CHUNK = 1 << 20

PART = ".part"
"""How the name of a file ends that is not whole yet."""


def canonical(value: Any) -> bytes:
    r"""Return ``value`` as JSON with sorted keys and no spaces, in UTF-8.

    Raises ``ValueError`` for NaN and infinities: they are not numbers that travel.

    >>> canonical({"b": 1, "a": "é"})
    b'{"a":"\xc3\xa9","b":1}'
    """
    return _as_text(value).encode("utf-8", "surrogatepass")


# Made once: `json.dumps` makes an encoder at every call, and a log may have a million values.
_as_text = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
).encode


def pretty(value: Any) -> bytes:
    """Return ``value`` as JSON for people, with sorted keys and a final newline."""
    text = json.dumps(value, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode("utf-8", "surrogatepass")


def parsed(data: bytes) -> Any:
    """Return the value that some JSON is.

    Raises ``ValueError`` for what is none, and for NaN, infinities and a key that stands twice, which ``canonical``
    does not write; ``RecursionError`` for what is nested too deep.

    >>> parsed(b'{"a": 1.5}')
    {'a': 1.5}
    >>> parsed(b"[1e999]")
    Traceback (most recent call last):
        ...
    ValueError: 1e999 is no finite number
    """
    return json.loads(
        data, parse_constant=_finite, parse_float=_finite, object_pairs_hook=each_once
    )


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; raise ``ValueError`` where a key stands twice in it: who reads it decides which counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text[:40]} is no finite number")
    return value


def digest(data: bytes) -> str:
    """Return ``sha256:<hex>`` of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_value(value: Any) -> str:
    """Return the digest of a value's canonical form."""
    return digest(canonical(value))


def digest_file(path: Path) -> str:
    """Return the digest of a file, read in pieces."""
    sha = hashlib.sha256()
    with open_plain(path) as file:
        while piece := file.read(CHUNK):
            sha.update(piece)
    return "sha256:" + sha.hexdigest()


def open_plain(path: Path) -> BinaryIO:
    """Open a file of a folder that somebody else may have made; raise ``OSError`` for a pipe or a device.

    A pipe that nobody writes to is not waited for, and what has no end is not read.
    """
    handle = os.open(path, _PLAINLY)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "this is no plain file", str(path))
    return os.fdopen(handle, "rb")


def read_plain(path: Path, most: int = -1) -> bytes:
    """Return what such a file holds, whole, or its first ``most`` bytes; raise as ``open_plain`` does."""
    with open_plain(path) as file:
        return file.read(most)


_PLAINLY = os.O_RDONLY | sum(getattr(os, n, 0) for n in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""Without waiting, where a system has that word, and as the bytes are."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it exists whole or not at all, also after a power cut.

    A link stays: the file that it leads to is written.  So does a device or a pipe, which takes the bytes.
    In a run's folder, which somebody else may have made, both are replaced: no run leads a writer out.

    Raises ``RunError`` A500 when the disk or a permission says no.
    """
    with disk_errors(path):
        if is_special(path):
            pour(data, path)
            return
        target = final(path)
        part = part_of(target)
        make_folder(target.parent)
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)


def part_of(path: Path) -> Path:
    """Return where a file is written until it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}{PART}")


def final(path: Path) -> Path:
    """Return the path to write: where a link leads, which need not be there; every other path as it is."""
    follow = path.is_symlink() and not _in_run(path)
    return Path(os.path.realpath(path)) if follow else path


def is_special(path: Path) -> bool:
    """Whether ``path`` is a device, a pipe or a socket: what keeps no bytes, and is not replaced."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or _in_run(path))


def _in_run(path: Path) -> bool:
    return any(runs_around(path.absolute()))


def pour(data: bytes, path: Path) -> None:
    """Write into a device or a pipe.  Nothing is made: it has to be there."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CLOEXEC), "wb") as file:
        file.write(data)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that their names survive a power cut."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)
    folder.mkdir(exist_ok=True)  # says so where it is none


def remove_for_good(path: Path) -> None:
    """Remove a file, where there is one, so that it does not come back after a power cut."""
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


def sync(handle: int) -> None:
    """Wait until the disk has the bytes of a handle; macOS has no ``fdatasync``."""
    getattr(os, "fdatasync", os.fsync)(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder``, new, changed or gone, survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise ``RunError`` A500 where a disk or a permission says no to writing ``path``."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write: {error.strerror or error}",
            where=str(path),
            hint="free some space or mend the permission, then run the same command: it resumes",
        ) from error
