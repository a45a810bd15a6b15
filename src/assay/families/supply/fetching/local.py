"""Files that are on this machine already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from assay import PluginError

from .offers import MOST_FILES, Listing, Offer, Piece, check_name
from .sources import FileSource

HIDDEN = (".git", ".cache")


def list_files(source: FileSource) -> Listing:
    """Return the file, or the files of the folder.  Raises ``PluginError`` A405 where there are none."""
    path, where = source.path, f"file:{source.path}"
    if path.is_file():
        names = [(path.name, path)]
    elif path.is_dir():
        names = [(file.relative_to(path).as_posix(), file) for file in _inside(path)]
    else:
        raise PluginError(
            "there is no such file" if not path.exists() else "it is no file that could be read",
            where=where,
            hint=f"a relative path begins at {Path.cwd()}",
            code="A405",
        )
    if len(names) > MOST_FILES:
        raise PluginError(
            f"the folder has more than {MOST_FILES:,} files",
            where=where,
            hint="name the folder of the model itself",
            code="A405",
        )
    offers = tuple(
        Offer(name=check_name(name, where=where), at=(Piece(path=file),), size=file.stat().st_size)
        for name, file in names
    )
    return Listing(resolved=where, offers=offers)


def _inside(folder: Path) -> Iterator[Path]:
    count = 0
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in HIDDEN)
        for name in sorted(files):
            file = Path(at, name)
            if file.is_file():
                count += 1
                yield file
            if count > MOST_FILES:
                return
