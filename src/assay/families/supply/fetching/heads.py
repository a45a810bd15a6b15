"""What a server said of a file, kept beside the cache so that the next process can go on.

*Covered*: a process that is killed (the old word or the new one).  *Not covered*: whoever can write to
the cache.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a file at an address."""

    etag: str | None = None
    """The server's strong tag of the bytes that are in the part, or in the cache."""

    sha256: str | None = None
    """Of the file, once it was placed in the cache."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What is known, by the key of the part.

    >>> import tempfile
    >>> heads = Heads(Path(tempfile.mkdtemp()))
    >>> heads.write("a", Head(etag='"1"'))
    >>> heads.read("a"), heads.read("b")
    (Head(etag='"1"', sha256=None), Head(etag=None, sha256=None))
    """

    folder: Path

    def read(self, key: str) -> Head:
        """Return what is known; nothing where there is nothing that makes sense."""
        try:
            with self._at(key).open("rb") as file:
                said = json.loads(file.read(MOST_BYTES))
            etag, digest = said.get("etag"), said.get("sha256")
        except (OSError, ValueError, AttributeError, RecursionError):
            return Head()
        if not isinstance(etag, str) or not etag.isprintable():
            etag = None
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            digest = None
        return Head(etag=etag, sha256=digest)

    def write(self, key: str, head: Head) -> None:
        """Keep what is known, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._at(key)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            part.write_text(json.dumps({"etag": head.etag, "sha256": head.sha256}), "utf-8")
            os.replace(part, path)  # noqa: PTH105  (the call that the tests of a killed process count)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _at(self, key: str) -> Path:
        return self.folder / f"{key}.json"
