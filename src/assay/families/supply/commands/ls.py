"""``assay model ls``: what the cache of model files holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assay.pages import Page

if TYPE_CHECKING:
    from ..keeping.kept import Kept


def ls() -> Page:
    """Say which model files are kept, used most recently first; the last one goes first."""
    from ..keeping.refusing import refused
    from ..keeping.settings import models_cache
    from ..keeping.sizes import spell_size

    cache = models_cache()
    there, aside = cache.ls(), refused(cache.folder)
    total, evidence = sum(each.size for each in there), sum(each.size for each in aside)
    lines: list[str | tuple[str, ...]] = []
    if there:
        lines.append(("name", "size", "last use (UTC)", "pinned", "licence", "sha256", "from"))
    lines += [
        (
            each.name,
            spell_size(each.size),
            f"{_when(each):%Y-%m-%d %H:%M}",
            "pinned" if each.pinned else "",
            each.licence or "not known",
            each.sha256[:12],
            each.source or "not known",
        )
        for each in there
    ]
    files = f"{len(there)} file{'s' if len(there) != 1 else ''}"
    lines += [
        *([""] if there else []),
        f"{files}, {spell_size(total)} of {spell_size(cache.limit)}, in {cache.folder}",
    ]
    if aside:
        lines.append(
            f"Evidence of what was refused: {len(aside)} of {spell_size(evidence)}; once you have looked at"
            f" it: assay model gc --refused"
        )
        lines += [f"* {each.path.name[:12]} {each.named}: {each.why}" for each in aside]
    facts = {
        "folder": str(cache.folder),
        "limit": cache.limit,
        "total": total,
        "files": [facts_of(each) for each in there],
        "refused": [
            {"path": str(each.path), "size": each.size, "named": each.named, "why": each.why}
            for each in aside
        ],
    }
    return Page(lines=lines, facts=facts)


def facts_of(kept: Kept) -> dict[str, Any]:
    """Return what ``--json`` says of a file."""
    return {
        "sha256": kept.sha256,
        "name": kept.name,
        "source": kept.source,
        "origins": [{"name": each.name, "source": each.source} for each in kept.origins],
        "licence": kept.licence,
        "size": kept.size,
        "last_use": _when(kept).isoformat(timespec="seconds"),
        "pinned": kept.pinned,
        "path": str(kept.path),
    }


def _when(kept: Kept) -> datetime:
    return datetime.fromtimestamp(kept.used_ns / 1e9, UTC)
