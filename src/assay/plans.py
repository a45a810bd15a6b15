"""Plans that a program writes: as YAML, checked whole, before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from .engine.growing import grow, seeds_of
from .engine.plan import LoadedPlan, load_plan
from .engine.resolve import resolve
from .store.canon import write_whole
from .store.rundir import RunDir


class _Plain(yaml.SafeDumper):
    """Writes a value that stands twice twice: plans have no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def seeds_of_run(out: Path) -> list[int]:
    """Return the seeds of the run in a folder, in its plan's order; none where there is no run.

    Raises ``SealError`` A300, A302 for a manifest that cannot be read.

    >>> seeds_of_run(Path("/nowhere"))
    []
    """
    return seeds_of(RunDir(out))


def grow_run(out: Path, loaded: LoadedPlan, *, again: Collection[int] = ()) -> None:
    """Make the run in a folder ready to go on with more seeds, or with some of them ``again``.

    ``assay.run(loaded, out=out)`` then asks what is missing and seals it; what is finished of other
    seeds is kept, and the history of its attempts tells.  Nothing is done where there is no run.

    Raises ``PlanError`` A503 for a run that differs from the plan in more than its seeds, or has
    seeds that the plan lacks; A104 for a plan with a ``limit``; ``RunError`` A501 where another
    process writes it; ``SealError`` A300 for a run that was changed.

    >>> from assay import load_plan
    >>> grow_run(Path("/nowhere"), load_plan("plans/smoke.yaml"))
    """
    grow(RunDir(out), resolve(loaded), again=again)


def digest_of_plan(loaded: LoadedPlan) -> str:
    """Return what names a plan with everything that it names: the digest of equal plans is equal.

    Questions, options and the files of every system are in it.  Raises what ``assay plan`` raises.

    >>> from assay import load_plan
    >>> one, other = (digest_of_plan(load_plan("plans/smoke.yaml", (f"says={s}",))) for s in "ab")
    >>> one.startswith("sha256:"), one == other
    (True, False)
    """
    return resolve(loaded).digest


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
    text = yaml.dump(dict(plan), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    write_whole(path, (comment + text).encode("utf-8"))
    loaded = load_plan(path)
    resolve(loaded)
    return loaded
