"""``assay model gc``: the cache read again, and tidied."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from assay.pages import Page, progress


def gc(
    *,
    limit: str | None = None,
    refused: Annotated[bool, Parameter(negative="")] = False,
) -> Page:
    """Read every model file again, set aside what changed, and remove what nobody needs.

    Removed are parts of downloads that no process goes on with, and what is above the limit. Exit status 1
    where a file had changed.

    Parameters
    ----------
    limit
        How much the cache may hold, as `20 GB`; without it ASSAY_MODELS_LIMIT, or 10 GB.
    refused
        Also remove the evidence of files that were refused.
    """
    from ..keeping.collecting import drop_refused
    from ..keeping.settings import models_cache
    from ..keeping.sizes import spell_size

    cache = models_cache(limit)
    progress(f"Reading {spell_size(sum(each.size for each in cache.ls()))} in {cache.folder}")
    dropped = drop_refused(cache.folder) if refused else 0
    found = cache.gc()  # what it sets aside now is to be looked at
    lines: list[str | tuple[str, ...]] = [
        f"Read again: {found.checked} files, {spell_size(found.read)}",
        *(
            f"HALT checksum: {each.name} changed in the cache; it is kept as {each.path}"
            for each in found.rotten
        ),
        f"Freed: {spell_size(found.freed + dropped)} (parts of downloads: {found.parts})",
    ]
    facts = {
        "checked": found.checked,
        "read": found.read,
        "rotten": [
            {"sha256": each.sha256, "name": each.name, "evidence": str(each.path)}
            for each in found.rotten
        ],
        "parts": found.parts,
        "freed": found.freed,
        "evidence_freed": dropped,
    }
    return Page(lines=lines, facts=facts, code=1 if found.rotten else 0)
