"""Read files that strangers wrote.

Covered: truncated and nested JSON, NaN, bytes that are not UTF-8, lines and files without end, zip
entries that unpack to more than they may (a bomb), names in a zip that point elsewhere (nothing is
ever unpacked to the disk), links in a folder that lead out of it.
Not covered: a log whose numbers are invented.  An import says *reported*; it cannot say *true*.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from ...core.errors import DataError, PluginError
from ...store.canon import each_once

MEGA = 1 << 20
MAX_FILE = 1024 * MEGA
"""Of a JSON file, which must be in memory whole."""
LARGEST = 1e300
"""Of a number."""
MAX_LINE = 64 * MEGA
MAX_ENTRY = 256 * MEGA
"""Of one entry of a zip, unpacked."""
ZSTANDARD = 93
"""The number of that compression in a zip file."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, ZSTANDARD)
"""Python unpacks the others whole, however little of them is asked for."""
MAX_TOTAL = 8192 * MEGA
"""Of all entries of a zip, unpacked."""


def wrong(what: str, where: str, hint: str) -> DataError:
    """Return the error of a log that is not what it says it is."""
    return DataError(what, where=where, hint=hint)


def parse(raw: bytes, where: str) -> Any:
    """Return the JSON value of some bytes.

    Raises ``DataError`` A200 for what is no JSON, for NaN and infinities, which no record holds, and for a key that
    stands twice: two readers would read two logs.
    """
    line = 0
    try:
        text = raw.decode("utf-8-sig")
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=each_once)
    except UnicodeDecodeError as error:
        what = f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        what = f"this is not JSON: {error.msg}, column {error.colno}"
        line = error.lineno if ":" not in where.rpartition("/")[2] else 0
    except (ValueError, RecursionError) as error:
        what = f"this cannot be read: {str(error).partition(chr(10))[0]}"
    place = f"{where}:{line}" if line else where
    raise wrong(what, place, "the file may be truncated or edited; copy it again from its source")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number that a record can hold")


