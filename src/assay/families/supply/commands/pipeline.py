"""``assay model pipeline``: every model of a tier file from its source to a front."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from assay.pages import Page, check_folder, progress, wrong_option

if TYPE_CHECKING:
    from ..pipeline.pipeline import Result

Flag = Annotated[bool, Parameter(negative="")]
METRICS = ("accuracy", "usd_per_1k", "latency_p50")


def pipeline(
    file: Path,
    /,
    *,
    out: Path | None = None,
    limit: int | None = None,
    offline: Flag = False,
    cache_limit: str | None = None,
) -> Page:
    """Fetch, inspect, convert, gate and evaluate the models of a tier file; goes on where it was stopped.

    Exit status 1 when a model was stopped (`HALT`, `REFUSED`) or misses a criterion of the file.

    Parameters
    ----------
    file
        A tier file: plans/models.yaml.
    out
        The folder for all that is made; without it runs/NAME, NAME as the file has it.
    limit
        Ask each model at most this many prompts.
    offline
        Use what is on this machine, and ask nobody.
    cache_limit
        How much the cache of model files may hold, as `20 GB`.
    """
    from assay.progress import telling

    from ..keeping.settings import models_cache
    from ..pipeline.pipeline import Wanted, run_pipeline
    from ..pipeline.tiers import read_tiers

    if limit is not None and limit < 1:
        raise wrong_option("--limit", f"{limit} prompts cannot be asked", "give 1 or more")
    check_folder(out)
    cache = models_cache(cache_limit)
    folder = out or Path("runs") / read_tiers(file).value.name
    with telling() as teller:
        wanted = Wanted(
            out=folder,
            cache=cache,
            limit=limit,
            offline=offline,
            tell=progress,
            teller=teller,
        )
        found = run_pipeline(file, wanted)
    code = 1 if found.stops or found.missed else 0
    return Page(lines=list(_lines(found)), facts=_facts(found), code=code)


def _lines(found: Result) -> Iterator[str | tuple[str, ...]]:
    from assay.estimates import spell
    from assay.progress import sized

    run = found.run()
    standing = found.evaluated.front.facts["standing"] if found.evaluated else {}
    if run is not None:
        yield ("model", "file", "kl_mean", *METRICS, "front")
    for model in found.models:
        for made in model.made:
            if run is None or made.gate.stopped:
                continue
            kl = made.gate.facts["numbers"].get("kl_mean")
            yield (
                made.name,
                sized(made.converted["size"]),
                "" if kl is None else f"{kl:.3g}",
                *(spell(run.estimate(name, made.name)) for name in METRICS),
                standing.get(made.name, ""),
            )
    if found.stops:
        yield ""
    yield from (f"Stopped: {stop.of} at {stop.stage}: {stop.stopped}" for stop in found.stops)
    if found.missed:
        yield ""
    yield from (f"Missed: {claim}" for claim in found.missed)
    yield ""
    if run is None:
        yield "No model was accepted, so none was asked."
    else:
        for decision in run.decision.values():
            yield decision["says"]
        yield f"Run: {run.path}"
        yield f"Report: {run.path}/derived/report.html"
    if found.stops:
        yield f"Log of stops: {found.out / 'stops.log'}"


def _facts(found: Result) -> dict[str, Any]:
    from assay.estimates import facts

    run = found.run()
    return {
        "out": str(found.out),
        "run": str(run.path) if run is not None else None,
        "models": {
            model.model.id: {
                "stages": [
                    {
                        "stage": each.stage,
                        "of": each.of,
                        "stopped": each.stopped or None,
                        "facts": dict(each.facts),
                    }
                    for each in model.outcomes
                ]
            }
            for model in found.models
        },
        "systems": {
            made.name: {name: facts(run.estimate(name, made.name)) for name in METRICS}
            for model in found.models
            for made in model.made
            if run is not None and not made.gate.stopped
        },
        "claims": dict(found.evaluated.evaluate.facts["claims"]) if found.evaluated else {},
        "front": dict(found.evaluated.front.facts["standing"]) if found.evaluated else {},
        "evicted": [each.of for each in found.evicted],
        "stops": [f"{s.of} {s.stage}: {s.stopped}" for s in found.stops],
    }
