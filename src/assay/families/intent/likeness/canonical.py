"""Training samples in an order of their own, so that equal data are equal whatever the file's order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, Sample

from ..encoders.files import digest_of
from .leakage import text_of
from .normal import masks


def sorted_samples(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Return samples by prompt and target, their groups renamed by first appearance.

    >>> two = [Sample(id="1", input="b", target=Answer("x"), group="line/1"),
    ...        Sample(id="2", input="a", target=Answer("x"), group="line/2")]
    >>> [(s.input, s.group) for s in sorted_samples(two)]
    [('a', 'g0'), ('b', 'g1')]
    """
    found: list[Sample] = []
    names: dict[str, str] = {}
    for sample in sorted(samples, key=_key):
        group = names.setdefault(sample.cluster, f"g{len(names)}")
        found.append(replace(sample, group=group))
    return tuple(found)


def fingerprint(samples: Sequence[Sample]) -> str:
    """Return the digest of prompts, targets and groups; their order does not matter.

    >>> one = [Sample(id="1", input="a", target=Answer("x"))]
    >>> fingerprint(one) == fingerprint([Sample(id="7", input="a", target=Answer("x"))])
    True
    """
    rows = [[*_key(sample), sample.group] for sample in sorted_samples(samples)]
    return digest_of(json.dumps(rows, ensure_ascii=True).encode())


def marks(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return a number for each text, the same for texts that differ in case, spacing or numbers.

    The first 64 bits of a SHA-256 of the text in lower case with numbers masked: enough to
    recognise a prompt that somebody has, not to read one that nobody has.

    >>> first, second, third = marks(["Swap 2 ETH", "swap  30 eth", "stake it"]).tolist()
    >>> first == second, first == third
    (True, False)
    """
    digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")) for text in masks(texts))
    return np.array([int.from_bytes(d.digest()[:8], "big") for d in digests], dtype=np.uint64)


def _key(sample: Sample) -> tuple[str, str, str]:
    match sample.target:
        case Answer(value):
            return text_of(sample), "answer", json.dumps(value, sort_keys=True)
        case Bottom(reason):
            return text_of(sample), "bottom", reason
        case None:
            return text_of(sample), "none", ""
