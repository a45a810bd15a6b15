"""Files of the cache, hashed again before anybody relies on them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import file_digest
from pathlib import Path

from assay import DataError, PluginError

from ..keeping.kept import Kept
from ..keeping.refusing import refuse
from .lockfile import LockedFile
from .pickled import made_of, name_of
from .work import Brought, Work

HALT_HINT = "compare both with the publisher; remove it from the lock only when the change is meant"


def found_in_cache(
    name: str, digest: str, work: Work, *, size: int | None = None
) -> Brought | None:
    """Return a file of the cache, every byte hashed again, and hold it; None where it is not kept.

    Where pickles are converted, what was made of one (of ``size`` bytes) stands for it.  Raises ``DataError``
    A207 where the bytes have changed since; they are evidence then.
    """
    kept = _hashed(name, digest, work)
    if kept is not None:
        size = kept.size
    elif size is not None and work.pickles == "convert":
        made = made_of(digest, work.heads)
        kept = _hashed(name_of(name), made, work) if made else None
    if kept is None or size is None:
        return None
    of_source = LockedFile(sha256=digest, size=size)
    return Brought(kept=kept, was_there=True, bytes_of_source=of_source)


def _hashed(name: str, digest: str, work: Work) -> Kept | None:
    try:
        path = work.held.enter_context(work.into.using(digest))
    except PluginError:  # A403: it was evicted between the look and the hold
        return None
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != digest:
        why = f"sha256 {found}, where {digest} was kept"
        evidence = refuse(work.into.folder, path, named=name, why=why)
        raise halt(name, found, f"the cache was given {digest}", evidence)
    kept = work.into.shelf.kept(digest)
    return replace(kept, name=name, source=work.source_of(name)) if kept else None


def halt(where: str, found: str, other: str, evidence: Path) -> DataError:
    """Return the error A207 of bytes that are not the ones that were named."""
    return DataError(
        f"HALT checksum: it has sha256 {found}, and {other}",
        where=where,
        hint=f"{HALT_HINT}; what came is kept as {evidence}",
        code="A207",
    )
