"""A domain in a mode becomes a plan, the plan a sealed run, and the run a page."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assay import AssayError, PlanError, Run, Status, run
from assay.estimates import facts, spell
from assay.pages import Page, progress
from assay.plans import grow_run, seeds_of_run, write_plan

from .plans import Asked, plan_of
from .published import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.engine.teller import Teller

How = Literal["resume", "skip", "force"]
BELOW = Path("runs")
REFUSED = ("A303", "A503")
"""Codes of a folder that holds something else than the run that was asked for."""
TRIVIAL = ("median", "decline")
"""Systems that reply alike to every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where the run goes, and what becomes of one that is there."""

    out: Path | None = None
    how: How = "resume"


def run_domain(asked: Asked, wanted: Wanted, *, teller: Teller | None = None) -> Run:
    """Run a domain to its seal.

    ``resume`` goes on with an unfinished run of the same plan; ``skip`` keeps every seed that the
    folder holds and adds those that are missing; ``force`` runs the seeds asked for again, and keeps
    others that are there.  Raises what ``assay.run`` and ``assay.plans.grow_run`` raise; the plan beside
    a folder that is refused stays as it was.
    """
    beside = None if wanted.out is None else _named(wanted.out)
    folder = BELOW if beside is None else beside.parent
    again: tuple[int, ...] = ()
    if wanted.how != "resume" and wanted.out is not None:
        there = seeds_of_run(wanted.out)
        if wanted.how == "force":
            again = tuple(seed for seed in asked.seeds if seed in there)
        asked = replace(asked, seeds=[*there, *(s for s in asked.seeds if s not in there)])
    name = asked.name if beside is None else beside.name
    path = folder / f"{name}.yaml"
    says = f"assay science run {asked.domain} --mode {asked.mode}; `assay run` on this file is the same."
    with _kept_if_refused(path, wanted, asked):
        loaded = write_plan(path, plan_of(asked), says=says)
        progress(f"{path}")
        if wanted.how != "resume" and wanted.out is not None:
            grow_run(wanted.out, loaded, again=again)
        return run(loaded, out=wanted.out, below=BELOW, teller=teller)


def _named(out: Path) -> Path:
    """Return a folder by a path that ends in its name, which the plan beside it has."""
    return out.resolve() if out.name in ("", "..") else out


@contextmanager
def _kept_if_refused(path: Path, wanted: Wanted, asked: Asked) -> Iterator[None]:
    """Put the plan back where the folder holds another run: the plan is that run's, and no other."""
    before = path.read_bytes() if path.is_file() else None
    try:
        yield
    except AssayError as error:
        if error.code not in REFUSED or wanted.out is None:
            raise
        if before is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(before)
        there = seeds_of_run(wanted.out)
        if wanted.how != "resume" or not there or set(there) == set(asked.seeds):
            raise
        raise PlanError(
            f"{error.what}: its seeds are {', '.join(map(str, there))}",
            where=error.where,
            hint="if nothing but the seeds differs, keep its seeds and add these with --skip-complete; "
            "or name a new folder with --out",
            code=error.code,
        ) from None


def summary(made: Run, asked: Asked) -> Page:
    """Return what a run came to: every system, every claim; 1 in the mode smoke unless networks learn."""
    domain = DOMAINS[asked.domain]
    [task] = made.manifest.tasks
    metrics = (domain.headline, "accuracy", "coverage", "invention_rate", "withheld_rate")
    names = tuple(dict.fromkeys(metrics))
    systems = [system.name for system in made.loaded.plan.systems]
    lines: list[str | tuple[str, ...]] = [("system", *(n.replace("_", " ") for n in names))]
    lines += [(s, *(spell(made.estimate(n, s, task=task)) for n in names)) for s in systems]
    lines += [
        "",
        *_claims(made),
        "",
        f"Run: {made.path}",
        f"Report: {made.path}/derived/report.html",
    ]
    learns = [f for f in made.results.findings if f.claim.against in TRIVIAL]
    fails = asked.mode == "smoke" and not all(f.status is Status.SUPPORTED for f in learns)
    if fails:
        lines += [
            "",
            "The networks did not learn: a claim against a trivial reply is not supported.",
        ]
    return Page(lines=lines, facts=_facts(made, names, systems), code=int(fails))


def _claims(made: Run) -> Iterator[tuple[str, ...]]:
    yield ("claim", "finding", "found", "says")
    for finding in made.results.findings:
        claim = finding.claim
        yield (claim.id, finding.status.value, spell(finding.estimate), claim.says)


def _facts(made: Run, names: tuple[str, ...], systems: list[str]) -> dict[str, Any]:
    return {
        "run": str(made.path),
        "seeds": list(made.manifest.seeds),
        "systems": {s: {n: facts(made.estimate(n, s)) for n in names} for s in systems},
        "claims": {f.claim.id: f.status.value for f in made.results.findings},
    }
