"""The lines of a text file, packed or not, each bounded before memory is.

*Covered*: the length of a line, their number, what a ``.gz`` unpacks to; bytes that are no text.
*Not covered*: encodings other than UTF-8, other compression.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .core.errors import DataError

MOST_LINE = 1_000_000
"""Bytes of one line."""

MOST_BYTES = 1_000_000_000
"""Bytes of a file, unpacked."""

MOST_LINES = 10_000_000
"""A row may take several, and empty lines are none."""

_BOM = b"\xef\xbb\xbf"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines of text, each checked before anything parses it.

    A file whose name ends in ``.gz`` is unpacked on the way.  Raises ``DataError`` with the line for
    bytes that are not UTF-8, a NUL and sizes over the limits; without one for a file that cannot be
    read or unpacked.
    """
    try:
        with _opened(path) as file:
            number = size = 0
            while raw := file.readline(MOST_LINE + 1):
                number, size = number + 1, size + len(raw)
                if number == 1:
                    raw = raw.removeprefix(_BOM)
                if size > MOST_BYTES or number > MOST_LINES:
                    raise wrong(
                        path,
                        number,
                        f"the file has more than {MOST_BYTES:,} bytes or {MOST_LINES:,} lines",
                        "take a random sample of it",
                    )
                yield number, _text(path, number, raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"the file cannot be unpacked: {error}",
            where=str(path),
            hint="pack it again with gzip, or give it unpacked",
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror or error}",
            where=str(path),
            hint="check the path; a plan's is taken from the plan's folder",
        ) from None


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _text(path: Path, number: int, raw: bytes) -> str:
    if len(raw) > MOST_LINE:
        raise wrong(
            path,
            number,
            f"the line is longer than {MOST_LINE:,} bytes",
            "shorten it, or leave it out",
        )
    if b"\0" in raw:
        raise wrong(path, number, "the line has a NUL byte", "save the file as UTF-8 text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong(
            path, number, f"not UTF-8: {error.reason}", "save the file as UTF-8 text"
        ) from None


def wrong(path: Path, line: int, what: str, hint: str = "mend the line") -> DataError:
    """Return the error of one line of a file."""
    return DataError(what, where=f"{path}:{line}", hint=hint)
