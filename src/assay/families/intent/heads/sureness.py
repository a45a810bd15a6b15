"""How sure an answer is, told from how far its prompt lies from everything that was learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, DataError, Failed, PlanError

from ..extras import extra
from ..labels import DIGITS, Labels
from . import calibration as calibrations
from .distances import Floats
from .familiar import Familiar
from .head import Head
from .outside import KINDS, Kind, Score, fit_score, restore_score, settle

Reject: TypeAlias = Kind | Literal["class"]
"""Where a confidence comes from: a score, or ``class``, the calibrated probability of the label."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sureness:
    """A confidence in [0, 1] that rises with a score: the probability that the answer is right."""

    kind: Kind
    score: Score
    slope: float
    """At least 0: it never turns the order of a score round."""

    offset: float

    def confidence(self, logits: Floats, rows: Floats) -> Floats:
        """Return one confidence per prompt from label logits [n, labels] and embeddings [n, d]."""
        return self.at(self.score.of(logits, rows))

    def at(self, scores: Floats) -> Floats:
        """Return the confidence that goes with each score."""
        return np.exp(-np.logaddexp(0.0, -(self.slope * scores + self.offset)))


def fit_sureness(kind: Kind, score: Score, *, scores: Floats, right: NDArray[np.bool_]) -> Sureness:
    """Fit the logistic curve from scores [n] of samples not learnt from to whether each was right.

    An answer to a sample that has none is wrong.  Targets are smoothed, so that the curve is defined
    where every answer was right, too.  A score that does not rise with being right gets slope 0.
    The odds of ``familiar`` are odds already: nothing is fitted to them.

    Raises ``DataError`` A202 without samples or with a score that is not finite.
    Source: Platt, "Probabilistic outputs for support vector machines" (1999).

    >>> from assay.families.intent.heads.outside import Energy
    >>> scores = np.array([-2.0, -1.0, 1.0, 2.0])
    >>> sure = fit_sureness("energy", Energy(), scores=scores, right=scores > 0)
    >>> sure.confidence(np.array([[-9.0, -9.0], [9.0, 9.0]]), np.zeros((2, 1))).round(2).tolist()
    [0.0, 1.0]

    *Not to be trusted when* the share of samples without an answer is another in use: the order
    holds, the probability does not.
    """
    if not len(scores) or not np.isfinite(scores).all():
        raise DataError(
            "a curve needs finite scores of at least one sample",
            hint="give tune prompts, and an encoder without NaN",
            code="A202",
        )
    if isinstance(score, Familiar):
        return Sureness(kind=kind, score=score, slope=1.0, offset=0.0)
    middle, width = float(scores.mean()), float(scores.std()) or 1.0
    x = (scores - middle) / width
    good, bad = int(right.sum()), int((~right).sum())
    wanted = np.where(right, (good + 1) / (good + 2), 1 / (bad + 2))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        inner = parameters[0] * x + parameters[1]
        gap = np.exp(-np.logaddexp(0.0, -inner)) - wanted
        value = np.logaddexp(0.0, inner) - wanted * inner
        return float(value.mean()), np.array([(gap * x).mean(), gap.mean()])

    found = extra("scipy.optimize").minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)]
    )
    slope, offset = found.x.tolist()
    return Sureness(
        kind=kind, score=score, slope=slope / width, offset=offset - slope * middle / width
    )


def learn_sureness(
    kind: Kind,
    head: Head,
    *,
    train: tuple[Floats, NDArray[np.int64]],
    tune: tuple[Floats, NDArray[np.int64]],
) -> Sureness:
    """Fit a score on train and its confidence on tune: embeddings [n, d] and class numbers of each.

    Arrays are those that single precision can write, so that what is read back is the same.
    """
    n_labels = len(head.labels.names)
    rows, classes = train
    inside = classes < n_labels
    score = fit_score(kind, rows=rows[inside], classes=classes[inside])
    logits = head.logits(tune[0])[:, :n_labels]
    known = tune[1] < n_labels
    score = storable(
        kind, settle(score, logits=logits[known], rows=tune[0][known], classes=tune[1][known])
    )
    right = logits.argmax(axis=1) == tune[1]
    return fit_sureness(kind, score, scores=score.of(logits, tune[0]), right=right)


def reject_by(
    asked: Reject | None, labels: Labels, calibration: calibrations.Kind = "temperature"
) -> Kind | None:
    """Return the score that a confidence comes from; None: it is the probability of the label.

    Where nobody says: ``familiar``, unless training has prompts without an answer, whose classes then
    do what it is for, or somebody chose another calibration than the one that is in it.  How that
    was found: docs/families/intent.md, "Out of scope".

    >>> reject_by(None, Labels(names=("pay", "sell")))
    'familiar'
    >>> reject_by(None, Labels(names=("pay", "sell"), reasons=("out_of_scope",))) is None
    True
    """
    if asked is None:
        return None if labels.reasons or calibration != "temperature" else "familiar"
    return None if asked == "class" else asked


def check_reject(asked: Reject | None) -> None:
    """Raise ``PlanError`` A102 for a score that there is not."""
    if asked not in (None, "class", *KINDS):
        raise PlanError(
            f"nothing rejects by {asked!r}", hint=f"one of class, {', '.join(KINDS)}", code="A102"
        )


def storable(kind: Kind, score: Score) -> Score:
    """Return a score as its file holds it: arrays that single precision can write."""
    return restore_score(kind, {k: v.astype(np.float32) for k, v in score.arrays().items()})


def say_how_sure(said: Answer | Bottom | Failed, sure: float) -> Answer | Bottom | Failed:
    """Return the same with another confidence, that of a proposal where it is a decline.

    >>> say_how_sure(Answer("swap", 0.9), 0.25).confidence
    0.25
    """
    match said:
        case Answer():
            return replace(said, confidence=round(sure, DIGITS))
        case Bottom(_, Answer() as proposal):
            return replace(said, proposal=replace(proposal, confidence=round(sure, DIGITS)))
        case _:
            return said
