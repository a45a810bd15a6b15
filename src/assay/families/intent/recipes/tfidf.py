"""``intent.tfidf``: character n-grams and a linear head, the baseline that learns in seconds."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay import Artifact, Built, Needs, PluginError, Question, Reply, Sample, Usage

from ..encoders.facts import EncoderFacts
from ..encoders.files import digest_of
from ..extras import extra, require
from ..heads.answering import Scored
from ..heads.card import Card, Options, not_a_mapper
from ..heads.fitting import fit_head
from ..heads.head import Head
from ..heads.kept import is_same, keep, kept_artifacts, lessons_digest, note, read_cost, write_cost
from ..heads.weights import Saved, artifact_of, load
from ..labels import labels_of
from ..lessons import check_bag, draw_groups, read_lessons
from ..replies import reply_each

MADE_BY = "intent.tfidf/1"
NGRAMS = "ngrams.json"
LENGTHS = (1, 4)
"""Chosen by group-wise cross-validation on the train and tune groups of ``intent.defi``: (1, 4)
.799, (2, 4) .799, (2, 5) .797, (3, 5) .787; ahead of (2, 4) where wording is unusual."""

GRID = (3.0, 10.0, 30.0, 100.0, 300.0)
"""Inverse strengths; the same cross-validation is best at 100, and flat from 30 to 300."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tfidf:
    """The recipe of ``intent.tfidf``: TF-IDF of character n-grams, multinomial regression.

    Inverse strength and temperature are chosen on tune.  The regression is convex, so the seed
    means what it can mean: it draws which training *groups* the head sees, a share ``bag`` of
    them without replacement.  *Over seeds* then reads: over retraining on another four fifths of
    the templates.  With ``bag = 1`` there is nothing to draw and the recipe is not seeded.

    Raises ``PlanError`` A102 for a ``bag`` outside (0, 1].

    >>> Tfidf().seeded, Tfidf(bag=1.0).seeded
    (True, False)
    """

    bag: float = 0.8

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        check_bag(self.bag)

    @property
    def seeded(self) -> bool:
        """Whether there is anything to draw."""
        return self.bag < 1

    @property
    def needs(self) -> Needs:
        """One core."""
        return Needs(memory_mb=400)

    def loads(self) -> tuple[Artifact, ...]:
        """Return nothing: it loads no file.  ``PluginError`` A401 without the extra."""
        require("safetensors", "sklearn")
        return ()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Fit on the drawn groups of train, choose on tune, write the head into ``workdir``."""
        start = time.perf_counter()
        options: Options = {"bag": self.bag, "seed": seed, "grid": list(GRID)}
        lessons = lessons_digest(train, tune)
        if (kept := _kept(workdir, lessons, options)) is not None:
            return kept
        labels = labels_of(train)
        seen, chosen_on = read_lessons(train, labels), read_lessons(tune, labels)
        drawn = draw_groups(seen, bag=self.bag, seed=seed)
        texts = [seen.texts[k] for k in drawn.tolist()]
        ngrams = fit_ngrams(texts)
        fitted = fit_head(
            labels,
            train=(ngrams.matrix(texts), seen.classes[drawn]),
            tune=(ngrams.matrix(chosen_on.texts), chosen_on.classes),
            grid=GRID,
        )
        vocabulary = artifact_of(save_ngrams(ngrams, workdir), "vocabulary", made_by=MADE_BY)
        facts = ngram_facts(vocabulary.digest)
        made = note(
            Card.of(fitted.head, made_by=MADE_BY, encoder=facts, strength=fitted.strength),
            lessons=lessons,
            options=options,
        )
        saved = Saved(head=fitted.head, card=made)
        heads = keep(saved, workdir, parents=(vocabulary.digest,))
        spent = time.perf_counter() - start
        write_cost(workdir, spent)
        return Built(
            system=NgramClassifier(ngrams, fitted.head),
            usage=Usage(busy_s=spent),
            artifacts=(vocabulary, *heads),
            notes={**fitted.notes(), "n_train": len(drawn), "ngrams": len(ngrams.idf)},
        )


class Features(Protocol):
    """Anything that reads a text as a sparse vector."""

    def features(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the numbers of the features that are not zero, and their values."""
        ...


@dataclass(frozen=True, slots=True)
class NgramClassifier:
    """A head over the n-grams of a prompt, or over n-grams and more."""

    ngrams: Features
    head: Head

    def score(self, texts: Sequence[str]) -> Iterator[Scored]:
        """Yield the logits of each text, in order."""
        for place, text in enumerate(texts):
            start = time.perf_counter()
            logits = self.head.logits_of_sparse(*self.ngrams.features(text))
            yield Scored(place, logits, time.perf_counter() - start)

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        return reply_each(questions, lambda text: self.head.say_sparse(*self.ngrams.features(text)))


