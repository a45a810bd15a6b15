"""``assay run`` and ``assay plan``."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from ..core.errors import RunError
from .failures import usage
from .page import Page, Span, Style

if TYPE_CHECKING:
    from ..engine.plan import LoadedPlan

Sets = Annotated[tuple[str, ...], Parameter(name="--set", negative="")]


def run(
    plan: Path,
    /,
    *,
    out: Path | None = None,
    workers: PositiveInt | None = None,
    limit: PositiveInt | None = None,
    sets: Sets = (),
    unsafe_no_sandbox: Annotated[bool, Parameter(negative="")] = False,
    engine: str = "local",
    per_task: PositiveInt | None = None,
) -> Page:
    """Ask every system of a plan, seal the answers, and say what they support.

    An unfinished run of the same plan is resumed; replies that were lost to a crash are asked again.
    Progress goes to stderr; the last line of stdout is the decision.

    Args:
        plan: The plan, a YAML file; `assay init` writes one.
        out: The run's folder.  Without it a new one under ./runs.
        workers: Processes that are asked side by side.  Without it one per core.
        limit: Ask at most this many test samples of every task: whole groups, drawn fairly.
        sets: Change a value of the plan, as key=value with a YAML value; may be repeated.  For
            example --set seeds=[0] or --set timing.blocks=2.  The run records it.
        unsafe_no_sandbox: Where no sandbox works, run the programs that systems write as you, with
            your files and your network.  The same as --set limits.sandbox=none; the report says so.
        engine: What asks: local (processes of this machine), ray (a Ray cluster of this machine alone),
            ray://auto (the cluster that this machine belongs to) or ray://HOST:PORT (a Ray client server).
        per_task: Questions that a task of the cluster is given at least; each task builds its system anew.
    """
    from ..engine.engines import engine_of
    from ..progress import telling
    from ..publish.running import run as run_plan
    from ..store.outputs import check_output
    from .summary import run_page

    check_output("--out", out)
    if out is not None and out.exists() and not out.is_dir():
        raise usage(f"--out {out} is a file", "name a folder; it need not exist yet")
    engine_of(
        engine, workers=workers, per_task=per_task
    )  # a wrong name is said before a plan is read
    if unsafe_no_sandbox:
        sets = (*sets, "limits.sandbox=none")
    loaded = read_plan(plan, sets, limit)
    begun = time.time()
    with telling() as teller:
        try:
            made = run_plan(
                loaded, out=out, workers=workers, engine=engine, per_task=per_task, teller=teller
            )
        except KeyboardInterrupt:
            raise _interrupted(loaded, out, begun) from None
    return run_page(made)


def plan(
    plan: Path,
    /,
    *,
    workers: PositiveInt | None = None,
    limit: PositiveInt | None = None,
    sets: Sets = (),
    source: Annotated[Path | None, Parameter(name="--from")] = None,
    guesses: Annotated[tuple[str, ...], Parameter(name="--guess", negative="")] = (),
) -> Page:
    """Check a plan and say what it would ask, how long that takes, and what it could show.

    Nothing is asked.  Times and dollars come from earlier runs of the same systems under ./runs; a
    system that never ran has none.  A claim that no result could support is marked, with what would
    help.

    Args:
        plan: The plan, a YAML file.
        workers: Processes that would be asked side by side.  Without it one per core.
        limit: As for `assay run`.
        sets: As for `assay run`.
        source: An earlier run: what it measured takes the place of guesses.
        guesses: Suppose something else, as key=value: discordance, icc, seed_sd, spread, effect,
            power.  May be repeated.
    """
    from ..engine.forecast import forecast
    from ..engine.resolve import resolve
    from ..engine.sight import sights
    from ..engine.starved import starved
    from .guessing import read_guess
    from .outlook import outlook_page

    guess = read_guess(guesses)
    resolved = resolve(read_plan(plan, sets, limit))
    seen, unused = {}, ""
    if source is not None:
        from ..publish.pilots import pilots
        from ..publish.run import Run

        seen = dict(pilots(Run.load(source), resolved.claims))
        if not seen and resolved.claims:
            unused = f"{source.name} says nothing of these claims: it has other tasks or systems."
    found = forecast(resolved, runs=Path("runs"), workers=workers, first=source)
    read_with = [said for t in resolved.tasks.values() for said in t.task.caveats()]
    seen_from = sights(resolved, guess, seen)
    page = outlook_page(found, seen_from, starved(resolved), source=source, caveats=read_with)
    return replace(page, lines=[*page.lines, "", Span(unused, Style.UNSURE)]) if unused else page


def read_plan(path: Path, sets: tuple[str, ...], limit: int | None) -> LoadedPlan:
    """Read a plan with what the command line changes in it."""
    from ..engine.plan import load_plan

    loaded = load_plan(path, sets)
    if limit is None:
        return loaded
    tasks = [
        {**ref.model_dump(mode="json", exclude_defaults=True), "limit": limit}
        for ref in loaded.plan.tasks
    ]
    return load_plan(path, (*sets, "tasks=" + json.dumps(tasks)))


def _interrupted(loaded: LoadedPlan, out: Path | None, begun: float) -> BaseException:
    """Return the interruption; one that came after the seal has another way to go on."""
    found = [out] if out else sorted(Path("runs").glob(f"*-{loaded.plan.name}-*"), reverse=True)
    for folder in found[:1]:
        seal = folder / "SEAL"
        if seal.is_file() and seal.stat().st_mtime >= begun:
            return RunError(
                "interrupted after the run was sealed; every answer is kept",
                where=str(folder),
                hint=f"write its report with: assay report {folder}",
                code="A502",
            )
    return KeyboardInterrupt()
