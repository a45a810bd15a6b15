"""``assay model evict``: files that are not needed any more."""

from __future__ import annotations

from assay.pages import Page, wrong_option

_HINTS = {
    "pinned": "unpin it first: assay model pin NAME --off",
    "in use": "wait until the process that uses it has ended",
    "not there": "look at: assay model ls",
}


def evict(name: str, /) -> Page:
    """Remove a model file, or all files of a model, from the cache, unless pinned or in use.

    Parameters
    ----------
    name
        A name, a source (`hf:org/name@commit` for all files of a model), or the first digits of a sha256.
    """
    from ..keeping.finding import find
    from ..keeping.kept import Gone
    from ..keeping.settings import models_cache
    from ..keeping.sizes import spell_size

    cache = models_cache()
    lines, files, freed, stays = list[str](), [], 0, ""
    for each in find(name, cache.ls()):
        done = cache.evict(each.sha256)
        if isinstance(done, Gone):
            freed += done.freed
            lines.append(f"Evicted: {each.name}, {spell_size(done.freed)}")
        else:
            stays = done.why
            lines.append(f"Stays: {each.name} is {done.why}")
        files.append({"sha256": each.sha256, "name": each.name, "evicted": isinstance(done, Gone)})
    if not any(each["evicted"] for each in files):
        raise wrong_option("NAME", f"{name} is {stays}", _HINTS[stays])
    return Page(lines=lines, facts={"freed": freed, "files": files})
