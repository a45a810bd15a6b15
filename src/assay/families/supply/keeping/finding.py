"""Files of the cache by what people type: a name, a source, the beginning of a digest."""

from __future__ import annotations

from collections.abc import Sequence

from assay import PluginError
from assay.documents import nearest
from assay.pages import wrong_option

from .kept import Kept

LEAST = 4
"""Hex digits that may stand for a digest."""

SHOWN = 5


def find(text: str, there: Sequence[Kept]) -> tuple[Kept, ...]:
    """Return the file that is meant, or all files of the model that is meant.

    ``text`` is a name as it was fetched, the last part of one, a source, a source without its file (then all
    files of that model are meant), or the first digits of a sha256.  Raises ``PluginError`` A403 where nothing
    is meant, ``PlanError`` A106 where several files could be.
    """
    model = tuple(
        kept for kept in there if any(o.source.partition("#")[0] == text for o in kept.origins)
    )
    if model:
        return model
    found = tuple(kept for kept in there if _is(text, kept))
    if len(found) == 1:
        return found
    if found:
        shown = ", ".join(f"{each.sha256[:12]} ({each.name})" for each in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise wrong_option(
            "NAME",
            f"{text!r} may be {len(found)} files: {shown}{more}",
            "give the first digits of the one that is meant",
        )
    names = sorted({name for kept in there for o in kept.origins for name in _names(o.name)})
    raise PluginError(
        f"no file of the cache is called {text!r}",
        hint=nearest(text, names) if names else "fetch it: assay model fetch",
        code="A403",
    )


def _is(text: str, kept: Kept) -> bool:
    digits = text.removeprefix("sha256:").lower()
    if len(digits) >= LEAST and kept.sha256.startswith(digits):
        return True
    return any(text in (*_names(o.name), o.source) for o in kept.origins)


def _names(name: str) -> tuple[str, str]:
    """Return a name and its last part."""
    return name, name.rpartition("/")[2]
