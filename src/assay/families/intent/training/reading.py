"""What turns the prompts of a training into features, and what a card says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..encoders.encoder import matrix
from ..encoders.facts import EncoderFacts
from ..encoders.files import digest_of, locate_encoder
from ..encoders.opening import Opened, open_encoder
from ..extras import require
from ..recipes import tfidf
from ..recipes.blend import SUFFIX, Blend, blend_facts, is_blend
from ..recipes.tfidf import Ngrams
from ..recipes.trained import probed


def base_of(encoder: Path | str) -> Path | str:
    """Return an encoder without the n-grams beside it.

    >>> base_of("minilm+tfidf"), base_of("tfidf")
    ('minilm', 'tfidf')
    """
    return str(encoder).removesuffix(SUFFIX) if is_blend(encoder) else encoder


def has_ngrams(encoder: Path | str) -> bool:
    """Whether prompts are read as n-grams, alone or beside an embedding."""
    return encoder == "tfidf" or is_blend(encoder)


def require_encoder(encoder: Path | str) -> None:
    """Raise what ``read_texts`` would, as far as it can be told without a prompt."""
    require("safetensors", "sklearn")
    if encoder != "tfidf":
        locate_encoder(base_of(encoder))


def read_texts(
    encoder: Path | str,
    texts: Sequence[str],
    *,
    own: Path | None = None,
    shown: Sequence[str] | None = None,
) -> tuple[Opened | Ngrams | Blend, Any]:
    """Return what reads texts, and their features [n, d]: dense, or CSR with n-grams.

    ``own`` is the folder of an encoder that takes the place of the one that is named; ``shown`` are the
    texts whose n-grams there are, all if not given.
    """
    shown = texts if shown is None else shown
    if encoder == "tfidf":
        ngrams = tfidf.fit_ngrams(shown)
        return ngrams, ngrams.matrix(texts)
    opened = open_encoder(own or base_of(encoder))
    if is_blend(encoder):
        blend = Blend(ngrams=tfidf.fit_ngrams(shown), encoder=opened)
        return blend, blend.matrix(texts)
    return opened, matrix(opened, texts).astype(np.float32)


def facts_about(reads: Opened | Ngrams | Blend) -> EncoderFacts:
    """Return what a card says of what reads texts."""
    if isinstance(reads, Blend):
        return blend_facts(probed(reads.encoder), digest_of(tfidf.ngram_bytes(reads.ngrams)))
    if isinstance(reads, Ngrams):
        return tfidf.ngram_facts(digest_of(tfidf.ngram_bytes(reads)))
    return probed(reads)
