"""How far a prompt lies from everything that was learnt: scores of what is out of scope.

*Covered*: requests unlike any training prompt.  *Not covered*: requests that look like a known one
and mean another; an adversary who knows the score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from assay import DataError, PlanError

Floats: TypeAlias = NDArray[np.float64]

Kind: TypeAlias = Literal["softmax", "logit", "energy", "mahalanobis", "relative", "knn"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SHRINKAGE = 0.5
"""Weight of the spherical covariance.  CLINC150's validation split: 0.3 to 0.6 are level."""

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mahalanobis:
    """The distance to the nearest class mean, in units of the spread within classes.

    Source: Lee et al., "A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks" (2018).
    """

    whitener: Floats
    """[d, d]: embeddings times its transpose have a spherical spread within classes."""

    means: Floats
    """[labels, d], whitened."""

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the squared distance to the nearest mean, negated."""
        white = rows @ self.whitener.T
        squares = (white**2).sum(axis=1)[:, None] + (self.means**2).sum(axis=1)[None]
        return np.asarray(-(squares - 2 * white @ self.means.T).min(axis=1), dtype=np.float64)

    def arrays(self) -> Mapping[str, Floats]:
        """Return whitener and means."""
        return {"whitener": self.whitener, "means": self.means}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relative:
    """The distance to the nearest class mean, less the distance to the middle of all classes.

    What makes a prompt unusual, and has nothing to do with its label, is taken off.  Source: Ren et
    al., "A simple fix to Mahalanobis distance for improving near-OOD detection" (2021).
    """

    near: Mahalanobis
    far: Mahalanobis
    """With one class: everything."""

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the difference of the two squared distances."""
        return self.near.of(logits, rows) - self.far.of(logits, rows)

    def arrays(self) -> Mapping[str, Floats]:
        """Return both whiteners and their means."""
        return {**self.near.arrays(), **{f"far_{k}": v for k, v in self.far.arrays().items()}}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nearest:
    """The mean cosine to the ``k`` nearest training prompts.

    Source: Sun et al., "Out-of-distribution detection with deep nearest neighbors" (2022).

    *Not to be trusted when* the artifact must be small: it holds every training embedding.
    """

    learnt: Floats
    """[prompts, d], of length one."""

    k: int

    def of(self, logits: Floats, rows: Floats) -> Floats:
        """Return the mean cosine to the nearest."""
        cosines = _unit(rows) @ self.learnt.T
        return np.asarray(np.partition(cosines, -self.k, axis=1)[:, -self.k :].mean(axis=1))

    def arrays(self) -> Mapping[str, Floats]:
        """Return the embeddings of the training prompts."""
        return {"learnt": self.learnt}


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
            f"shrinkage is in (0, 1] and k at least 1; they are {shrinkage} and {k}", code="A102"
        )
    if not len(rows):
        raise DataError("there is no training sample to be far from", code="A202")
    match kind:
        case "softmax":
            return Softmax()
        case "logit":
            return Logit()
        case "energy":
            return Energy()
        case "mahalanobis":
            return _mahalanobis(rows, classes, shrinkage)
        case "relative":
            far = _mahalanobis(rows, np.zeros_like(classes), shrinkage)
            return Relative(near=_mahalanobis(rows, classes, shrinkage), far=far)
        case "knn":
            return Nearest(learnt=_unit(rows), k=min(k, len(rows)))


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


def _mahalanobis(rows: Floats, classes: NDArray[np.int64], shrinkage: float) -> Mahalanobis:
    present = np.unique(classes)
    means = np.stack([rows[classes == number].mean(axis=0) for number in present])
    spread = rows - means[np.searchsorted(present, classes)]
    covariance = spread.T @ spread / len(rows)
    size = len(covariance)
    # Without any spread (one sample per class) the sphere has to come from somewhere.
    sphere = float(np.trace(covariance)) / size or 1.0
    shrunk = (1 - shrinkage) * covariance + shrinkage * sphere * np.eye(size)
    whitener = np.linalg.inv(np.linalg.cholesky(shrunk))
    return Mahalanobis(whitener=whitener, means=means @ whitener.T)


def _logsumexp(logits: Floats) -> Floats:
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)), dtype=np.float64)


def _unit(rows: Floats) -> Floats:
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return rows / np.where(lengths > math.ulp(0.0), lengths, 1.0)
