"""What a card tells of a training: its data, its options, how its encoder was taught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assay import Answer, Bottom, Sample

from ..encoders.files import find_encoder
from ..heads.card import DataFacts, SplitFacts, TaughtFacts
from ..likeness.canonical import fingerprint
from ..recipes.finetuned import Finetuned


def data_facts(lessons: Sequence[Sample], calibration: Sequence[Sample]) -> DataFacts:
    """Return the sizes of what was learnt from and measured on, and a digest of it."""
    splits = {"train": lessons, **({"calibration": calibration} if calibration else {})}
    return DataFacts(
        fingerprint=fingerprint([*lessons, *calibration]),
        labels=dict(sorted(Counter(map(_target, lessons)).items())),
        splits={name: part_facts(samples, of=lessons) for name, samples in splits.items()},
    )


def part_facts(samples: Sequence[Sample], *, of: Sequence[Sample]) -> SplitFacts:
    """Return the size of a part, and the labels of the whole that it has no prompt of."""
    return SplitFacts(
        prompts=len(samples),
        groups=len({s.cluster for s in samples}),
        without=sorted(set(map(_target, of)) - set(map(_target, samples))),
    )


def taught_facts(
    teacher: Finetuned, *, seed: int, on: Sequence[Sample], held_back: Sequence[Sample]
) -> TaughtFacts:
    """Return how an encoder was taught, on which part of the lessons."""
    base, lessons = find_encoder(teacher.base), [*on, *held_back]
    return TaughtFacts(
        base=base.name,
        weights=base.weights.digest,
        epochs=teacher.epochs,
        rate=teacher.rate,
        contrast=teacher.contrast,
        seed=seed,
        on=part_facts(on, of=lessons),
        held_back=part_facts(held_back, of=lessons),
    )


def how_calibrated(count: int, taught: TaughtFacts | None) -> str:
    """Say which prompts a calibration was fitted to."""
    if taught is None:
        return f"fitted to {count} prompts, each answered by a head that did not see its group"
    return (
        f"fitted to {count} prompts in {taught.held_back.groups} groups that neither the head nor "
        "the taught encoder saw"
    )


def _target(sample: Sample) -> str:
    """Return a label, or a reason to decline in parentheses."""
    match sample.target:
        case Answer(value):
            return str(value)
        case Bottom(reason):
            return f"({reason})"
        case None:
            return "(no target)"
