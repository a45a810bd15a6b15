"""The manifest and the plan of a run, held against each other and against its journals.

A seal says that no file was changed, not that they speak of one run: a stranger may have sealed it.
Covered: tasks of the manifest that the plan lacks, records of nobody.  Not covered: records that are missing
where the manifest wants some; what reads them says so.
"""

from __future__ import annotations

from ..core.errors import SealError
from ..engine.plan import LoadedPlan, load_plan
from ..store.manifest import Manifest, read_doc
from ..store.rundir import RunDir, cell_of
from ..store.seal import journals


def opened(where: RunDir) -> tuple[Manifest, LoadedPlan]:
    """Return the manifest and the plan of a run; raise ``SealError`` A300 where they do not fit."""
    manifest = read_doc(Manifest, where.manifest)
    loaded = load_plan(where.plan, manifest.overrides)
    planned = {ref.name or ref.use for ref in loaded.plan.tasks}
    # Of numbers without records the plan has the task, and the manifest has not.
    if odd := manifest.tasks.keys() - planned:
        raise _unfit(where, f"the task {min(odd)} stands in the manifest, and not in the plan")
    for path in journals(where):
        cell = cell_of(where.root, path)
        if cell.task not in manifest.tasks or cell.system not in manifest.systems:
            what = f"there are records of {cell.system} on {cell.task}, and the manifest has no such system or task"
            raise _unfit(where, what)
    return manifest, loaded


def _unfit(where: RunDir, what: str) -> SealError:
    hint = "the run was changed and sealed again: ask whom it came from for a copy, or ask again"
    return SealError(what, where=str(where.root), hint=hint)
