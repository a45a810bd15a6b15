"""``assay science bundle``: a network of a run, to be used elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assay import PlanError, Run
from assay.pages import Page, check_folder, wrong_option
from assay.runs import Place

if TYPE_CHECKING:
    from ..export.bundle import Bundled

MOST = 1000


def bundle(
    run: Path,
    /,
    *,
    system: str | None = None,
    task: str | None = None,
    seed: int | None = None,
    out: Path | None = None,
    samples: int = MOST,
) -> Page:
    """Write a network of a sealed run as ONNX, with metadata, and hold it to the run's records.

    Exit status 1 where it does not say what the records say.

    Parameters
    ----------
    run
        The run's folder.
    system
        A system that is one network, or an operating point of one; without it the only network, or what the
        run would ship.
    task
        A task of the run, where it has several.
    seed
        Which of its seeds; the first where it is left out.
    out
        A new folder; beside the run where it is left out.
    samples
        How many test samples the graph is held to.
    """
    if samples < 1:
        raise wrong_option("--samples", f"{samples} samples show nothing", "give 1 or more")
    loaded = Run.load(run)
    place = Place.of(loaded, system or _only(loaded, task), seed=seed, task=task)
    folder = out or run.resolve().parent / f"{run.resolve().name}-{place.system}-{place.seed}"
    check_folder(folder)
    if folder.is_dir() and any(folder.iterdir()):
        raise wrong_option("--out", f"{folder} is not empty", "name a new folder")
    from ..export.bundle import bundle as write

    return _page(write(place, folder, samples=samples), place)


def _only(run: Run, task: str | None) -> str:
    """Return the one network that can be bundled; of several systems the one that the run would ship."""
    from ..export.found import exportable

    places = [Place.of(run, name, task=task) for name in run.manifest.systems]
    able = [place.system for place in places if exportable(place)]
    asked = [name for name in able if run.manifest.systems[name].of is None]
    ships = run.decision[places[0].task]["ship"]
    if len(asked) == 1 or ships in able:
        return asked[0] if len(asked) == 1 else str(ships)
    what = "several systems are networks" if able else "no system is a network with one head"
    hint = f"say which with --system: {', '.join(able)}" if able else "name another run"
    raise PlanError(what, where=str(run.path), hint=hint, code="A104")


def _page(made: Bundled, place: Place) -> Page:
    gate = made.found.deployed.gate
    train = "none" if gate.tau_train is None else f"{gate.tau_train:.6g}"
    lines: list[str | tuple[str, ...]] = [
        f"{place.system}, seed {place.seed}, of {place.run.manifest.run}",
        "",
        ("against", "rows", "other kind", "values", "largest difference", ""),
    ]
    lines += [
        (
            one.against,
            f"{one.rows:,}",
            f"{one.kinds_differ:,}",
            f"{one.values:,}",
            f"{one.largest:.2g}",
            "agrees" if one.agrees else "DIFFERS",
        )
        for one in made.held
    ]
    again = "; its file was gone, and it learnt the same again" if made.found.taught_again else ""
    lines += [
        "",
        f"tau_infer {gate.tau:.6g} ({made.found.chosen}), tau_train {train}",
        f"Network {made.found.digest[:19]}{again}",
        f"Wrote {made.folder}",
    ]
    facts = {
        "bundle": str(made.folder),
        "run": str(place.run.path),
        "system": place.system,
        "seed": place.seed,
        "agrees": made.agrees,
        "tau_infer": gate.tau,
        "tau_train": gate.tau_train,
        "network": made.found.digest,
        "taught_again": made.found.taught_again,
        "held_to": [one.facts for one in made.held],
    }
    return Page(lines=lines, facts=facts, code=0 if made.agrees else 1)
