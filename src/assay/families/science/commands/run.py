"""``assay science run``: a domain in a mode, over seeds, as one sealed run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from assay.pages import Page, check_folder, interrupted, wrong_option

MOST = 2**32
"""Above every seed that a generator of random numbers takes."""

Flag = Annotated[bool, Parameter(negative="")]


def run(
    domain: Literal["dose", "rf", "ik"],
    /,
    *,
    mode: Literal["smoke", "paper", "frozen-dirhead"] = "smoke",
    device: Literal["cpu", "cuda", "auto"] = "cpu",
    seeds: int | None = None,
    start_seed: int = 0,
    out: Path | None = None,
    skip_complete: Flag = False,
    force_rerun: Flag = False,
) -> Page:
    """Run a domain over seeds, and say what its claims came to; a run that was stopped goes on.

    The plan is written beside the run. In the mode `smoke` the exit status is 1 unless the networks learn:
    unless they are shown to beat one value for every row, and declining every row.

    Parameters
    ----------
    domain
        dose, rf or ik.
    mode
        smoke (half a minute), paper (the published plan), frozen-dirhead (dose: a direction on a frozen
        trunk).
    device
        Where networks learn.
    seeds
        How many seeds; without it 2 in smoke, 10 otherwise.
    start_seed
        The first of them; the others follow.
    out
        The folder of the run; without it a new one below runs/, or the unfinished one of this plan.
    skip_complete
        Keep the seeds that --out holds already, and run those that are missing.
    force_rerun
        Run the seeds again, whatever --out holds.
    """
    from assay.progress import telling

    from ..learning.device import device_of
    from ..plans import SEEDS, Asked
    from ..running import How, Wanted, run_domain, summary

    count = SEEDS[mode] if seeds is None else seeds
    if not 1 <= count <= 1000:
        raise wrong_option("--seeds", f"{count} seeds cannot be run", "give 1 to 1000")
    if not 0 <= start_seed <= MOST - count:
        raise wrong_option(
            "--start-seed",
            f"{start_seed} is no first seed of {count}",
            f"give 0 or more, at most {MOST - count:,}",
        )
    if mode == "frozen-dirhead" and domain != "dose":
        raise wrong_option(
            "--mode",
            f"{domain} has one reason for no value, so there is no direction to learn",
            "run `assay science run dose --mode frozen-dirhead`",
        )
    if skip_complete and force_rerun:
        raise wrong_option("--skip-complete", "it contradicts --force-rerun", "give one of the two")
    if (skip_complete or force_rerun) and out is None:
        option = "--skip-complete" if skip_complete else "--force-rerun"
        raise wrong_option(option, "it is about a run that is there", "name its folder with --out")
    device_of(device)  # a GPU that is not there is said before anything is written
    check_folder(out)
    asked = Asked(
        domain=domain, mode=mode, seeds=range(start_seed, start_seed + count), device=device
    )
    how: How = "force" if force_rerun else "skip" if skip_complete else "resume"
    try:
        with telling() as teller:
            made = run_domain(asked, Wanted(out=out, how=how), teller=teller)
    except KeyboardInterrupt:
        # The folder has the plan of all its seeds by now; forced again, it would begin again.
        other = ", with --skip-complete in the place of --force-rerun" if force_rerun else ""
        raise interrupted(f"run the same command{other}: it goes on") from None
    return summary(made, asked)
