"""Train a mapper: cross-fit, calibrate, measure, choose thresholds, and say it all on the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from assay import PlanError, Sample

from ..encoders.files import digest_of
from ..encoders.finetune import Tuning
from ..encoders.opening import Opened
from ..heads.calibrating import fit_calibration
from ..heads.card import (
    CalibrationFacts,
    Card,
    Options,
    OutsideFacts,
    TaughtFacts,
)
from ..heads.fitting import LINEAR, Form, fit_layers
from ..heads.sureness import Reject, check_reject, reject_by, say_how_sure
from ..heads.weights import Saved, head_bytes
from ..labels import Labels, labels_of
from ..lessons import Lessons, read_lessons
from ..likeness.canonical import fingerprint, marks, sorted_samples
from ..likeness.leakage import text_of
from ..recipes.blend import SUFFIX, Blend, is_blend
from ..recipes.finetuned import Finetuned
from ..recipes.tfidf import Ngrams
from ..recipes.trained import Trained
from .confidence import fit_confidence
from .folds import FOLDS, STRENGTHS, Crossed, cross_fit, held_back, hold_out
from .judged import Judged, threshold
from .reading import base_of, facts_about, has_ngrams, read_texts, require_encoder
from .told import data_facts, how_calibrated, taught_facts

MADE_BY = "intent.train/1"
RISKS = (0.01, 0.02, 0.05, 0.1)
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

    reject: Reject | None = None
    """What the confidence says, as for ``intent.mapper``; None: what ``reject_by`` says."""

    tuning: Tuning | None = None
    """How the encoder is taught before the head learns; None: it stays as it is."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.strength is not None and not 0 < self.strength < float("inf"):
            raise PlanError(
                f"C is {self.strength:g}; it is above 0",
                hint="10 is usual; without it, C is chosen",
                code="A102",
            )
        if self.max_risk is not None and not 0 < self.max_risk < 1:
            raise PlanError(
                f"max_risk is {self.max_risk:g}; a share of wrong answers is between 0 and 1",
                hint="write a share: 0.05 for five in a hundred",
                code="A102",
            )
        check_reject(self.reject)
        if not has_ngrams(self.encoder):
            return
        if self.form.head == "mlp":
            raise PlanError(
                "n-grams are tens of thousands of features, too many for a hidden layer",
                hint="take the linear head, or another encoder",
                code="A104",
            )
        if self.reject not in (None, "class"):
            raise PlanError(
                f"{self.reject} looks at embeddings, and {self.encoder} reads n-grams",
                hint="take an encoder without tfidf, or reject by class",
                code="A104",
            )

    def require(self) -> None:
        """Raise ``PluginError`` A401 or A403 for an encoder or an extra that is not there."""
        if self.tuning is None:
            require_encoder(self.encoder)
        else:
            self.teacher.loads()

    @property
    def teacher(self) -> Finetuned:
        """Return what teaches the encoder.  Raises ``PlanError`` A104 for one that cannot be taught."""
        tuning = self.tuning or Tuning()
        return Finetuned(
            base=base_of(self.encoder),
            epochs=tuning.epochs,
            rate=tuning.rate,
            contrast=tuning.contrast,
        )


