"""A plan run to its seal, with everything that is derived from the records written beside them."""

from __future__ import annotations

from pathlib import Path

from ..engine.engines import LOCAL, engine_of
from ..engine.execute import execute
from ..engine.plan import LoadedPlan, load_plan
from ..engine.resolve import resolve
from ..engine.teller import Teller
from .derive import derive
from .run import Run


def run(
    plan: LoadedPlan | Path | str,
    *,
    out: Path | str | None = None,
    below: Path | str = "runs",
    workers: int | None = None,
    engine: str = LOCAL,
    per_task: int | None = None,
    teller: Teller | None = None,
) -> Run:
    """Run a plan to its seal, write everything that is derived, and return the run.

    ``out`` is the run's folder; without it the run gets one of its own in the folder ``below``.  An
    unfinished run of the same plan is resumed.  ``engine`` is ``local``, ``ray``, ``ray://auto`` or
    ``ray://HOST:PORT``; a task of a cluster is given ``per_task`` questions at least.  Raises what
    ``load_plan`` and ``Run.load`` raise, ``PluginError`` for missing extras and files, ``RunError`` when the machine says no.
    """
    loaded = plan if isinstance(plan, LoadedPlan) else load_plan(plan)
    asking = engine_of(engine, workers=workers, per_task=per_task)
    made = execute(
        resolve(loaded),
        out=Path(out) if out is not None else None,
        below=Path(below),
        engine=asking,
        teller=teller,
    )
    finished = Run.load(made.root)
    derive(finished, made.derived)
    return finished
