"""A trained reject class: from prompts without an answer, or from mixtures of prompts with one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from assay.families.intent.heads.fitting import fit_layers
from assay.families.intent.heads.head import Head

MIXED = 3000


def reject_head(head: Head, rows: Any, classes: Any, negatives: Any, *, strength: float) -> Head:
    """Return a head of one more class, fitted to negatives beside what the given one saw."""
    labels = replace(head.labels, reasons=("out_of_scope",))
    number = len(labels.names)
    every = np.concatenate([rows, negatives])
    wanted = np.concatenate([classes, np.full(len(negatives), number)])
    return fit_layers(labels, every, wanted, strength=strength)


def mixtures(rows: Any, classes: Any) -> Any:
    """Return points between prompts of two labels, of length one.

    Source: Zhan et al., "Out-of-scope intent detection with self-supervision and discriminative
    training" (2021).
    """
    draws = np.random.default_rng(0)
    left, right = draws.integers(len(rows), size=(2, MIXED))
    differ = classes[left] != classes[right]
    share = draws.uniform(0.2, 0.8, size=(int(differ.sum()), 1))
    found = share * rows[left[differ]] + (1 - share) * rows[right[differ]]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def not_rejected(head: Head, rows: Any) -> Any:
    """Return the log odds that a prompt is of any other class than the last."""
    logits = head.logits(rows)
    top = logits.max(axis=1, keepdims=True)
    shares = np.exp(logits - top)
    return np.log(shares[:, :-1].sum(axis=1)) - np.log(shares[:, -1])