def train(
    lessons: Sequence[Sample],
    how: Training,
    *,
    calibration: Sequence[Sample] = (),
    workdir: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a mapper on samples; measure it, and choose its thresholds, on others.

    C, calibration and confidence come from cross-fitting over the groups of ``lessons``; then the head
    is fitted to all of them.  Where the encoder is taught, in ``workdir``, cross-fitting would ask it
    what it knows by heart: a fifth of the groups is held back from encoder and head, and chooses.
    ``calibration`` are samples of other groups: they choose a threshold for each of a few risks and
    give held-out numbers; without them there is neither.  ``say`` is told what is being done.  Equal
    samples, in any order, with equal options make equal files.

    Raises ``DataError`` A200 for targets that are no labels and labels in fewer than two groups;
    ``PlanError`` A104 for a taught encoder without a ``workdir``; ``PluginError`` as ``open_encoder``
    does, A401 without torch where the encoder is taught.

    *Not to be trusted when* groups do not keep together what belongs together.
    """
    ordered = sorted_samples(lessons)
    labels = labels_of(ordered)
    read = read_lessons(ordered, labels)
    learnt = _learn(_Lesson(ordered, labels, read), how, workdir, say)
    crossed, classes = learnt.crossed, read.classes[learnt.crossed.at]
    rows, known = learnt.rows[learnt.places], read.classes[learnt.places]
    head = replace(
        fit_layers(labels, rows, known, strength=crossed.strength, form=how.form),
        calibration=fit_calibration(how.form.calibration, crossed.logits, classes),
    )
    asked = [ordered[place] for place in crossed.at.tolist()]
    said = [labels.say(row.tolist()) for row in crossed.probabilities(classes, how.form)]
    kind = None if has_ngrams(how.encoder) else reject_by(how.reject, labels, how.form.calibration)
    outside = None
    if kind is not None:
        found = fit_confidence(
            kind, crossed, rows=learnt.rows, classes=read.classes, learnt=learnt.places
        )
        outside = found.outside
        said = [say_how_sure(s, c) for s, c in zip(said, found.left_out.tolist(), strict=True)]
    inside = Judged(asked, said)
    facts = facts_about(learnt.reads)
    if learnt.taught is not None:
        name = f"taught-{learnt.taught.base}{SUFFIX if is_blend(how.encoder) else ''}"
        facts = msgspec.structs.replace(facts, name=name)
    card = msgspec.structs.replace(
        Card.of(head, made_by=MADE_BY, encoder=facts, strength=crossed.strength),
        calibration=CalibrationFacts(
            kind=head.calibration.kind, how=how_calibrated(len(classes), learnt.taught)
        ),
        outside=outside
        and OutsideFacts(kind=outside.kind, slope=outside.slope, offset=outside.offset),
        data=data_facts(ordered, calibration),
        taught=learnt.taught,
        lessons=fingerprint(ordered),
        options=_options(how, crossed),
        metrics=list(inside.metrics("cross_fitted" if learnt.taught is None else "held_back")),
        versions={name: version(name) for name in PACKAGES},
    )
    seen = np.unique(marks(read.texts))
    saved = Saved(head=head, card=card, seen=seen, outside=outside)
    made = Trained(saved=saved, reads=learnt.reads)
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
    digest = digest_of(head_bytes(head, seen, outside))
    return replace(made, saved=replace(made.saved, card=card).sealed(digest))


class _Lesson(NamedTuple):
    samples: tuple[Sample, ...]
    labels: Labels
    read: Lessons


class _Learnt(NamedTuple):
    """What the head is fitted to, and what was found without it."""

    reads: Opened | Ngrams | Blend
    rows: Any
    """[n, d], of all lessons."""

    places: NDArray[np.int64]
    """Of the lessons that the head learns from."""

    crossed: Crossed
    taught: TaughtFacts | None = None


def _learn(
    given: _Lesson, how: Training, workdir: Path | None, say: Callable[[str], None]
) -> _Learnt:
    """Teach the encoder if that is wanted, read the prompts, and choose the strength."""
    labels, read = given.labels, given.read
    strengths = STRENGTHS if how.strength is None else (how.strength,)
    if how.tuning is None:
        say(f"reading {len(read):,} prompts ({how.encoder})")
        reads, rows = read_texts(how.encoder, read.texts)
        say(f"fitting heads: {FOLDS} parts of {len(set(read.groups)):,} groups")
        crossed = cross_fit(labels, rows, read, form=how.form, strengths=strengths)
        return _Learnt(reads, rows, crossed.at, crossed)
    if workdir is None:
        raise PlanError(
            "an encoder that is taught is written somewhere, and no workdir is given",
            hint="give workdir=, the folder of the mapper",
            code="A104",
        )
    held = held_back(read, labels, seed=how.form.seed)
    on, kept = ([s for s, h in zip(given.samples, held, strict=True) if h == w] for w in (0, 1))
    teacher = how.teacher
    say(
        f"teaching {how.encoder} {len(on):,} prompts, {teacher.epochs} times; {len(kept):,} are held back"
    )
    own = teacher.teach(on, seed=how.form.seed, workdir=workdir)
    say(f"reading {len(read):,} prompts (the taught {how.encoder})")
    reads, rows = read_texts(how.encoder, read.texts, own=own, shown=[text_of(s) for s in on])
    say(f"fitting heads: {len(set(read.groups)):,} groups, a fifth of them held back")
    crossed = hold_out(labels, rows, read, held, how=(how.form, strengths))
    taught = taught_facts(teacher, seed=how.form.seed, on=on, held_back=kept)
    return _Learnt(reads, rows, np.flatnonzero(~held), crossed, taught)


def _measured(
    made: Trained, calibration: Sequence[Sample], inside: Judged, max_risk: float | None
) -> Trained:
    held_out = sorted_samples(calibration)
    outside = Judged(held_out, made.answer_all([text_of(sample) for sample in held_out]))
    risks = sorted({*RISKS, *([] if max_risk is None else [max_risk])})
    card = msgspec.structs.replace(
        made.card,
        metrics=[*made.card.metrics, *outside.metrics("calibration")],
        thresholds=[threshold(inside, outside, risk) for risk in risks],
    )
    return replace(made, saved=replace(made.saved, card=card))


def _options(how: Training, crossed: Crossed) -> Options:
    return {
        "head": how.form.head,
        "calibration": how.form.calibration,
        "seed": how.form.seed,
        "C": how.strength,
        "folds": FOLDS,
        "tried_C": list(crossed.tried),
        "reject": how.reject,
        "log_loss": [round(loss, 6) for loss in crossed.tried.values()],
    }
