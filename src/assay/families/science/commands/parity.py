"""``assay science parity``: how right systems are at equal coverage."""

from __future__ import annotations

import json
from pathlib import Path

from assay.pages import Page, check_folder, wrong_option


def parity(run: Path | None = None, /, *, out: Path, task: str | None = None) -> Page:
    """Write coverage-accuracy curves of a run: parity_report.json and coverage_accuracy.svg.

    Thresholds come from calibration records, numbers from test. Without a run, doses are asked first, in
    the mode smoke, as a run in the folder --out.

    Parameters
    ----------
    run
        A sealed run whose systems have a threshold.
    out
        The folder for both files.
    task
        Which task, where the run has several.
    """
    from assay import Run
    from assay.estimates import spell
    from assay.progress import telling

    from ..parity import curves, figure, report
    from ..plans import SEEDS, Asked
    from ..running import Wanted, run_domain

    check_folder(out)
    if run is None:
        asked = Asked(domain="dose", mode="smoke", seeds=range(SEEDS["smoke"]))
        with telling() as teller:
            made = run_domain(asked, Wanted(out=out / "run"), teller=teller)
    else:
        made = Run.load(run)
    names = list(made.manifest.tasks)
    if task is None and len(names) > 1:
        raise wrong_option("--task", "the run has several tasks", f"name one of {', '.join(names)}")
    if task is not None and task not in names:
        raise wrong_option("--task", f"no task is called {task!r}", f"known: {', '.join(names)}")
    chosen = task or names[0]
    found = curves(made, task=chosen)
    out.mkdir(parents=True, exist_ok=True)
    facts = report(made, found, task=chosen)
    (out / "parity_report.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    (out / "coverage_accuracy.svg").write_text(figure(made, found).svg, "utf-8")
    lines: list[str | tuple[str, ...]] = [("system", "asked for", "answered", "of these right")]
    lines += [
        (curve.system, f"{place.share:.0%}", spell(place.coverage), spell(place.accuracy))
        for curve in found
        for place in curve.places
    ]
    lines += ["", f"Wrote {out / 'parity_report.json'} and {out / 'coverage_accuracy.svg'}"]
    return Page(lines=lines, facts=facts)
