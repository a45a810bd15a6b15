"""The samples of a run with their content, also where the run may not hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.errors import DataError
from ..core.sample import SPLITS, Sample
from ..engine.plugins import make_task
from ..store.samples import digested, read_samples, sample_line

if TYPE_CHECKING:
    from .run import Run


def originals(run: Run, task: str) -> Mapping[str, Sequence[Sample]]:
    """Return the samples of every split; those of which a run keeps digests come from their task.

    Raises ``DataError`` A200 when the task's data is not there, or is not what the digests name.
    """
    kept = {split: read_samples(run.dir.samples(task, split)) for split in SPLITS}
    if run.manifest.tasks[task].redistributable:
        return kept
    [ref] = [ref for ref in run.loaded.plan.tasks if (ref.name or ref.use) == task]
    made = make_task(ref.use, ref.options, where=str(run.dir.plan), base=run.plan_folder)
    try:
        return {split: _found(task, kept[split], made.samples(split)) for split in SPLITS}
    except OSError as error:
        raise DataError(
            f"the run keeps digests of the samples of {task}, and the samples cannot be read: "
            f"{error.strerror}",
            where=str(error.filename or run.plan_folder),
            hint="put the task's data back where the plan found it",
        ) from None


def _found(task: str, kept: Sequence[Sample], there: Sequence[Sample]) -> list[Sample]:
    by_id = {sample.id: sample for sample in there}
    found = []
    for one in kept:
        sample = by_id.get(one.id)
        if sample is None or sample_line(digested(sample)) != sample_line(one):
            what = "is gone" if sample is None else "has another digest"
            raise DataError(
                f"the run keeps digests of the samples of {task}, and {one.id!r} {what}",
                where=task,
                hint="put the data that the run was made with back where the plan found it",
            )
        found.append(sample)
    return found
