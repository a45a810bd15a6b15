"""A classifier of toxic texts that is learnt from labelled ones, and kept as JSON.

Weighted words and pairs of words (TF-IDF), logistic regression.  No pickle, no extra: numpy and scipy.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp, log, sqrt
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import DataError
from assay.kept import cache_folder, digest_of, kept

from .erring import Errs
from .texts import Text, read_texts

Floats: TypeAlias = NDArray[np.float64]

MAKER = "1"
"""Changes whenever the same texts could give another classifier."""

LEAST = 5
"""Texts that a feature stands in, at least."""

PENALTY = 1.0
"""On squared weights, as scikit-learn's C = 1."""

_NOISE = re.compile(r"https?://\S+|@\w+|\brt\b|&\w+;|#")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Classifier:
    """Says of a text how probably it is toxic."""

    inverse: Mapping[str, float]
    """Feature to its inverse document frequency."""

    weights: Mapping[str, float]
    intercept: float

    def probability(self, text: str) -> float | None:
        """Return the probability that a text is toxic; None where it knows none of its words."""
        found = _weighted(features(text), self.inverse)
        if not found:
            return None
        return 1 / (1 + exp(-self.intercept - sum(self.weights[f] * x for f, x in found.items())))

    def flags(self, text: str) -> bool | None:
        """Whether a text is rather toxic than not; None where nothing of it is known."""
        probability = self.probability(text)
        return None if probability is None else probability >= 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """A classifier, and how it does on the texts that it did not learn from."""

    classifier: Classifier
    sha256: str
    """Of its file."""

    held_out: tuple[Text, ...]


def features(text: str) -> Counter[str]:
    """Return the words and pairs of neighbouring words of a text, in small letters, and their counts.

    >>> sorted(features("You &amp; @me: YOU"))
    ['you', 'you you']
    """
    plain = _NOISE.sub(" ", html.unescape(unicodedata.normalize("NFKC", text)).casefold())
    words = _WORD.findall(plain.replace("\u2019", "'"))
    pairs = (f"{one} {two}" for one, two in pairwise(words))
    return Counter([*words, *pairs])


def is_held_out(text: str) -> bool:
    """Whether a text is kept back to measure errors on: three of ten, by a digest of its words.

    >>> is_held_out("You there!") == is_held_out("you THERE")
    True
    """
    words = " ".join(sorted(features(text)))
    return hashlib.sha256(words.encode()).digest()[0] < 77


@lru_cache(maxsize=4)
def learnt(path: Path) -> Learnt:
    """Learn a classifier from a file of labelled texts, or take the one that was kept.

    It is kept in the cache under the digests of the texts and the way that it is made.  Raises ``DataError``
    A200 for a file with fewer than ten toxic, or ten other, texts on either side of the division.
    """
    texts = read_texts(path)
    held_out = tuple(text for text in texts if is_held_out(text.text))
    rest = tuple(text for text in texts if not is_held_out(text.text))
    for part in (held_out, rest):
        toxic = sum(text.toxic for text in part)
        if min(toxic, len(part) - toxic) < 10:
            raise DataError(
                f"of {len(part)} texts {toxic} are toxic",
                where=str(path),
                hint="give at least a hundred of either kind: three of ten are held out",
            )
    place = cache_folder() / "toxicity" / f"{digest_of(path).sha256}-{MAKER}.json"
    sha256 = kept(place, lambda file: write(learn(rest), file))
    return Learnt(classifier=read(place), sha256=sha256, held_out=held_out)


def learn(texts: Sequence[Text]) -> Classifier:
    """Fit logistic regression on TF-IDF; both kinds of texts count the same in all.

    >>> said = [Text(text=t, toxic=toxic) for t, toxic in (("you vermin", True), ("you dear", False))]
    >>> classifier = learn(said * 10)
    >>> classifier.flags("vermin"), classifier.flags("dear"), classifier.flags("unheard")
    (True, False, None)
    """
    from scipy.optimize import minimize
    from scipy.sparse import csr_array

    counted = [features(text.text) for text in texts]
    stands = Counter(name for one in counted for name in one)
    names = sorted(name for name, n in stands.items() if n >= LEAST)
    inverse = {name: log((1 + len(texts)) / (1 + stands[name])) + 1 for name in names}
    place = {name: k for k, name in enumerate(names)}
    weighted = [_weighted(one, inverse) for one in counted]
    ends = np.cumsum([0, *map(len, weighted)])
    columns = np.array([place[name] for one in weighted for name in one], dtype=np.int64)
    values = np.array([x for one in weighted for x in one.values()])
    table = csr_array((values, columns, ends), shape=(len(texts), len(names)))
    toxic = np.array([text.toxic for text in texts])
    signs = np.where(toxic, 1.0, -1.0)
    share = np.where(toxic, 0.5 / toxic.mean(), 0.5 / (1 - toxic.mean()))

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = signs * (table @ at[:-1] + at[-1])
        total = share @ np.logaddexp(0, -margin) + PENALTY * at[:-1] @ at[:-1] / 2
        slope = -share * signs / (1 + np.exp(np.minimum(margin, 700.0)))
        return float(total), np.append(table.T @ slope + PENALTY * at[:-1], slope.sum())

    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B")
    weights = {name: round(float(x), 6) for name, x in zip(names, found.x, strict=False)}
    return Classifier(
        {name: round(x, 6) for name, x in inverse.items()}, weights, round(float(found.x[-1]), 6)
    )


class Flags(Protocol):
    """Whatever says whether texts are toxic."""

    def flags(self, text: str, /) -> bool | None:
        """Whether a text is rather toxic than not; None where there is nothing to read."""
        ...


def errs_on(classifier: Flags, texts: Sequence[Text]) -> Errs:
    """Return how often a classifier is right on labelled texts; what it cannot read is not flagged."""
    flagged = [(text.toxic, classifier.flags(text.text) is True) for text in texts]
    return Errs(
        found=sum(toxic and flag for toxic, flag in flagged),
        positives=sum(toxic for toxic, _ in flagged),
        flagged_wrongly=sum(flag and not toxic for toxic, flag in flagged),
        negatives=sum(not toxic for toxic, _ in flagged),
    )


def write(classifier: Classifier, file: BinaryIO) -> None:
    """Write a classifier as JSON, the same bytes for the same classifier."""
    said = {
        "kind": "assay.toxicity",
        "maker": MAKER,
        "intercept": classifier.intercept,
        "features": {n: [classifier.inverse[n], w] for n, w in sorted(classifier.weights.items())},
    }
    file.write(json.dumps(said, ensure_ascii=False, allow_nan=False).encode())


def read(path: Path) -> Classifier:
    """Read what ``write`` wrote.  Raises ``DataError`` A200 for anything else."""
    try:
        said = json.loads(path.read_bytes())
        pairs = {str(name): (float(i), float(w)) for name, (i, w) in said["features"].items()}
        intercept = float(said["intercept"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"no classifier of texts: {error}", where=str(path), hint="remove it; it is made again"
        ) from None
    return Classifier(
        {name: inverse for name, (inverse, _) in pairs.items()},
        {name: weight for name, (_, weight) in pairs.items()},
        intercept,
    )


def _weighted(counted: Counter[str], inverse: Mapping[str, float]) -> dict[str, float]:
    """Return (1 + log count) times inverse document frequency of known features, of length 1."""
    known = {n: (1 + log(c)) * inverse[n] for n, c in counted.items() if n in inverse}
    length = sqrt(sum(x * x for x in known.values()))
    return {name: x / length for name, x in known.items()}
