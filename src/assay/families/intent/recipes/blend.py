"""N-grams beside an embedding: letters tell a refusal from a request, meaning carries new words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from assay import Artifact

from ..encoders.encoder import matrix
from ..encoders.facts import EncoderFacts
from ..encoders.opening import Opened
from ..extras import extra
from .tfidf import Ngrams

SUFFIX = "+tfidf"
"""Behind an encoder's name: ``minilm+tfidf``."""

WEIGHT = 2.0
"""Length of the embedding beside n-grams of length 1.  On the train, tune and calibration groups of
``intent.defi``: .870 at 1, .871 at 2, .835 at 4; n-grams alone .833, the embedding alone .788."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend:
    """Two readings of a text as one sparse vector: n-grams first, the embedding behind them."""

    ngrams: Ngrams
    encoder: Opened

    @property
    def hidden(self) -> int:
        """Dimensions of the embedding."""
        return int(matrix(self.encoder, ["a"]).shape[1])

    def features(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the numbers of the features of a text that are not zero, and their values."""
        found, values = self.ngrams.features(text)
        [vector] = matrix(self.encoder, [text])
        behind = len(self.ngrams.idf) + np.arange(len(vector))
        return np.concatenate([found, behind]), np.concatenate([values, WEIGHT * vector])

    def matrix(self, texts: Sequence[str]) -> Any:
        """Return the features of texts as a CSR matrix [n, vocabulary + hidden]."""
        sparse = extra("scipy.sparse")
        vectors = sparse.csr_matrix(WEIGHT * matrix(self.encoder, texts))
        return sparse.hstack([self.ngrams.matrix(texts), vectors]).tocsr()

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return what the encoder loaded."""
        return self.encoder.artifacts()


def blend_facts(encoder: EncoderFacts, ngrams: str) -> EncoderFacts:
    """Return what a card says of an encoder with a vocabulary, by its digest, beside it."""
    return msgspec.structs.replace(encoder, name=f"{encoder.name}{SUFFIX}", ngrams=ngrams)


def is_blend(encoder: object) -> bool:
    """Whether a name says so.

    >>> is_blend("minilm+tfidf"), is_blend("minilm"), is_blend("tfidf")
    (True, False, False)
    """
    return isinstance(encoder, str) and encoder.endswith(SUFFIX)
