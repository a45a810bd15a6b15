"""Measure intent systems on CLINC150, BANKING77 and HWU64, beside published figures.

    python bench/intent_numbers.py --data "$ASSAY_DATA" --work .cache/numbers

*Covered*: in-scope accuracy; what tells out-of-scope prompts, compared on validation and measured
once on test; the coverage at 98.8 % selective accuracy that Learn-then-Test guarantees; CPU
milliseconds a prompt, one by one, one thread.  *Not covered*: the published splits share
near-duplicates (`assay intent audit` counts them), and every system here profits from that.

Every head is a multinomial regression with C = 8 on one third of validation for its temperature;
thresholds come from the other two thirds.  Encoders are taught on train alone (`intent.finetuned`,
half an hour of CPU for CLINC150) and kept in the work folder.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from intent_reject import mixtures, not_rejected, reject_head
from intent_sets import SETS, Prompts, read

from assay import Answer
from assay.families.intent.encoders.encoder import matrix
from assay.families.intent.encoders.opening import open_encoder
from assay.families.intent.heads.fitting import fit_head
from assay.families.intent.heads.head import Head
from assay.families.intent.heads.outside import KINDS, fit_score, settle
from assay.families.intent.labels import labels_of
from assay.families.intent.lessons import read_lessons
from assay.families.intent.recipes.finetuned import Finetuned
from assay.families.intent.recipes.tfidf import fit_ngrams
from assay.stats.binomial import wilson
from assay.stats.threshold import Calibration, Threshold, grid_from, ltt_threshold

SYSTEMS = ("tfidf", "static", "minilm", "minilm-int8", "finetuned", "finetuned-2")
STRENGTH = 8.0
RISK = 0.012
KEPT = 0.95
DRAWS = 1000

Floats = np.ndarray

BASELINES = "google/uncertainty-baselines, clinc_intent/README.md"
DUAL = "Casanueva et al. 2020, table 3"
LARSON = "Larson et al. 2019, table 2"
PUBLISHED = {
    "clinc150": (
        ("BERT-base, 110M: 0.965; AUROC 0.942", BASELINES),
        ("BERT-base with SNGP, 110M: 0.969; AUROC 0.969", BASELINES),
        ("ten BERT-base with SNGP, 1100M: 0.974; AUROC 0.973", BASELINES),
        ("BERT, threshold: 0.962; out-of-scope recall 0.523", LARSON),
    ),
    "banking77": (
        ("BERT-large, fine-tuned: 0.9366", DUAL),
        ("USE + ConveRT, frozen: 0.9336", DUAL),
    ),
    "hwu64": (),
}
"""Reported, not measured here.  The README was read itself; the two papers' figures as others quote
them.  For HWU64 no source could be read."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Prompts of a part: embeddings, label logits, right label numbers (-1: none)."""

    rows: Any
    logits: Floats
    wanted: Floats

    @property
    def inside(self) -> Floats:
        """Return which prompts have an answer."""
        return self.wanted >= 0

    @property
    def right(self) -> Floats:
        """Return which prompts get their label."""
        return self.logits.argmax(axis=1) == self.wanted


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One system on one set."""

    head: Head
    train_rows: Any
    train_classes: Floats
    spare_rows: Any
    tune: Part
    calibration: Part
    test: Part
    ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSAY_DATA"), required=False)
    parser.add_argument("--work", type=Path, default=Path(".cache/numbers"))
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--out", type=Path, help="write the numbers as JSON, too")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("give --data, or set ASSAY_DATA")
    found: dict[str, dict[str, Any]] = {}
    for name in asked.sets:
        prompts = read(name, Path(asked.data))
        print(f"\n## {name}: {len(prompts.train):,} to learn from, {len(prompts.test):,} asked\n")
        found[name] = {}
        for system in asked.systems:
            answered = ask(system, prompts, asked.work)
            found[name][system] = measure(answered)
            print(row(system, found[name][system]), flush=True)
        for says, source in PUBLISHED[name]:
            print(f"reported     {says} ({source})")
        if asked.out:
            asked.out.write_text(json.dumps(found, indent=1) + "\n")


def ask(system: str, prompts: Prompts, work: Path) -> Answered:
    labels = labels_of(prompts.train)
    lessons = read_lessons(prompts.train, labels)
    number = {label: k for k, label in enumerate(labels.names)}
    features, one = reader(system, prompts, work)
    train_rows = features("train", lessons.texts)
    tune = prompts.tune()
    tune_rows = features("tune", [s.input for s in tune])
    tune_classes = np.array([number[s.target.value] for s in tune])
    fitted = fit_head(
        labels,
        train=(train_rows, lessons.classes),
        tune=(tune_rows, tune_classes),
        grid=(STRENGTH,),
    )

    def part(name: str, samples: Sequence[Any]) -> Part:
        rows = features(name, [s.input for s in samples])
        wanted = [number[s.target.value] if isinstance(s.target, Answer) else -1 for s in samples]
        return Part(rows=rows, logits=fitted.head.logits(rows), wanted=np.array(wanted))

    return Answered(
        head=fitted.head,
        train_rows=train_rows,
        train_classes=lessons.classes,
        spare_rows=features("spare", [s.input for s in prompts.spare]) if prompts.spare else None,
        tune=part("tune", tune),
        calibration=part("calibration", prompts.calibration()),
        test=part("test", prompts.test),
        ms=milliseconds(one, fitted.head, [s.input for s in prompts.test[:150]]),
    )


def reader(
    system: str, prompts: Prompts, work: Path
) -> tuple[Callable[[str, Sequence[str]], Any], Callable[[str], Any]]:
    """Return what turns the texts of a part into features (kept in the work folder), and one text."""
    if system == "tfidf":
        ngrams = fit_ngrams([s.input for s in prompts.train])
        return (lambda _, texts: ngrams.matrix(texts)), lambda text: ngrams.matrix([text])
    encoder: Path | str = system
    if system.startswith("finetuned"):
        folder = work / "taught" / prompts.name / system
        folder.mkdir(parents=True, exist_ok=True)
        recipe = Finetuned(runs=2) if system == "finetuned-2" else Finetuned()
        encoder = recipe.teach(prompts.train, seed=0, workdir=folder)
    opened = open_encoder(encoder)
    mark = f"{opened.files.weights.digest[7:19]}-{opened.files.form}"

    def features(part: str, texts: Sequence[str]) -> Floats:
        path = work / "rows" / f"{prompts.name}-{part}-{mark}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, matrix(opened, texts).astype(np.float32))
        kept = np.load(path)
        assert len(kept) == len(texts), f"{path} is of other prompts; remove it"
        return kept.astype(np.float64)

    return features, lambda text: matrix(opened, [text])


def milliseconds(one: Callable[[str], Any], head: Head, texts: Sequence[str]) -> float:
    """Return the median CPU time of a prompt that is asked alone."""
    spent = []
    for text in texts:
        start = time.process_time()
        head.logits(one(text))
        spent.append(time.process_time() - start)
    return float(np.median(spent) * 1000)


def measure(answered: Answered) -> dict[str, Any]:
    test, inside = answered.test, answered.test.inside
    found: dict[str, Any] = {"ms": answered.ms, "accuracy": shared(test.right[inside])}
    known = answered.calibration
    sure = softmax(answered.head, known.logits)[known.inside]
    found["selective"] = selective(
        softmax(answered.head, answered.tune.logits),
        (sure, known.right[known.inside]),
        (softmax(answered.head, test.logits)[inside], test.right[inside]),
    )
    if inside.all():
        return found
    found["scores"] = {
        kind: separation(*scores, answered) for kind, scores in scored(answered).items()
    }
    return found


def scored(answered: Answered) -> dict[str, tuple[Floats, Floats]]:
    """Return what each score says of calibration and test, higher for what looks familiar."""
    known, test = answered.calibration, answered.test
    rows, classes = answered.train_rows, answered.train_classes
    dense = isinstance(rows, np.ndarray)
    found = {}
    for kind in KINDS if dense else ("softmax", "logit", "energy"):
        fitted = fit_score(kind, rows=rows if dense else np.zeros((1, 1)), classes=classes)
        tune = answered.tune
        settled = settle(fitted, logits=tune.logits, rows=tune.rows, classes=tune.wanted)
        found[str(kind)] = tuple(settled.of(part.logits, part.rows) for part in (known, test))
    if dense:
        for kind, negatives in (
            ("class", answered.spare_rows),
            ("mixed", mixtures(rows, classes)),
        ):
            head = reject_head(answered.head, rows, classes, negatives, strength=STRENGTH)
            found[kind] = tuple(not_rejected(head, part.rows) for part in (known, test))
    return found


def separation(seen: Floats, asked: Floats, answered: Answered) -> dict[str, Any]:
    """Return how a score tells the two kinds on validation and test, and at one threshold."""
    test, known = answered.test, answered.calibration
    cut = float(np.quantile(seen[known.inside], 1 - KEPT))
    passes = asked >= cut
    return {
        "validation": area_and_leak(seen, known.inside),
        "test": area_and_leak(asked, test.inside),
        "oos_recall": shared(~passes[~test.inside]),
        "in_scope_kept": shared(passes[test.inside]),
        "in_scope_right_and_kept": shared((passes & test.right)[test.inside]),
    }


def area_and_leak(scores: Floats, inside: Floats) -> dict[str, Any]:
    """Return AUROC and FPR at 95 % TPR with percentile intervals over resampled prompts."""
    good, bad = np.sort(scores[inside]), np.sort(scores[~inside])
    draws = np.random.default_rng(0)
    areas, leaks = [], []
    for number in range(DRAWS + 1):
        g = good if not number else np.sort(draws.choice(good, len(good)))
        b = bad if not number else draws.choice(bad, len(bad))
        below = np.searchsorted(g, b, "left") + np.searchsorted(g, b, "right")
        areas.append(1 - below.mean() / 2 / len(g))
        cut = g[int(np.floor((1 - KEPT) * len(g)))]
        leaks.append(float((b >= cut).mean()))
    return {"auroc": spread(areas), "fpr": spread(leaks)}


def selective(tune: Floats, known: tuple[Floats, Floats], asked: tuple[Floats, Floats]) -> Any:
    """Return the coverage at which Learn-then-Test grants a risk, and what test then shows."""
    grid = grid_from(tune, n_groups=len(known[0]), max_risk=RISK)
    if not isinstance(grid, tuple):
        return {"why": str(grid)}
    held = Calibration(confidence=known[0], right=known[1], groups=np.arange(len(known[0])))
    chosen = ltt_threshold(held, grid=grid, max_risk=RISK, rng=np.random.default_rng(0))
    if not isinstance(chosen, Threshold):
        return {"why": chosen.why}
    kept = asked[0] >= chosen.threshold
    return {
        "threshold": chosen.threshold,
        "risk_at_most": chosen.risk_at_most,
        "coverage": shared(kept),
        "accuracy": shared(asked[1][kept]),
    }


def softmax(head: Head, logits: Floats) -> Floats:
    return np.asarray(head.calibration.probabilities(logits).max(axis=1))


def shared(hits: Floats) -> list[float]:
    low, high = wilson(int(hits.sum()), len(hits))
    return [float(hits.mean()), low, high, len(hits)]


def spread(values: Sequence[float]) -> list[float]:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return [float(values[0]), float(low), float(high)]


def row(system: str, found: dict[str, Any]) -> str:
    said = [f"{system:12} accuracy {spell(found['accuracy'])}  {found['ms']:.2f} ms"]
    chosen = found["selective"]
    said.append(
        f"    98.8 %: none, {chosen['why']}"
        if "why" in chosen
        else f"    98.8 %: coverage {spell(chosen['coverage'])}, right {spell(chosen['accuracy'])}"
    )
    for kind, each in found.get("scores", {}).items():
        said.append(
            f"    {kind:12} validation {spell(each['validation']['auroc'])} "
            f"fpr {spell(each['validation']['fpr'])} | test {spell(each['test']['auroc'])} "
            f"fpr {spell(each['test']['fpr'])} | recall {spell(each['oos_recall'])} "
            f"keeping {spell(each['in_scope_kept'])}"
        )
    return "\n".join(said)


def spell(numbers: Sequence[float]) -> str:
    return f"{numbers[0]:.4f} [{numbers[1]:.4f}, {numbers[2]:.4f}]"


if __name__ == "__main__":
    main()
