"""Pack a sealed run into one file, and unpack it where nothing but its files may come out.

*Covered*: equal runs give equal bytes; names that leave the folder, links, devices, a second file of one name, more
files or bytes than a run may have, and streams that grow without end are refused before they are written.
*Not covered*: whether the run is as it was sealed: load it, or verify it.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path, PurePosixPath

from ...core.errors import DataError
from ...store.canon import digest, digest_file, write_whole
from ...store.rundir import SEALED_FILES, SEALED_FOLDERS, RunDir
from ...store.seal import read_seal
from .card import ArchiveCard

PACKED_LIMIT = 20_000_000
"""Bytes of an archive: it lies in a repository."""

UNPACKED_LIMIT = 256_000_000
FILES_LIMIT = 20_000
_MEMORY = 256 << 20
_PIECE = 1 << 20
_ROOTS = {*SEALED_FOLDERS, *SEALED_FILES, "SEAL"}
_LONGEST_NAME, _LONGEST_PATH = 255, 1_024
"""Bytes of a name, which file systems hold to, and of a whole path."""


def packed(run: RunDir) -> bytes:
    """Return a sealed run as the bytes of a ``tar.xz``: sealed files and SEAL, sorted, without times or owners.

    Raises ``SealError`` A301 for a run that is not sealed.
    """
    read_seal(run)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted([*run.sealed_files(), run.seal]):
            data = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(run.root).as_posix())
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return lzma.compress(buffer.getvalue(), preset=6)


def size_of(run: RunDir) -> int:
    """Return how many bytes the sealed files of a run have."""
    return sum(path.stat().st_size for path in run.sealed_files())


def archive(run: RunDir, path: Path) -> ArchiveCard | None:
    """Write the archive of a sealed run, whole or not at all; None where it would be too large, and is not written."""
    if size_of(run) > UNPACKED_LIMIT:
        return None  # it could not be unpacked; so much is not read into memory to find out
    data = packed(run)
    if len(data) > PACKED_LIMIT:
        return None
    write_whole(path, data)
    return ArchiveCard(digest=digest(data), bytes=len(data))


def has_digest(path: Path, wanted: str) -> bool:
    """Whether an archive is the one of a digest; one that is larger than any may be is not read to find out."""
    return path.stat().st_size <= PACKED_LIMIT and digest_file(path) == wanted


def unpack(path: Path, into: Path) -> RunDir:
    """Unpack an archive of somebody into an empty folder; nothing but plain files of a run comes out.

    Raises ``DataError`` A200 for what is no such archive, and for everything that an archive of a run cannot hold.
    """
    taken: dict[PurePosixPath, tarfile.TarInfo] = {}
    if path.stat().st_size > PACKED_LIMIT:
        raise _refused(f"it has more than {PACKED_LIMIT:,} bytes", path)
    plain = _decompressed(path)
    try:
        with tarfile.open(fileobj=plain, mode="r:") as tar:
            for entry in tar:
                name = _safe(entry, path)
                if name in taken or any(p in taken for p in name.parents):
                    raise _refused(f"two files are called {str(name)!r}", path)
                taken[name] = entry
                if len(taken) > FILES_LIMIT:
                    raise _refused(f"it has more than {FILES_LIMIT:,} files", path)
            if any(p in taken for name in taken for p in name.parents):
                raise _refused("a file is also a folder", path)
            for name, entry in taken.items():
                data = tar.extractfile(entry)
                assert data is not None
                target = into / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    while piece := data.read(_PIECE):
                        file.write(piece)
    except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
        raise _refused(f"it is no archive of a run: {error}", path) from None
    return RunDir(into)


def seal_in(path: Path) -> bytes:
    """Return the bytes of the SEAL in an archive.

    Raises ``DataError`` A200 for what ``unpack`` refuses, and where there is none.
    """
    if path.stat().st_size > PACKED_LIMIT:
        raise _refused(f"it has more than {PACKED_LIMIT:,} bytes", path)
    try:
        with tarfile.open(fileobj=_decompressed(path), mode="r:") as tar:
            for entry in tar:
                if str(_safe(entry, path)) == "SEAL":
                    data = tar.extractfile(entry)
                    assert data is not None
                    return data.read()
    except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
        raise _refused(f"it is no archive of a run: {error}", path) from None
    raise _refused("it has no SEAL", path)


def _decompressed(path: Path) -> io.BytesIO:
    """Return the stream below the compression, read in pieces so that it cannot grow without end."""
    found = io.BytesIO()
    made = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)
    try:
        data = made.decompress(path.read_bytes(), max_length=_PIECE)
        while True:
            found.write(data)
            if found.tell() > UNPACKED_LIMIT:
                raise _refused(f"it unpacks to more than {UNPACKED_LIMIT:,} bytes", path)
            if made.eof:
                break
            if made.needs_input:
                raise _refused("it is cut off", path)
            data = made.decompress(b"", max_length=_PIECE)
    except lzma.LZMAError as error:
        raise _refused(f"it is no xz file: {error}", path) from None
    if made.unused_data:
        raise _refused("something follows the archive", path)
    found.seek(0)
    return found


def _safe(entry: tarfile.TarInfo, path: Path) -> PurePosixPath:
    """Return the name of a plain file that a run may have."""
    name = PurePosixPath(entry.name)
    if not entry.isreg() or entry.issparse():
        raise _refused(f"{entry.name!r} is no plain file", path)
    if (
        name.is_absolute()
        or not name.parts
        or ".." in name.parts
        or "\\" in entry.name
        or "\0" in entry.name
        or name.parts[0] not in _ROOTS
        or str(name) != entry.name
        or len(encoded := entry.name.encode(errors="surrogateescape")) > _LONGEST_PATH
        or any(len(part) > _LONGEST_NAME for part in encoded.split(b"/"))
    ):
        raise _refused(f"{entry.name[:200]!r} is no file of a run", path)
    return name


def _refused(what: str, path: Path) -> DataError:
    return DataError(
        f"this archive is refused: {what}",
        where=str(path),
        hint="make it with `assay board add RUN`; unpack nothing else by hand",
    )
