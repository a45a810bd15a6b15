"""Static embeddings: one vector for each token, distilled from a sentence encoder, added up.

A text takes microseconds instead of milliseconds, and the order of its words is gone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import Artifact
from assay.kept import cache_folder

from ..extras import extra
from .cache import cached
from .encoder import Embedded, open_graph, open_tokenizer
from .files import EncoderFiles

VERSION = "1"
"""Bump it whenever a table could change."""

DIMENSIONS = 256
SIF = 1e-4
"""How rare a token is to count in full; model2vec's."""

_TOKENS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StaticEncoder:
    """A table of token vectors that is ready to run."""

    files: EncoderFiles
    table: NDArray[np.float16]
    """[vocabulary, dimensions]"""

    made: Artifact
    tokenizer: Any

    def embed(self, texts: Sequence[str]) -> Iterator[Embedded]:
        """Yield an embedding per text, in order: the mean of its tokens' vectors, of length one.

        A text without a token (an empty one) is a vector of zeros.
        """
        for place, text in enumerate(texts):
            start = time.perf_counter()
            tokens = self.tokenizer.encode(text, add_special_tokens=False).ids
            vector = self.table[tokens].astype(np.float32).sum(axis=0)
            length = float(np.sqrt(vector @ vector))
            unit = vector / np.float32(length) if length else vector
            yield Embedded(place, unit, time.perf_counter() - start)

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return what the encoder was made from and what it loaded: weights, tokenizer, table."""
        return (self.files.weights, self.files.tokenizer, self.made)


def open_static(files: EncoderFiles) -> StaticEncoder:
    """Make static embeddings ready to run; the table is distilled the first time, and kept.

    Distilling takes about half a minute of one core.
    """
    weights = files.weights.digest.removeprefix("sha256:")[:16]
    how = hashlib.sha256(repr((VERSION, DIMENSIONS, SIF)).encode()).hexdigest()[:8]
    kept = cached(
        f"static-{weights}-{how}.safetensors",
        lambda: extra("safetensors.numpy").save({"tokens": distil(files)}),
        folder=cache_folder() / "static",
    )
    return StaticEncoder(
        files=files,
        table=extra("safetensors.numpy").load(kept.data)["tokens"],
        made=Artifact(
            digest=kept.digest,
            kind="table",
            size=len(kept.data),
            parents=(files.weights.digest, files.tokenizer.digest),
            made_by=f"assay.families.intent.static/{VERSION}",
            license=files.weights.license,
        ),
        tokenizer=open_tokenizer(files),
    )


def distil(files: EncoderFiles) -> NDArray[np.float16]:
    """Return a vector for each token of the vocabulary: [vocabulary, 256].

    Each token is encoded alone, between the special tokens; the embeddings are centred and turned
    to their first 256 principal components, and scaled by how rare a token is, taking the
    vocabulary to be sorted from frequent to rare (Zipf) and the weight a / (a + p).

    Source: the recipe of model2vec (Tulkens and van Dongen, 2024); Arora et al., "A simple but
    tough-to-beat baseline for sentence embeddings" (2017), for the weight.

    *Not to be trusted when* the answer hangs on the order of words.
    """
    encoder = open_graph(files)
    first, last = encoder.tokenizer.encode("").ids
    size = encoder.tokenizer.get_vocab_size()
    rows = [
        _encode(encoder.session, first, last, range(start, min(start + _TOKENS_AT_ONCE, size)))
        for start in range(0, size, _TOKENS_AT_ONCE)
    ]
    vectors = np.concatenate(rows).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    turned = vectors @ principal(vectors, DIMENSIONS)
    share = 1 / np.arange(1, size + 1)
    rare = SIF / (SIF + share / share.sum())
    return np.asarray(turned * rare[:, None], dtype=np.float16)


def principal(vectors: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    """Return the first principal directions of centred rows, as columns: [width, dimensions].

    Each points to where its largest coordinate is positive, so that no library's choice of a sign
    matters.

    >>> principal(np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 1).tolist()
    [[1.0], [0.0]]
    """
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    chosen = directions[:, ::-1][:, :dimensions]
    largest = np.abs(chosen).argmax(axis=0)
    return np.asarray(chosen * np.sign(chosen[largest, np.arange(dimensions)]))


def _encode(session: Any, first: int, last: int, tokens: range) -> NDArray[np.float32]:
    ids = np.array([[first, token, last] for token in tokens], dtype=np.int64)
    [vectors] = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return np.asarray(vectors, dtype=np.float32)
