"""The confidence of a score, fitted to prompts that neither head nor score learnt from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..heads.calibration import Floats
from ..heads.familiar import Familiar
from ..heads.outside import Kind, Score, fit_score
from ..heads.sureness import Sureness, fit_sureness, storable
from .folds import Crossed


class Confidence(NamedTuple):
    """What tells how sure a mapper is, and how sure it was of the prompts left out."""

    outside: Sureness
    left_out: Floats
    """[m]: of each prompt left out, from a curve that did not see its group."""


def fit_confidence(
    kind: Kind,
    crossed: Crossed,
    *,
    rows: Floats,
    classes: NDArray[np.int64],
    learnt: NDArray[np.int64],
) -> Confidence:
    """Fit a score to the prompts that the head learns from, its confidence to prompts left out.

    ``rows`` [n, d] and ``classes`` [n] are of all lessons, ``learnt`` the places of those that the
    head learns from.  Each prompt left out is scored by a score that learnt from none of its part.

    *Not to be trusted when* requests are of other kinds than these prompts: the order may hold, the
    probability does not.
    """
    n_labels = len(crossed.labels.names)
    logits, wanted = crossed.logits[:, :n_labels], classes[crossed.at]

    def fitted(places: NDArray[np.int64]) -> Score:
        inside = places[classes[places] < n_labels]
        return fit_score(kind, rows=rows[inside], classes=classes[inside])

    score = fitted(learnt)
    scores = np.empty(len(logits))
    for out in crossed.parts():
        places = crossed.at[out]
        seen = np.setdiff1d(learnt, places, assume_unique=True)
        other = score if len(seen) == len(learnt) else fitted(seen)
        reads = other.relative if isinstance(other, Familiar) else other
        scores[out] = reads.of(logits[out], rows[places])
    if isinstance(score, Familiar):
        known = wanted < n_labels
        score = score.settled(scores[known], logits=logits[known], classes=wanted[known])
        scores = score.lowered(scores, logits)
    score = storable(kind, score)
    right = logits.argmax(axis=1) == wanted
    left_out = np.empty(len(logits))
    for out in crossed.parts():
        curve = fit_sureness(kind, score, scores=scores[~out], right=right[~out])
        left_out[out] = curve.at(scores[out])
    return Confidence(fit_sureness(kind, score, scores=scores, right=right), left_out)
