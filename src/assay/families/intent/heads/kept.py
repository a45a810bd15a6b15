"""A head that was trained before, from the same lessons with the same options, is not trained again.

The serial pass and a resumed run build a system once more; training is then reading.
*Covered*: other samples, options, seeds, encoders, code versions, damaged files: all train again.
*Not covered*: a library whose newer version would fit other weights from the same lessons.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from assay import Answer, Artifact, Bottom, Sample

from ..encoders.facts import EncoderFacts
from ..encoders.files import digest_of
from .card import CARD, Card, Options
from .weights import HEAD, Saved, artifact_of, save

COST = "cost.json"


def lessons_digest(train: Sequence[Sample], tune: Sequence[Sample]) -> str:
    """Return the digest of everything that a training reads of its samples.

    >>> one = [Sample(id="1", input="trade", target=Answer("swap"), group="g")]
    >>> lessons_digest(one, []) == lessons_digest([], one)
    False
    """
    rows = [[_row(sample) for sample in split] for split in (train, tune)]
    return digest_of(json.dumps(rows, ensure_ascii=True, default=str).encode())


def note(card: Card, *, lessons: str, options: Options) -> Card:
    """Return the card with what the head was made from: equal notes are equal heads."""
    return msgspec.structs.replace(card, lessons=lessons, options=options)


def is_same(
    card: Card, made_by: str, encoder: EncoderFacts, *, lessons: str, options: Options
) -> bool:
    """Whether a card is of a head that the same training would make again."""
    return (card.made_by, card.encoder, card.lessons, card.options) == (
        made_by,
        encoder,
        lessons,
        options,
    )


def keep(saved: Saved, folder: Path, *, parents: tuple[str, ...]) -> tuple[Artifact, Artifact]:
    """Write a head and its card into a folder; describe both files."""
    weights, written = save(saved, folder)
    card = saved.card
    return (
        artifact_of(weights, "head", made_by=card.made_by, parents=parents),
        artifact_of(written, "card", made_by=card.made_by, parents=parents),
    )


def kept_artifacts(folder: Path, *, made_by: str, parents: tuple[str, ...]) -> tuple[Artifact, ...]:
    """Describe the files of a kept head."""
    return tuple(
        artifact_of(folder / name, kind, made_by=made_by, parents=parents)
        for name, kind in ((HEAD, "head"), (CARD, "card"))
    )


def write_cost(folder: Path, seconds: float) -> None:
    """Note what the training cost, beside the head: reading it back costs almost nothing."""
    (folder / COST).write_text(json.dumps({"seconds": seconds}))


def read_cost(folder: Path) -> float | None:
    """Return what the training cost, or None where that was not noted."""
    try:
        found = json.loads((folder / COST).read_bytes())
    except (OSError, ValueError):
        return None
    seconds = found.get("seconds") if isinstance(found, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else None


def _row(sample: Sample) -> list[object]:
    match sample.target:
        case Answer(value):
            target: object = ["answer", value]
        case Bottom(reason):
            target = ["bottom", reason]
        case None:
            target = None
    return [sample.input, target, sample.cluster]
