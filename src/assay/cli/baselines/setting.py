"""``assay baseline set``: a run becomes the one that later ones must not be worse than."""

from __future__ import annotations

from pathlib import Path

from ..page import Page

DEFAULT = Path("baseline.json")


def set_(run: Path, /, *, out: Path = DEFAULT) -> Page:
    """Write the file that makes a run the baseline of `assay gate RUN --baseline FILE`.

    The file says where the run is and what its seal's digest is; the gate refuses any other run.

    Args:
        run: A sealed run's folder.
        out: The file to write; what was there is replaced.
    """
    from ...publish.baselines import set_baseline, short
    from ...publish.run import Run

    made = set_baseline(Run.load(run), out)
    return Page(
        lines=[
            f"{out}: {made.plan}, the run {made.run}, seal {short(made.seal)}",
            f"Next: assay gate RUN --baseline {out}",
        ],
        facts={"file": str(out), "run": made.run, "seal": made.seal, "plan": made.plan},
    )