def read_json(path: Path) -> Any:
    """Return the JSON value of a file.  Raises ``DataError`` A200."""
    with reading(path), path.open("rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        hint = "split it, or import the records as csv"
        raise wrong(f"the file is larger than {MAX_FILE // MEGA:,} MB", str(path), hint)
    return parse(raw, str(path))


def read_jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``file:line`` and the object of every line that is not empty."""
    with reading(path), path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE + 1):
            number += 1
            where = f"{path}:{number}"
            if len(raw) > MAX_LINE:
                raise wrong(f"a line is longer than {MAX_LINE // MEGA} MB", where, "split it")
            if raw.strip():
                yield where, want(parse(raw, where), dict, "an object", where)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a disk or a permission says into an error that names the file."""
    try:
        yield
    except OSError as error:
        hint = "check the path and the permission"
        raise wrong(f"cannot be read: {error.strerror or error}", str(path), hint) from None


def want(value: Any, kind: type | tuple[type, ...], what: str, where: str) -> Any:
    """Return a value of the right type, or say what it should have been."""
    if isinstance(value, bool) and kind in (int, float, (int, float)):
        kind = ()
    if not isinstance(value, kind):
        shown = type(value).__name__
        raise wrong(f"{what} is expected here, not {shown}", where, "is this the right format?")
    return value


KINDS = {dict: "an object", list: "a list", str: "a text"}
Kind = TypeVar("Kind", dict[str, Any], list[Any], str)


def inner(holder: Any, key: str, kind: type[Kind], where: str) -> Kind:
    """Return what stands under a key of an object; an empty one of its kind where nothing does.

    Raises ``DataError`` A200 where the object, or what stands there, is something else.
    """
    given = want(holder, dict, KINDS[dict], where).get(key)
    if given is None:
        return kind()
    found: Kind = want(given, kind, f"`{key}`, {KINDS[kind]},", where)
    return found


def number(value: Any, name: str, where: str) -> float:
    """Return a finite number.  Raises ``DataError`` A200."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not (abs(value) < LARGEST):
        hint = "leave out what was not measured"
        raise wrong(f"{name} is {str(value)[:40]!r}, which is no finite number", where, hint)
    return float(value)


def amount(value: Any, name: str, where: str) -> float | None:
    """Return a number from 0 upwards, or None where nothing is said."""
    if value is None:
        return None
    found = number(value, name, where)
    if found < 0:
        raise wrong(f"{name} is {found:g}: it cannot be negative", where, "mend the log")
    return found


def count(value: Any, name: str, where: str) -> int | None:
    """Return a whole number from 0 upwards, or None where nothing is said."""
    found = amount(value, name, where)
    if found is not None and (found != int(found) or found >= 2**53):
        raise wrong(f"{name} is {found:g}, which is no count", where, "mend the log")
    return None if found is None else int(found)


def below(path: Path, pattern: str) -> list[Path]:
    """Return the files below a folder that match, sorted; links that lead out of it are not."""
    root = path.resolve()
    return sorted(p for p in path.rglob(pattern) if p.is_file() and root in p.resolve().parents)


def beside(folder: Path, name: str) -> Path | None:
    """Return the file of that name in a folder; None where it is none, or a link that leads out."""
    path = folder / name
    try:
        is_ours = path.is_file() and folder.resolve() in path.resolve().parents
    except OSError:  # a name of more letters than any disk takes
        is_ours = False
    return path if is_ours else None


class Entries:
    """The entries of a zip file, each read into memory, none larger than allowed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path):
            try:
                self._zip = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
                hint = "the file may be truncated; copy it again"
                raise wrong(f"this is no zip file: {error}", str(path), hint) from None
        infos = self._zip.infolist()
        names = [info.filename for info in infos]
        if len(set(names)) != len(names):
            twice = next(n for i, n in enumerate(names) if n in names[:i])
            raise wrong(f"two entries are called {twice!r}", str(path), "pack the log again")
        if sum(info.file_size for info in infos) > MAX_TOTAL:
            what = f"it unpacks to more than {MAX_TOTAL // MEGA:,} MB"
            raise wrong(what, str(path), "import a part of it")
        self.names = tuple(names)

    def read(self, name: str) -> bytes:
        """Return the bytes of an entry.  Raises ``DataError`` A200."""
        where = f"{self.path}#{name}"
        hint = "copy it again; a log in another compression must be written again as JSON"
        method = self._zip.getinfo(name).compress_type
        if method not in METHODS:
            raise wrong(
                f"the entry cannot be unpacked: it is packed by method {method}", where, hint
            )
        try:
            if method == ZSTANDARD:
                raw = self._unpack(name, where)
            else:
                with self._zip.open(name) as file:
                    raw = file.read(MAX_ENTRY + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise wrong(f"the entry cannot be unpacked: {error}", where, hint) from None
        if len(raw) > MAX_ENTRY:
            hint = "import a part of it"
            raise wrong(f"the entry unpacks to more than {MAX_ENTRY // MEGA} MB", where, hint)
        return raw

    def _unpack(self, name: str, where: str) -> bytes:
        """Unpack what Python's zipfile does not know before 3.14; inspect-ai writes it."""
        try:
            import zstandard
        except ImportError:
            raise PluginError(
                "the log is packed with zstandard, which is not installed",
                where=where,
                hint="pip install 'assay-eval[imports]', or write it again: "
                "`inspect log convert --to json`",
                code="A401",
            ) from None
        info = self._zip.getinfo(name)
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            head = file.read(30)
            if head[:4] != b"PK\x03\x04":
                raise zipfile.BadZipFile("an entry does not begin where it should")
            skip = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
            file.seek(skip, 1)
            packed = file.read(info.compress_size)
        try:
            stream = zstandard.ZstdDecompressor().stream_reader(packed)
            raw: bytes = stream.read(MAX_ENTRY + 1)
        except zstandard.ZstdError as error:
            raise zipfile.BadZipFile(str(error)) from None
        if len(raw) <= MAX_ENTRY and zlib.crc32(raw) != info.CRC:
            raise zipfile.BadZipFile("the checksum does not fit")
        return raw

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
