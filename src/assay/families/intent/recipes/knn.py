"""``intent.knn``: the labels of the nearest training prompts, by cosine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay import (
    Answer,
    Artifact,
    Bottom,
    Built,
    Failed,
    Needs,
    PlanError,
    Question,
    Reply,
    Sample,
    Usage,
)

from ..encoders.encoder import Embeds, matrix
from ..encoders.files import find_encoder
from ..encoders.opening import open_encoder
from ..extras import require
from ..labels import Labels, labels_of
from ..lessons import read_lessons
from ..likeness.neighbours import top, vote
from ..replies import reply_each
from .tfidf import Ngrams, fit_ngrams


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The recipe of ``intent.knn``: ``k`` nearest prompts of train and tune vote, as their cosine.

    Features are the TF-IDF of ``intent.tfidf``, or with ``encoder`` (a registered name or a
    sentence-transformers folder) its embeddings.  The confidence is the share of the vote.  A
    prompt that has nothing in common with any other is declined: ``nothing_alike``.  Nothing is
    trained, nothing drawn: not seeded.

    Raises ``PlanError`` A102 for fewer neighbours or threads than one.

    >>> train = [
    ...     Sample(id="1", input="swap my ETH", target=Answer("swap")),
    ...     Sample(id="2", input="stake my ETH", target=Answer("stake")),
    ... ]
    >>> system = Neighbours(k=1).build(train, [], seed=0, workdir=Path()).system
    >>> [reply.said for reply in system.answer([Question(id="q", input="swap ETH!")])]
    [Answer(value='swap', confidence=1.0, scores={'stake': 0.0, 'swap': 1.0})]

    *Not to be trusted when* train is large: every question is compared with all of it.
    """

    k: int = 5
    encoder: Path | str | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse what is fewer than one."""
        for name, value in (("k", self.k), ("threads", self.threads)):
            if value < 1:
                raise PlanError(
                    f"{name} is {value}; it is at least 1", hint="leave it out", code="A102"
                )

    @property
    def seeded(self) -> bool:
        """Nothing is drawn."""
        return False

    @property
    def needs(self) -> Needs:
        """Room for the features of train, and for the encoder where there is one."""
        return Needs(cpus=self.threads, memory_mb=400 if self.encoder is None else 800)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the files of the encoder, found and verified; ``PluginError`` A401 or A403."""
        require("scipy")
        if self.encoder is None:
            return ()
        files = find_encoder(self.encoder)
        return (files.weights, files.tokenizer)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Keep the features of train and tune."""
        start = time.perf_counter()
        labels = labels_of(train)
        lessons = read_lessons([*train, *tune], labels)
        space: Space
        if self.encoder is None:
            space = Letters.of(fit_ngrams(lessons.texts), lessons.texts)
        else:
            encoder = open_encoder(self.encoder, threads=self.threads)
            space = Meanings.of(encoder, lessons.texts)
        spent = time.perf_counter() - start
        return Built(
            system=NearestPrompts(labels=labels, space=space, classes=lessons.classes, k=self.k),
            usage=Usage(busy_s=spent),
            artifacts=space.artifacts(),
            notes={"prompts": len(lessons)},
        )


class Space(Protocol):
    """Prompts that were learned, and how near others are to them."""

    def votes(
        self, texts: Sequence[str], *, classes: NDArray[np.int64], k: int, n_classes: int
    ) -> NDArray[np.float64]:
        """Return the share of the vote of each class for each text [n, classes]."""
        ...

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the files that it loads."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """TF-IDF of character n-grams."""

    ngrams: Ngrams
    rows: Any
    """CSR [n, n-grams], rows of length 1."""

    @classmethod
    def of(cls, ngrams: Ngrams, texts: Sequence[str]) -> Letters:
        """Return the space of some texts."""
        return cls(ngrams, ngrams.matrix(texts))

    def votes(
        self, texts: Sequence[str], *, classes: NDArray[np.int64], k: int, n_classes: int
    ) -> NDArray[np.float64]:
        """Return the share of the vote of each class for each text."""
        cosines = np.stack([self._cosines(text) for text in texts])
        return vote(top(cosines, k), classes, n_classes)

    def _cosines(self, text: str) -> NDArray[np.float64]:
        asked = np.zeros(len(self.ngrams.idf))
        features, values = self.ngrams.features(text)
        asked[features] = values
        found: NDArray[np.float64] = self.rows @ asked
        return found

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return none."""
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Meanings:
    """Embeddings of an encoder."""

    encoder: Embeds
    rows: NDArray[np.float64]

    @classmethod
    def of(cls, encoder: Embeds, texts: Sequence[str]) -> Meanings:
        """Return the space of some texts."""
        return cls(encoder, _unit(matrix(encoder, texts)))

    def votes(
        self, texts: Sequence[str], *, classes: NDArray[np.int64], k: int, n_classes: int
    ) -> NDArray[np.float64]:
        """Return the share of the vote of each class for each text."""
        cosines = _unit(matrix(self.encoder, texts)) @ self.rows.T
        return vote(top(cosines, k), classes, n_classes)

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the files of the encoder."""
        return tuple(getattr(self.encoder, "artifacts", tuple)())


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = rows / np.where(lengths > 0, lengths, 1.0)
    return scaled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearestPrompts:
    """Lets the nearest training prompts vote."""

    labels: Labels
    space: Space
    classes: NDArray[np.int64]
    k: int

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn, one at a time."""
        return reply_each(questions, self._ask)

    def _ask(self, text: str) -> Answer | Bottom | Failed:
        shares = self.space.votes(
            [text], classes=self.classes, k=self.k, n_classes=len(self.labels)
        )[0]
        return self.labels.say(shares.tolist()) if shares.any() else Bottom("nothing_alike")
