"""Train a mapper on a file of labelled prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from assay import Task

from ..recipes.trained import Trained
from ..tasks.csv import csv
from .learning import Training, train


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A file of labelled prompts, and which columns hold what: the options of ``intent.csv``."""

    path: Path
    prompt: str = "prompt"
    label: str = "label"
    group: str | None = None
    split: str | None = None
    none: str = "none"
    leaks: Literal["error", "allow"] = "error"

    def task(self, *, seed: int) -> Task:
        """Return the task that a plan makes of the file, with the same splits."""
        return csv(
            path=self.path,
            prompt=self.prompt,
            label=self.label,
            group=self.group,
            split=self.split,
            none=self.none,
            leaks=self.leaks,
            seed=seed,
        )


def train_file(
    file: Filed,
    how: Training,
    *,
    learn_from: Literal["train", "all"] = "train",
    workdir: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a mapper on a file.

    The file is split as ``intent.csv`` splits it with the same seed.  ``train``: it learns from train
    and tune, thresholds and held-out numbers come from calibration, and nobody looks at test: it is
    left for a bench or a plan on the same file.  ``all``: it learns from every row, and there is
    nothing left to measure it on but cross-fitting.  ``workdir`` is where an encoder is taught.
    The card has the caveats of the task.

    Raises ``PluginError`` A401 or A403 for an encoder that is not there, before the file is read;
    ``DataError`` with the line for rows that cannot be used, for labels with too few
    independent prompts (A200) and for leaks (A201); what ``learning.train`` raises.
    """
    how.require()
    say(f"reading {file.path}")
    task = file.task(seed=how.form.seed)
    caveats = list(task.caveats())
    for caveat in caveats:
        say(f"caveat: {caveat}")
    lessons = [*task.samples("train"), *task.samples("tune")]
    calibration = list(task.samples("calibration"))
    if learn_from == "all":
        lessons += [*calibration, *task.samples("test")]
        calibration = []
    made = train(lessons, how, calibration=calibration, workdir=workdir, say=say)
    card = msgspec.structs.replace(made.card, caveats=caveats)
    return replace(made, saved=replace(made.saved, card=card))
