"""``assay model pin``: what nothing evicts."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from assay.pages import Page


def pin(name: str, /, *, off: Annotated[bool, Parameter(negative="")] = False) -> Page:
    """Keep a model file, or all files of a model, from eviction.

    Parameters
    ----------
    name
        A name, a source (`hf:org/name@commit` for all files of a model), or the first digits of a sha256.
    off
        Let it be evicted again.
    """
    from ..keeping.finding import find
    from ..keeping.settings import models_cache
    from .ls import facts_of

    cache = models_cache()
    meant = find(name, cache.ls())
    for each in meant:
        if off:
            cache.unpin(each.sha256)
        else:
            cache.pin(each.sha256)
    said = "No longer pinned" if off else "Pinned"
    digests = {each.sha256 for each in meant}
    return Page(
        lines=[f"{said}: {each.name}, sha256 {each.sha256[:12]}" for each in meant],
        facts={"files": [facts_of(each) for each in cache.ls() if each.sha256 in digests]},
    )
