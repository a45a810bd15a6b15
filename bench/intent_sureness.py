"""Which score should a mapper's confidence come from, if nobody says?  Validation parts only.

    python bench/intent_sureness.py --data "$ASSAY_DATA" --work .cache/numbers

Two questions are asked of every score, each as an area under the ROC curve: does it tell prompts
with an answer from prompts without one (*out*), and right answers from wrong ones where there is an
answer (*wrong*)?  CLINC150 is learnt from k prompts a label, BANKING77, HWU64 and CLINC150 whole,
and `intent.defi` (train; tune and calibration are asked), whose train has prompts without an
answer.  *class* is the calibrated probability of the label.  No test part is read.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from intent_numbers import STRENGTH, area_and_leak, reader
from intent_sets import SETS, Prompts, read

from assay import Answer, Sample, load_tasks
from assay.families.intent.heads.calibrating import fit_calibration
from assay.families.intent.heads.fitting import fit_layers
from assay.families.intent.heads.outside import KINDS, fit_score, settle
from assay.families.intent.labels import labels_of
from assay.families.intent.lessons import read_lessons

PER_LABEL = (2, 5, 10, 20, 50, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSAY_DATA"), required=False)
    parser.add_argument("--work", type=Path, default=Path(".cache/numbers"))
    parser.add_argument("--encoder", default="minilm", choices=("minilm", "minilm-int8", "static"))
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("give --data, or set ASSAY_DATA")
    print(f"{'set':34} {'score':12} {'out':23} wrong")
    for name in SETS:
        prompts = read(name, Path(asked.data))
        features, _ = reader(asked.encoder, prompts, asked.work)
        rows = features("train", [s.input for s in prompts.train])
        spare = features("spare", [s.input for s in prompts.spare]) if prompts.spare else rows[:0]
        known = (
            (prompts.tune(), features("tune", [s.input for s in prompts.tune()])),
            (
                prompts.calibration(),
                features("calibration", [s.input for s in prompts.calibration()]),
            ),
        )
        for count in PER_LABEL if name == "clinc150" else (None,):
            kept = chosen(prompts.train, count)
            learnt = [prompts.train[k] for k in kept]
            of = f"{name}, {'all' if count is None else count} a label"
            tell(of, (learnt, rows[kept]), *known)
            if len(spare):
                of += f", {len(spare)} without"
                tell(of, (learnt + prompts.spare, np.concatenate([rows[kept], spare])), *known)
    task = load_tasks("intent.defi")["intent.defi"]
    parts = {part: list(task.samples(part)) for part in ("train", "tune", "calibration")}
    set_of = Prompts(name="defi", train=parts["train"], validation=[], test=[], spare=[])
    features, _ = reader(asked.encoder, set_of, asked.work)
    found = {p: (samples, features(p, [s.input for s in samples])) for p, samples in parts.items()}
    tell("intent.defi", found["train"], found["tune"], found["calibration"])
    samples, rows = found["train"]
    inside = [k for k, sample in enumerate(samples) if isinstance(sample.target, Answer)]
    tell("intent.defi, none without", ([samples[k] for k in inside], rows[inside]), *found.values())


def chosen(samples: Sequence[Sample], count: int | None) -> list[int]:
    """Return the places of at most so many prompts of each label, drawn at random."""
    order = np.random.default_rng(0).permutation(len(samples)).tolist()
    if count is None:
        return sorted(order)
    held: dict[str, int] = {}
    kept = []
    for place in order:
        label = str(samples[place].target)
        held[label] = held.get(label, 0) + 1
        if held[label] <= count:
            kept.append(place)
    return sorted(kept)


def tell(of: str, train: Any, tune: Any, asked: Any, *more: Any) -> None:
    """Print both areas of every score, learnt from ``train``, on what is asked last."""
    if more:
        tune, asked = asked, more[0]
    labels = labels_of(train[0])
    lessons = read_lessons(train[0], labels)
    n = len(labels.names)
    head = fit_layers(labels, train[1], lessons.classes, strength=STRENGTH)
    number = {label: k for k, label in enumerate(labels.names)}

    def classes(samples: Sequence[Sample]) -> Any:
        return np.array(
            [number[s.target.value] if isinstance(s.target, Answer) else -1 for s in samples]
        )

    scaled, wanted = classes(tune[0]), classes(asked[0])
    use = scaled >= 0
    heat = fit_calibration("temperature", head.logits(tune[1][use]), scaled[use])
    before, logits = head.logits(tune[1][use])[:, :n], head.logits(asked[1])
    right = logits[:, :n].argmax(axis=1) == wanted
    scores = {"class": heat.probabilities(logits)[:, :n].max(axis=1)}
    inside = lessons.classes < n
    for kind in KINDS:
        fitted = fit_score(kind, rows=train[1][inside], classes=lessons.classes[inside])
        known = settle(fitted, logits=before, rows=tune[1][use], classes=scaled[use])
        scores[kind] = known.of(logits[:, :n], asked[1])
    has = wanted >= 0
    for kind, score in scores.items():
        out = spelled(area_and_leak(score, has)) if not has.all() else ""
        print(f"{of:34} {kind:12} {out:23} {spelled(area_and_leak(score[has], right[has]))}")


def spelled(found: Any) -> str:
    value, low, high = found["auroc"]
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
