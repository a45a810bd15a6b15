"""``assay baseline set``: a run, or a measurement, becomes the one that later ones must not be worse than."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..page import Page

DEFAULT = Path("baseline.json")
PERFORMANCE = Path("bench/baseline.json")


def set_(
    run: Path,
    /,
    *,
    out: Path | None = None,
    family: Literal["runs", "scientific", "performance"] = "runs",
) -> Page:
    """Write the file that makes a run, or a measurement, the baseline of `assay gate`.

    Of a run the file says where it is and what its seal's digest is; the gate refuses any other run.
    Of performance it is a copy of the newest file of `assay perf run` in a folder.

    Args:
        run: A sealed run's folder; with --family performance a folder of files of `assay perf run`, or one
            of them.
        out: The file to write; what was there is replaced.  Without it baseline.json, or
            bench/baseline.json of performance.
        family: What becomes a baseline: runs, which are also called scientific, or performance.
    """
    if family == "performance":
        return _performance(run, out or PERFORMANCE)
    from ...publish.baselines import set_baseline, short
    from ...publish.run import Run

    out = out or DEFAULT
    made = set_baseline(Run.load(run), out)
    return Page(
        lines=[
            f"{out}: {made.plan}, the run {made.run}, seal {short(made.seal)}",
            f"Next: assay gate RUN --baseline {out}",
        ],
        facts={"file": str(out), "run": made.run, "seal": made.seal, "plan": made.plan},
    )


def _performance(folder: Path, out: Path) -> Page:
    from ...publish.baselines import short
    from ...publish.perf.baseline import set_baseline

    made = set_baseline(folder, out)
    about = made.measurement.assay
    suites = ", ".join(about.suites)
    return Page(
        lines=[
            f"{out}: {made.source.name} of {about.when[:16]}, digest {short(made.digest)}",
            f"{len(about.rows)} benchmarks: {suites}",
            f"Next: assay gate FILE --family performance --baseline {out}",
        ],
        facts={
            "file": str(out),
            "source": str(made.source),
            "when": about.when,
            "benchmarks": [row.name for row in about.rows],
            "digest": made.digest,
        },
    )
