"""Plans that a program writes: as YAML, checked whole, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .engine.plan import LoadedPlan, load_plan
from .engine.resolve import resolve
from .store.canon import write_whole


def write_plan(path: Path, plan: Mapping[str, Any], *, says: str) -> LoadedPlan:
    """Write a plan, resolve every name in it, and return it as ``load_plan`` does.

    ``says`` is written above it as a comment, a line at a time.  The same plan is the same bytes; a file
    of that name is replaced.  Raises what ``load_plan`` and ``assay plan`` raise, with lines of the file;
    ``RunError`` A500 where it cannot be written.

    >>> import tempfile
    >>> systems = [{"name": "votes", "use": "toy.votes"}]
    >>> plan = {"name": "try", "tasks": [{"use": "toy.errands"}], "systems": systems}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_plan(Path(folder) / "try.yaml", plan, says="Errands, once.").plan.name
    'try'

    *Not to be trusted when* an option names a path: write it relative to the plan's folder.
    """
    comment = "".join(f"# {line}".rstrip() + "\n" for line in says.splitlines())
    text = yaml.safe_dump(dict(plan), sort_keys=False, allow_unicode=True, width=100)
    write_whole(path, (comment + text).encode("utf-8"))
    loaded = load_plan(path)
    resolve(loaded)
    return loaded
