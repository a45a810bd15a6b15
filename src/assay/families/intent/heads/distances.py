"""Distances of an embedding from what was learnt, fitted to the embeddings of training prompts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

SHRINKAGE = 0.5
"""Weight of the spherical covariance.  CLINC150's validation split: 0.3 to 0.6 are level."""

BLOCK = 1024
"""Prompts that are compared with every training prompt at once: bounds the memory."""


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
        found = np.empty(len(rows))
        for first in range(0, len(rows), BLOCK):
            cosines = unit(rows[first : first + BLOCK]) @ self.learnt.T
            nearest = np.partition(cosines, -self.k, axis=1)[:, -self.k :]
            found[first : first + BLOCK] = nearest.mean(axis=1)
        return found

    def arrays(self) -> Mapping[str, Floats]:
        """Return the embeddings of the training prompts."""
        return {"learnt": self.learnt}


def fit_mahalanobis(rows: Floats, classes: NDArray[np.int64], shrinkage: float) -> Mahalanobis:
    """Fit class means and a shared covariance, shrunk to a sphere, to embeddings [n, d]."""
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


def unit(rows: Floats) -> Floats:
    """Scale embeddings to length one; those of zeros stay."""
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return rows / np.where(lengths > math.ulp(0.0), lengths, 1.0)