def _kept(folder: Path, lessons: str, options: Options) -> Built | None:
    """Return the system that was trained here from the same lessons, or None."""
    try:
        saved = load(folder)
        ngrams = load_ngrams(saved.card, folder)
    except PluginError:
        return None
    facts = ngram_facts(saved.card.encoder.weights)
    if not is_same(saved.card, MADE_BY, facts, lessons=lessons, options=options):
        return None
    vocabulary = artifact_of(folder / NGRAMS, "vocabulary", made_by=MADE_BY)
    return Built(
        system=NgramClassifier(ngrams, saved.head),
        usage=Usage(busy_s=read_cost(folder)),
        artifacts=(
            vocabulary,
            *kept_artifacts(folder, made_by=MADE_BY, parents=(vocabulary.digest,)),
        ),
        notes={"trained": "before"},
    )


def ngram_facts(vocabulary: str) -> EncoderFacts:
    """Return what a card says of n-grams in the place of an encoder."""
    return EncoderFacts(
        name="tfidf", made_by=f"ngrams/{LENGTHS[0]}-{LENGTHS[1]}", weights=vocabulary, tokenizer=""
    )


def save_ngrams(ngrams: Ngrams, folder: Path) -> Path:
    """Write ``ngrams.json`` into a folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NGRAMS
    path.write_bytes(ngram_bytes(ngrams))
    return path


def ngram_bytes(ngrams: Ngrams) -> bytes:
    """Return a vocabulary as JSON: n-gram to inverse document frequency."""
    return json.dumps(dict(zip(ngrams.number, ngrams.idf.tolist(), strict=True))).encode("ascii")


def load_ngrams(card: Card, folder: Path) -> Ngrams:
    """Read the vocabulary that a card names.

    Raises ``PluginError`` A403 when the file is missing or is another.
    """
    data = (folder / NGRAMS).read_bytes() if (folder / NGRAMS).is_file() else b""
    if (card.encoder.ngrams or card.encoder.weights) != digest_of(data):
        raise not_a_mapper(f"{NGRAMS} is not the file that card.json names", folder)
    idf: dict[str, float] = json.loads(data)
    return _ngrams(idf)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ngrams:
    """A vocabulary of character n-grams with their inverse document frequencies."""

    number: Mapping[str, int]
    idf: NDArray[np.float64]

    def features(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the numbers of the known n-grams of a text, and their TF-IDF scaled to length 1.

        Equal to scikit-learn's ``TfidfVectorizer(analyzer="char_wb")``, in a tenth of the time for
        a single text.
        """
        counts = Counter(n for g in char_ngrams(text) if (n := self.number.get(g)) is not None)
        features = np.array(sorted(counts), dtype=np.int64)
        values = np.array([counts[n] for n in features.tolist()]) * self.idf[features]
        length = math.sqrt(values @ values)
        return features, values / length if length else values

    def matrix(self, texts: Sequence[str]) -> Any:
        """Return the features of texts as a CSR matrix [n, vocabulary]."""
        rows = [self.features(text) for text in texts]
        ends = np.cumsum([0, *(len(features) for features, _ in rows)])
        return extra("scipy.sparse").csr_matrix(
            (
                np.concatenate([values for _, values in rows]),
                np.concatenate([features for features, _ in rows]),
                ends,
            ),
            shape=(len(texts), len(self.idf)),
        )


def fit_ngrams(texts: Sequence[str]) -> Ngrams:
    """Collect the n-grams of texts with smoothed inverse document frequencies.

    >>> fit_ngrams(["a", "ab"]).idf.round(3).tolist()[:3]
    [1.0, 1.0, 1.405]
    """
    seen = Counter(chain.from_iterable(set(char_ngrams(text)) for text in texts))
    total = 1 + len(texts)
    return _ngrams({g: math.log(total / (1 + n)) + 1 for g, n in sorted(seen.items())})


def char_ngrams(text: str) -> Iterator[str]:
    """Yield the character n-grams inside the words of a text, each word between two spaces.

    >>> sorted(set(char_ngrams("Ab")))
    [' ', ' a', ' ab', ' ab ', 'a', 'ab', 'ab ', 'b', 'b ']
    """
    low, high = LENGTHS
    for word in text.lower().split():
        padded = f" {word} "
        for n in range(low, min(high, len(padded)) + 1):
            for k in range(len(padded) - n + 1):
                yield padded[k : k + n]


def _ngrams(idf: Mapping[str, float]) -> Ngrams:
    return Ngrams(number={g: k for k, g in enumerate(idf)}, idf=np.array(list(idf.values())))
