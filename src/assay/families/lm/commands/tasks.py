"""``assay lm tasks``: what lm-evaluation-harness can ask, and for which of it the data is at hand."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from assay.pages import Page, wrong_option

MOST = 200
"""Names that are listed at once."""


def tasks(pattern: str | None = None, /, *, data: Path | None = None) -> Page:
    """List the categories and whether their data is at hand; or every name that a pattern matches.

    Parameters
    ----------
    pattern
        Letters with * and ?, as in mmlu_* (in quotes).
    data
        A folder of JSON Lines; $ASSAY_DATA without it.
    """
    if data is not None and not data.is_dir():
        raise wrong_option("--data", f"there is no folder {data}", "name a folder of JSON Lines")
    from ..harness.catalogue import leaves, names, version
    from ..harness.categories import CATEGORIES
    from ..harness.local import data_folder, has_data

    if pattern is not None:
        found = [name for name in names() if fnmatch(name, pattern)]
        if not found:
            raise wrong_option("PATTERN", f"no name matches {pattern!r}", "try *arc* (in quotes)")
        shown: list[str | tuple[str, ...]] = [*found[:MOST]]
        if len(found) > MOST:
            shown.append(f"... and {len(found) - MOST:,} more: narrow the pattern")
        return Page(lines=shown, facts={"lm_eval": version(), "names": found})
    folder = data_folder(data)
    lines: list[str | tuple[str, ...]] = [("category", "task", "tasks in it", "data")]
    facts = []
    for category, each in CATEGORIES.items():
        for name in each:
            inside = leaves(name)
            ready = folder is not None and all(has_data(folder, leaf.config) for leaf in inside)
            lines.append((category, name, str(len(inside)), "at hand" if ready else "not at hand"))
            facts.append({"category": category, "task": name, "tasks": len(inside), "data": ready})
    if folder is None:
        lines += ["", "No folder was looked into: name one with --data, or set ASSAY_DATA"]
    lines += [
        "",
        f"lm-evaluation-harness {version()} has {len(names()):,} names: assay lm tasks 'mmlu_*'",
    ]
    return Page(lines=lines, facts={"lm_eval": version(), "categories": facts})
