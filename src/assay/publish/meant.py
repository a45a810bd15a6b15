"""Which task of a run somebody means who named one, or none."""

from __future__ import annotations

from ..core.errors import PlanError
from ..store.manifest import Manifest


def task_meant(manifest: Manifest, name: str | None, *, where: str) -> str:
    """Return the task that was named; the only one, where none was.

    Raises ``PlanError`` A104 where there are several to choose from, A103 for an unknown name.
    """
    tasks = list(manifest.tasks)
    if name is None and len(tasks) > 1:
        raise PlanError(f"name a task: {', '.join(tasks)}", where=where, code="A104")
    if name is not None and name not in tasks:
        hint = f"known: {', '.join(tasks)}"
        raise PlanError(f"no task is called {name!r}", where=where, hint=hint, code="A103")
    return name or tasks[0]
