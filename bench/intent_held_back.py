"""What a training says of itself when its encoder learns too: a fifth held back, or crossed all the same.

    python bench/intent_held_back.py [--work .cache/held-back]

Two mappers of `intent.defi` (train and tune; calibration is asked, test is not), each with MiniLM taught for
four epochs.  *Held back* is what `assay intent train --finetune` does.  *Crossed* teaches the encoder on
everything and then fits head, C and temperature by turns, as for a frozen encoder: its own numbers come from
prompts that the encoder knows.  Each says its accuracy and expected calibration error on its own prompts and
on calibration.  About eight minutes of CPU on one thread; what was taught is kept in the work folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from assay import Sample, load_tasks
from assay.estimates import share, spell
from assay.families.intent.encoders.finetune import Tuning
from assay.families.intent.heads.calibrating import fit_calibration
from assay.families.intent.heads.fitting import LINEAR, fit_layers
from assay.families.intent.labels import labels_of
from assay.families.intent.lessons import read_lessons
from assay.families.intent.likeness.canonical import sorted_samples
from assay.families.intent.recipes.finetuned import Finetuned
from assay.families.intent.training.folds import cross_fit
from assay.families.intent.training.judged import Judged
from assay.families.intent.training.learning import Training, train
from assay.families.intent.training.reading import read_texts

BINS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(".cache/held-back"))
    work = parser.parse_args().work
    task = load_tasks("intent.defi")["intent.defi"]
    lessons = [*task.samples("train"), *task.samples("tune")]
    asked = sorted_samples(task.samples("calibration"))
    made = train(lessons, Training(tuning=Tuning()), calibration=asked, workdir=work / "held")
    own = next(m for m in made.card.metrics if (m.on, m.name) == ("held_back", "accuracy"))
    print(f"held back: says {own.value:.3f} [{own.low:.3f}, {own.high:.3f}] of itself")
    tell(Judged(asked, made.answer_all([str(s.input) for s in asked])))
    crossed(lessons, asked, work / "crossed")


def crossed(lessons: Sequence[Sample], asked: Sequence[Sample], work: Path) -> None:
    ordered = sorted_samples(lessons)
    labels = labels_of(ordered)
    read = read_lessons(ordered, labels)
    encoder = Finetuned().teach(ordered, seed=0, workdir=work)
    _, rows = read_texts("minilm", read.texts, own=encoder)
    found = cross_fit(labels, rows, read, form=LINEAR)
    said = [labels.say(row.tolist()) for row in found.probabilities(read.classes, LINEAR)]
    inside = Judged(ordered, said)
    print(f"crossed: says {spell(share('accuracy', inside.right, groups=inside.groups))} of itself")
    head = replace(
        fit_layers(labels, rows, read.classes, strength=found.strength),
        calibration=fit_calibration("temperature", found.logits, read.classes),
    )
    _, more = read_texts("minilm", [str(s.input) for s in asked], own=encoder)
    tell(Judged(asked, [head.decide(logits) for logits in head.logits(more)]))


def tell(judged: Judged) -> None:
    right = spell(share("accuracy", judged.right, groups=judged.groups))
    print(f"    on calibration {right}; calibration error {error(judged):.3f}")


def error(judged: Judged) -> float:
    """Return how far confidence is from being right, over bins of the answers."""
    sure, right = np.array(judged.confidence), np.array(judged.right, dtype=float)
    answered = np.isfinite(sure)
    sure, right = sure[answered], right[answered]
    place: Any = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        (place == b).mean() * abs(sure[place == b].mean() - right[place == b].mean())
        for b in np.unique(place)
    ]
    return float(sum(gaps))


if __name__ == "__main__":
    main()
