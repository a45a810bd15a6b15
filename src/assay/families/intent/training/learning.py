"""Train a mapper: cross-fit, calibrate, measure, choose thresholds, and say it all on the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from assay import Answer, Bottom, Estimate, Failed, PlanError, Sample
from assay.estimates import safe_threshold, share

from ..encoders.encoder import matrix
from ..encoders.facts import EncoderFacts
from ..encoders.files import digest_of
from ..encoders.opening import Opened, open_encoder
from ..heads.calibrating import fit_calibration
from ..heads.card import (
    CalibrationFacts,
    Card,
    DataFacts,
    MetricFacts,
    Options,
    SplitFacts,
    ThresholdFacts,
)
from ..heads.fitting import LINEAR, Form, fit_layers
from ..heads.weights import Saved, head_bytes
from ..labels import labels_of
from ..lessons import read_lessons
from ..likeness.canonical import fingerprint, marks, sorted_samples
from ..likeness.leakage import text_of
from ..recipes import tfidf
from ..recipes.blend import SUFFIX, Blend, blend_facts, is_blend
from ..recipes.tfidf import Ngrams
from ..recipes.trained import Trained, probed
from .folds import FOLDS, STRENGTHS, Crossed, cross_fit

MADE_BY = "intent.train/1"
RISKS = (0.01, 0.02, 0.05, 0.1)
DELTA = 0.05
PACKAGES = ("assay-eval", "numpy", "onnxruntime", "scikit-learn", "scipy", "tokenizers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a mapper is trained.  Raises ``PlanError`` for numbers out of range (A102, A104)."""

    encoder: Path | str = "minilm"
    """``minilm``, ``minilm-int8``, ``static``, ``tfidf``, one with n-grams beside it
    (``minilm+tfidf``), or a sentence-transformers folder."""

    form: Form = LINEAR
    strength: float | None = None
    """The inverse strength C of the penalty; None: chosen by cross-validation over groups."""

    max_risk: float | None = None
    """Put the threshold that keeps this risk into force; None: answer everything."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.strength is not None and not 0 < self.strength < float("inf"):
            raise PlanError(f"C is {self.strength:g}; it is above 0", code="A102")
        if self.max_risk is not None and not 0 < self.max_risk < 1:
            raise PlanError(
                f"max_risk is {self.max_risk:g}; a share of wrong answers is between 0 and 1",
                code="A102",
            )
        if (self.encoder == "tfidf" or is_blend(self.encoder)) and self.form.head == "mlp":
            raise PlanError(
                "n-grams are tens of thousands of features, too many for a hidden layer",
                hint="take the linear head, or another encoder",
                code="A104",
            )


def train(
    lessons: Sequence[Sample],
    how: Training,
    *,
    calibration: Sequence[Sample] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a mapper on samples; measure it, and choose its thresholds, on others.

    C and the calibration come from cross-fitting over the groups of ``lessons``; then the head is
    fitted to all of them.  ``calibration`` are samples of other groups: they choose a threshold for
    each of a few risks and give held-out numbers; without them there is neither.  ``say`` is told what
    is being done.  Equal samples, in any order, with equal options make equal files.

    Raises ``DataError`` A200 for targets that are no labels and labels in fewer than two groups;
    ``PluginError`` as ``open_encoder`` does.

    *Not to be trusted when* groups do not keep together what belongs together.
    """
    ordered = sorted_samples(lessons)
    labels = labels_of(ordered)
    read = read_lessons(ordered, labels)
    say(f"reading {len(read):,} prompts ({how.encoder})")
    reads, rows = _features(how.encoder, read.texts)
    say(f"fitting heads: {FOLDS} parts of {len(set(read.groups)):,} groups")
    strengths = STRENGTHS if how.strength is None else (how.strength,)
    crossed = cross_fit(labels, rows, read, form=how.form, strengths=strengths)
    head = replace(
        fit_layers(labels, rows, read.classes, strength=crossed.strength, form=how.form),
        calibration=fit_calibration(how.form.calibration, crossed.logits, read.classes),
    )
    probabilities = crossed.probabilities(read.classes, how.form)
    inside = _Judged(ordered, [labels.say(row.tolist()) for row in probabilities])
    facts = _facts(reads)
    card = msgspec.structs.replace(
        Card.of(head, made_by=MADE_BY, encoder=facts, strength=crossed.strength),
        calibration=CalibrationFacts(
            kind=head.calibration.kind,
            how=f"fitted to {len(read)} prompts, each answered by a head that did not see its group",
        ),
        data=_data(ordered, calibration),
        lessons=fingerprint(ordered),
        options=_options(how, crossed),
        metrics=list(inside.metrics("cross_fitted")),
        versions={name: version(name) for name in PACKAGES},
    )
    seen = np.unique(marks(read.texts))
    made = Trained(saved=Saved(head=head, card=card, seen=seen), reads=reads)
    if calibration:
        say(f"answering {len(calibration):,} held-out prompts")
        made = _measured(made, calibration, inside, how.max_risk)
    card = msgspec.structs.replace(made.card, max_risk=how.max_risk)
    if how.max_risk is not None and card.in_force() is None:
        raise PlanError(
            "a threshold is chosen on calibration samples, and there are none",
            hint="leave some groups out of training, or give no max_risk",
            code="A104",
        )
    digest = digest_of(head_bytes(head, seen))
    return replace(made, saved=replace(made.saved, card=card).sealed(digest))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a mapper said to samples, and what it came to."""

    samples: Sequence[Sample]
    said: Sequence[Answer | Bottom | Failed]

    @property
    def right(self) -> list[bool]:
        """Right answers and right declines."""
        return [
            (isinstance(s, Answer) and isinstance(t.target, Answer) and s.value == t.target.value)
            or (isinstance(s, Bottom) and isinstance(t.target, Bottom))
            for s, t in zip(self.said, self.samples, strict=True)
        ]

    @property
    def confidence(self) -> list[float]:
        """Of the answers; ``-inf`` for declines."""
        return [
            s.confidence if isinstance(s, Answer) and s.confidence is not None else -np.inf
            for s in self.said
        ]

    @property
    def groups(self) -> list[str]:
        """The group of each sample."""
        return [sample.cluster for sample in self.samples]

    def metrics(self, on: Literal["cross_fitted", "calibration"]) -> Iterator[MetricFacts]:
        """Yield accuracy, coverage and what they are made of, with intervals over groups."""
        answered = [isinstance(s, Answer) for s in self.said]
        none = [isinstance(t.target, Bottom) for t in self.samples]
        correct = [r and a for r, a in zip(self.right, answered, strict=True)]
        invented = [a and n for a, n in zip(answered, none, strict=True)]
        yield _metric(on, share("accuracy", self.right, groups=self.groups))
        yield _metric(on, share("coverage", answered, groups=self.groups))
        yield _metric(on, share("selective_accuracy", correct, asked=answered, groups=self.groups))
        if any(none):
            yield _metric(on, share("invention_rate", invented, asked=none, groups=self.groups))


def _features(encoder: Path | str, texts: Sequence[str]) -> tuple[Opened | Ngrams | Blend, Any]:
    if is_blend(encoder):
        base = open_encoder(str(encoder).removesuffix(SUFFIX))
        blend = Blend(ngrams=tfidf.fit_ngrams(texts), encoder=base)
        return blend, blend.matrix(texts)
    if encoder == "tfidf":
        ngrams = tfidf.fit_ngrams(texts)
        return ngrams, ngrams.matrix(texts)
    opened = open_encoder(encoder)
    return opened, matrix(opened, texts).astype(np.float32)


def _facts(reads: Opened | Ngrams | Blend) -> EncoderFacts:
    if isinstance(reads, Blend):
        return blend_facts(probed(reads.encoder), digest_of(tfidf.ngram_bytes(reads.ngrams)))
    if isinstance(reads, Ngrams):
        return tfidf.ngram_facts(digest_of(tfidf.ngram_bytes(reads)))
    return probed(reads)


def _measured(
    made: Trained, calibration: Sequence[Sample], inside: _Judged, max_risk: float | None
) -> Trained:
    held_out = sorted_samples(calibration)
    outside = _Judged(held_out, made.answer_all([text_of(sample) for sample in held_out]))
    risks = sorted({*RISKS, *([] if max_risk is None else [max_risk])})
    card = msgspec.structs.replace(
        made.card,
        metrics=[*made.card.metrics, *outside.metrics("calibration")],
        thresholds=[_threshold(inside, outside, risk) for risk in risks],
    )
    return replace(made, saved=replace(made.saved, card=card))


def _threshold(inside: _Judged, outside: _Judged, max_risk: float) -> ThresholdFacts:
    found = safe_threshold(
        outside.confidence,
        outside.right,
        groups=outside.groups,
        before=inside.confidence,
        max_risk=max_risk,
    )
    return ThresholdFacts(max_risk=max_risk, delta=DELTA, value=found.value, says=found.says)


def _metric(on: Literal["cross_fitted", "calibration"], found: Estimate) -> MetricFacts:
    return MetricFacts(
        on=on,
        name=found.metric,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        n_groups=found.n_groups,
        method=found.method,
    )


def _data(lessons: Sequence[Sample], calibration: Sequence[Sample]) -> DataFacts:
    splits = {"train": lessons, **({"calibration": calibration} if calibration else {})}
    counts = {name: Counter(map(_target, samples)) for name, samples in splits.items()}
    return DataFacts(
        fingerprint=fingerprint([*lessons, *calibration]),
        labels=dict(sorted(counts["train"].items())),
        splits={
            name: SplitFacts(
                prompts=len(samples),
                groups=len({s.cluster for s in samples}),
                without=sorted(set(counts["train"]) - set(counts[name])),
            )
            for name, samples in splits.items()
        },
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


def _options(how: Training, crossed: Crossed) -> Options:
    return {
        "head": how.form.head,
        "calibration": how.form.calibration,
        "seed": how.form.seed,
        "C": how.strength,
        "folds": FOLDS,
        "tried_C": list(crossed.tried),
        "log_loss": [round(loss, 6) for loss in crossed.tried.values()],
    }
