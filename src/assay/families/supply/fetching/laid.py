"""A folder with the files of a source under their own names, for programs that want one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from assay import AssayError, DataError

from ..keeping.cache import ModelCache
from .fetch import Fetched
from .offers import check_name


def lay_out(fetched: Fetched, folder: Path, *, cache: ModelCache) -> Path:
    """Put the files of a source into a folder under their names; return the folder.

    They are links to the cache where that is on the same disk, read-only, and stay when the cache evicts
    them.  Files of other bytes that are there are never replaced.

    Raises ``DataError`` A403 where a file was evicted meanwhile, A200 where another file is in the way;
    ``AssayError`` A500 where the folder cannot be written.

    >>> import tempfile
    >>> from assay.families.supply.fetching.fetch import fetch
    >>> here = Path(tempfile.mkdtemp())
    >>> _ = (here / "config.json").write_text("{}")
    >>> cache = ModelCache(here / "cache")
    >>> fetched = fetch(f"file:{here}/config.json", into=cache)
    >>> (lay_out(fetched, here / "model", cache=cache) / "config.json").read_text()
    '{}'
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kept in fetched.files:
            target = folder / check_name(kept.name, where=fetched.resolved)
            with cache.using(kept.sha256) as path:
                target.parent.mkdir(parents=True, exist_ok=True)
                _place(path, target)
    except OSError as error:
        raise AssayError(
            f"the folder cannot be written: {error.strerror or error}",
            where=str(error.filename or folder),
            hint="name another folder, or free some space",
            code="A500",
        ) from error
    return folder


def _place(path: Path, target: Path) -> None:
    if target.exists():
        if target.samefile(path) or _same(path, target):
            return
        raise DataError(
            "another file is in the way",
            where=str(target),
            hint="name an empty folder, or remove the file",
        )
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(path, part)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(path, part)
        part.chmod(0o444)
    part.replace(target)


def _same(path: Path, target: Path) -> bool:
    if path.stat().st_size != target.stat().st_size:
        return False
    with path.open("rb") as one, target.open("rb") as other:
        while piece := one.read(1 << 20):
            if piece != other.read(1 << 20):
                return False
    return True
