"""Samples that may be asked: plain, with ids of their own, no group in two splits."""

from __future__ import annotations

from ..core.errors import DataError
from ..core.sample import Sample
from ..store.samples import plain_line


def check_splits(task: str, splits: dict[str, list[Sample]]) -> None:
    """Raise ``DataError`` A200 / A201 unless samples are plain, have ids, and leak nowhere."""
    ids: dict[str, str] = {}
    groups: dict[str, str] = {}
    if not splits["test"]:
        raise DataError("the test split is empty", where=task, hint="a run needs test samples")
    for split, samples in splits.items():
        for sample in samples:
            plain_line(sample)
            if not sample.id:
                raise DataError(f"a sample of {split} has no id", where=task, hint="give it one")
            if ids.setdefault(sample.id, split) != split:
                raise DataError(
                    f"the sample id {sample.id!r} stands in {ids[sample.id]} and in {split}",
                    where=task,
                    hint="give every sample an id of its own",
                    code="A201",
                )
            if (first := groups.setdefault(sample.cluster, split)) != split:
                raise DataError(
                    f"the group {sample.cluster!r} is shared by {first} and {split}",
                    where=f"{task}: {sample.id}",
                    hint="assign whole groups to splits, at random",
                    code="A201",
                )
        if len({s.id for s in samples}) != len(samples):
            raise DataError(f"two samples of {split} have the same id", where=task, code="A201")
