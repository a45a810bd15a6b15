"""Verify a run: rehash every sealed file, then compute every number again.

Covered: any edit of a sealed or derived file, by hash and by recomputation.
Not covered: a forger who edits and seals again (publish the digest of SEAL), and figures when
another version of the drawing library is installed: that is said, and is not tampering.
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import PlanError, PluginError
from ..store.machine import packages
from ..store.rundir import RunDir
from ..store.seal import Fault, faults
from .derive import stale_files
from .run import Run


def verify(path: Path | str) -> list[Fault]:
    """Return everything that is not as it was sealed, or is not what the records compute to.

    Files come first.  When they are sound and a plugin that computes the numbers is missing, that is
    the one fault.  Raises ``SealError`` when the folder is no run, has no seal, or is of another schema version.
    """
    where = RunDir(Path(path)).require()
    if found := faults(where):
        return found
    run = Run.intact(where)
    try:
        return stale_files(run)
    except (PlanError, PluginError) as error:
        return [Fault("derived", f"could not be computed again: {error.what}{_missing(run)}")]


def _missing(run: Run) -> str:
    """Return which distributions made this run's tasks and are not installed here."""
    here = packages()
    wanted = {facts.distribution for facts in run.manifest.tasks.values()} - {""}
    gone = [name for name in sorted(wanted) if name.lower().replace("_", "-") not in here]
    then = run.provenance.packages
    named = (f"{n}=={then[n]}" if n in then else n for n in gone)
    return f"; not installed here: {', '.join(named)}" if gone else ""
