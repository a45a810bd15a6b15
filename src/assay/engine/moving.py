"""The options of a recipe, as a file in another folder has to say them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import PlanError
from .plugins import check_options, load


def moved_options(
    use: str, options: Mapping[str, Any], *, base: Path, to: Path, where: str = ""
) -> dict[str, Any]:
    """Return options whose relative paths start at ``to`` and name what they named from ``base``.

    Names and absolute paths stay as they are.  Raises ``PlanError`` A104 when there is nothing
    where a path points to: the folder may have been moved since, and a wrong path must not be
    written down.

    *Not to be trusted when* a recipe hides a path inside a list or a mapping: only options that
    are paths themselves are known to be some.
    """
    checked = check_options(
        load("assay.recipes", use, where=where), use, options, where=where, base=base
    )
    return {
        key: _moved(f"{use}.{key}", value, checked[key], to=to, where=where)
        for key, value in options.items()
    }


def _moved(name: str, given: Any, path: Any, *, to: Path, where: str) -> Any:
    if not isinstance(path, Path) or Path(given).is_absolute():
        return given
    if not path.exists():
        raise PlanError(
            f"{name} is the path {given!r}, and there is nothing at {path}",
            where=where,
            hint="put the file back where the plan found it, or give the plan an absolute path and "
            "run it again",
            code="A104",
        )
    if (to / given).resolve() == path.resolve():
        return given
    # On real paths: `..` behind a link leads elsewhere.
    text = Path(os.path.relpath(path.resolve(), to.resolve())).as_posix()
    return text if "/" in text else f"./{text}"
