"""Digests of large sealed files, kept under ``cache/`` so that each is read once.

A run with a hundred gigabytes of evidence must not be read whole whenever a number of it is looked at.
Covered: a file that was edited, replaced, restored or copied since: its size, its node on the disk, or when it
was changed or renamed, is another one, and it is read again.  ``assay verify`` reads every byte, always.
Not covered: who writes into ``cache/`` on purpose, or sets the clock of the machine back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import msgspec

from ..core.errors import RunError
from .around import stays_in
from .canon import digest_file, read_plain, write_whole
from .rundir import RunDir

LARGE = 1 << 26
"""Bytes; a smaller file is read in a fraction of a second."""

_Stamp: TypeAlias = tuple[int, int, int, int]


class _Known(msgspec.Struct, frozen=True):
    digest: str
    stamp: _Stamp


class Stamps:
    """What is known of the large files of a run."""

    def __init__(self, run: RunDir) -> None:
        self._path = run.work / "digests.json"
        self._root = run.root
        self._known = self._read()
        self._fresh: dict[str, _Known] = {}

    def digest(self, path: Path) -> str:
        """Return the digest of a file, read now unless it is as it was when it was read last."""
        if path.stat().st_size < LARGE:
            return digest_file(path)
        name = str(path.relative_to(self._root))
        before = _stamp(path)
        known = self._known.get(name)
        if known is None or known.stamp != before:
            found = digest_file(path)
            known = _Known(found, before)
            if _stamp(path) != before:
                return found  # it is written to this moment: what was read says nothing of it
        self._fresh[name] = known
        return known.digest

    def keep(self) -> None:
        """Write down what was found, if that is news; a folder that may only be read stays as it is."""
        if not self._fresh or self._fresh == self._known or not stays_in(self._root, self._path):
            return
        try:
            write_whole(self._path, msgspec.json.encode(self._fresh))
        except RunError:
            return

    def _read(self) -> dict[str, _Known]:
        try:
            return _decode(read_plain(self._path))
        except (OSError, ValueError):  # msgspec's errors are ValueErrors
            return {}


def _stamp(path: Path) -> _Stamp:
    # The time of the last change of the node cannot be set by who sets the time of the content.
    facts = path.stat()
    return facts.st_size, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns


_decode = msgspec.json.Decoder(dict[str, _Known]).decode
