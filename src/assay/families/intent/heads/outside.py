"""How far a prompt lies from everything that was learnt: scores of what is out of scope.

*Covered*: requests unlike any training prompt.  *Not covered*: requests that look like a known one
and mean another; an adversary who knows the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from assay import DataError, PlanError

from .distances import SHRINKAGE, Floats, Mahalanobis, Nearest, Relative, fit_mahalanobis, unit
from .familiar import Familiar

Kind: TypeAlias = Literal[
    "softmax", "logit", "energy", "mahalanobis", "relative", "knn", "familiar"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

NEIGHBOURS = 10


class Score(Protocol):
    """How much a prompt looks like what was learnt: higher is nearer."""

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return one score per prompt from label logits [n, labels] and embeddings [n, d]."""
        ...

    def arrays(self) -> Mapping[str, Floats]:
        """Return what was fitted."""
        ...


@dataclass(frozen=True, slots=True)
class Softmax:
    """The largest probability.

    Source: Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution
    examples in neural networks" (2017).
    """

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the log of the largest probability: the same order, without its crowding at 1."""
        return np.asarray(logits.max(axis=1) - _logsumexp(logits), dtype=np.float64)

    def arrays(self) -> Mapping[str, Floats]:
        """Return nothing: it has no parameters."""
        return {}


@dataclass(frozen=True, slots=True)
class Logit:
    """The largest logit.

    Source: Hendrycks et al., "Scaling out-of-distribution detection for real-world settings" (2022).
    """

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the largest logit."""
        return np.asarray(logits.max(axis=1), dtype=np.float64)

    def arrays(self) -> Mapping[str, Floats]:
        """Return nothing: it has no parameters."""
        return {}


@dataclass(frozen=True, slots=True)
class Energy:
    """The free energy, negated: how much evidence there is for any label at all.

    Source: Liu et al., "Energy-based out-of-distribution detection" (2020).
    """

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the log of the summed exponentials."""
        return _logsumexp(logits)

    def arrays(self) -> Mapping[str, Floats]:
        """Return nothing: it has no parameters."""
        return {}


def settle(score: Score, *, logits: Floats, rows: Floats, classes: NDArray[np.int64]) -> Score:
    """Return a score that also knows what held-out prompts of known labels look like.

    ``logits`` [n, labels], ``rows`` [n, d] and label numbers [n] of prompts not learnt from, those
    without an answer left out.  Only ``familiar`` looks at them; of none it learns nothing.
    """
    if not isinstance(score, Familiar) or not len(rows):
        return score
    return score.settled(score.relative.of(logits, rows), logits=logits, classes=classes)


def fit_score(
    kind: Kind,
    *,
    rows: Floats,
    classes: NDArray[np.int64],
    shrinkage: float = SHRINKAGE,
    k: int = NEIGHBOURS,
) -> Score:
    """Fit a score on training embeddings [n, d] and their label numbers, no-answer samples left out.

    ``shrinkage`` is the weight of the spherical covariance beside the measured one (1: Euclidean
    distance); ``k`` is how many neighbours ``knn`` looks at, at most all.

    Raises ``PlanError`` A102 for an unknown kind, and for a shrinkage outside of (0, 1] or a ``k``
    below 1; ``DataError`` A202 without samples.

    >>> rows = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> near = fit_score("mahalanobis", rows=rows, classes=np.array([0, 0, 1, 1]))
    >>> inside, outside = near.of(np.zeros((2, 2)), np.array([[0.9, 0.0], [-1.0, -1.0]]))
    >>> bool(inside > outside)
    True

    *Not to be trusted when* the head was trained on the same few prompts until it knew them by
    heart: training prompts then lie nearer to their class mean than any other prompt will.
    """
    if kind not in KINDS:
        raise PlanError(
            f"there is no score {kind!r}", hint=f"one of {', '.join(KINDS)}", code="A102"
        )
    if not 0 < shrinkage <= 1 or k < 1:
        raise PlanError(
            f"shrinkage is in (0, 1] and k at least 1; they are {shrinkage} and {k}",
            hint=f"{SHRINKAGE} and {NEIGHBOURS} are usual",
            code="A102",
        )
    if not len(rows):
        raise DataError(
            "there is no training sample to be far from",
            hint="give train prompts that have an answer",
            code="A202",
        )
    match kind:
        case "softmax":
            return Softmax()
        case "logit":
            return Logit()
        case "energy":
            return Energy()
        case "mahalanobis":
            return fit_mahalanobis(rows, classes, shrinkage)
        case "relative":
            far = fit_mahalanobis(rows, np.zeros_like(classes), shrinkage)
            return Relative(near=fit_mahalanobis(rows, classes, shrinkage), far=far)
        case "knn":
            return Nearest(learnt=unit(rows), k=min(k, len(rows)))
        case "familiar":
            relative = fit_score("relative", rows=rows, classes=classes, shrinkage=shrinkage)
            assert isinstance(relative, Relative)
            return Familiar(relative=relative)


def restore_score(kind: Kind, arrays: Mapping[str, Any], *, k: int = NEIGHBOURS) -> Score:
    """Make a score again from its ``arrays()``.

    >>> restore_score("energy", {})
    Energy()
    """
    kept = {name: np.asarray(value, dtype=np.float64) for name, value in arrays.items()}
    match kind:
        case "softmax":
            return Softmax()
        case "logit":
            return Logit()
        case "energy":
            return Energy()
        case "mahalanobis":
            return Mahalanobis(whitener=kept["whitener"], means=kept["means"])
        case "relative":
            return Relative(
                near=Mahalanobis(whitener=kept["whitener"], means=kept["means"]),
                far=Mahalanobis(whitener=kept["far_whitener"], means=kept["far_means"]),
            )
        case "knn":
            return Nearest(learnt=kept["learnt"], k=min(k, len(kept["learnt"])))
        case "familiar":
            relative = restore_score("relative", arrays)
            assert isinstance(relative, Relative)
            return Familiar(
                relative=relative,
                temperature=float(kept["temperature"][0]),
                strange=kept["strange"],
                held_out=int(kept["held_out"][0]),
            )


def _logsumexp(logits: Floats) -> Floats:
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)), dtype=np.float64)
