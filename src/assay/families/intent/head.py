"""A linear head over features: fitted with scikit-learn, kept and applied as numpy arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Artifact, Bottom, Failed, PluginError

from .encoders import digest_of
from .extras import extra
from .labels import Labels

COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of the temperature: on a tune split without errors the likelihood has no optimum."""

FORMAT = "assay.intent.head/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """Class logits ``(weights @ x + bias) / temperature``, turned into what a system says."""

    labels: Labels
    weights: NDArray[np.float64]
    """[classes, features], the reject class last."""

    bias: NDArray[np.float64]
    temperature: float

    def say(self, x: NDArray[np.float32] | NDArray[np.float64]) -> Answer | Bottom | Failed:
        """Decide about one dense feature vector."""
        return self.decide(self.weights @ x.astype(np.float64))

    def say_sparse(
        self, features: NDArray[np.int64], values: NDArray[np.float64]
    ) -> Answer | Bottom | Failed:
        """Decide about one sparse feature vector: feature numbers and their values."""
        return self.decide(self.weights[:, features] @ values)

    def decide(self, products: NDArray[np.float64]) -> Answer | Bottom | Failed:
        """Decide, given ``weights @ x``.

        >>> head = Head(
        ...     labels=Labels(names=("stake", "swap"), reasons=()),
        ...     weights=np.zeros((2, 1)), bias=np.array([0.0, 2.0]), temperature=1.0,
        ... )
        >>> head.decide(np.zeros(2)).confidence
        0.880797
        """
        logits = (products + self.bias) / self.temperature
        shares = np.exp(logits - logits.max())
        return self.labels.say((shares / shares.sum()).tolist())


class Fitted(NamedTuple):
    """A head and how it was chosen."""

    head: Head
    strength: float
    """The inverse strength C of the winner."""

    loss: float
    """Its negative log-likelihood on tune, after temperature scaling."""

    right: float
    """Its share of right classes on tune.  Optimistic: C was chosen there."""

    def notes(self) -> dict[str, float | int | str]:
        """Return the facts of the fit for the report."""
        return {
            "C": self.strength,
            "temperature": self.head.temperature,
            "tune_nll": self.loss,
            "tune_accuracy": self.right,
            "head_parameters": self.head.weights.size + self.head.bias.size,
        }


def fit_head(
    labels: Labels,
    *,
    train: tuple[Any, NDArray[np.int64]],
    tune: tuple[Any, NDArray[np.int64]],
    grid: Sequence[float],
) -> Fitted:
    """Fit a multinomial logistic regression; choose its strength and temperature on tune.

    ``train`` and ``tune`` are features [n, d] (dense or CSR) and class numbers.  Classes weigh the
    same whatever their size.  Of the inverse strengths in ``grid`` the one with the lowest tune
    negative log-likelihood after temperature scaling wins, the smaller one of equals.  One BLAS
    thread, so that equal data give equal heads on any number of cores.

    Method: temperature scaling, Guo et al., "On calibration of modern neural networks" (2017).

    *Not to be trusted when* tune shares groups with train: it then prefers memory.
    """
    regression = extra("sklearn.linear_model").LogisticRegression
    best: Fitted | None = None
    with extra("threadpoolctl").threadpool_limits(limits=1):
        for strength in sorted(grid):
            model = regression(C=strength, class_weight="balanced", max_iter=5000, tol=1e-5)
            weights, bias = _by_class(model.fit(*train))
            logits = tune[0] @ weights.T + bias
            temperature, loss = fit_temperature(logits, tune[1])
            if best is None or loss < best.loss:
                head = Head(labels=labels, weights=weights, bias=bias, temperature=temperature)
                right = float((logits.argmax(axis=1) == tune[1]).mean())
                best = Fitted(head, strength, loss, right)
    if best is None:
        raise ValueError("the grid is empty")
    return best


def fit_temperature(logits: NDArray[np.float64], classes: NDArray[np.int64]) -> tuple[float, float]:
    """Return the temperature with the lowest mean negative log-likelihood, and that likelihood.

    >>> logits = np.log([[0.8, 0.2]] * 10)
    >>> temperature, _ = fit_temperature(logits, np.array([0] * 8 + [1] * 2))
    >>> round(temperature, 3)
    1.0
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    chosen = np.arange(len(classes)), classes

    def loss(log_temperature: float) -> float:
        scaled = shifted / np.exp(log_temperature)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[chosen]))

    found = extra("scipy.optimize").minimize_scalar(
        loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded", options={"xatol": 1e-7}
    )
    return float(np.exp(found.x)), float(found.fun)


def _by_class(model: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One row of weights per class; scikit-learn keeps a single row for two classes."""
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    return np.ascontiguousarray(weights, dtype=np.float64), bias.astype(np.float64)


def save_head(head: Head, folder: Path, *, card: Mapping[str, object]) -> tuple[Path, Path]:
    """Write ``head.safetensors`` and ``card.json`` into a folder; return their paths.

    The card holds what is not an array, the digest of the arrays, and whatever ``card`` adds.
    Equal heads give equal bytes: there is no time and no path in them.
    """
    arrays = extra("safetensors.numpy").save({"weights": head.weights, "bias": head.bias})
    facts = {
        "format": FORMAT,
        "labels": list(head.labels.names),
        "reasons": list(head.labels.reasons),
        "temperature": head.temperature,
        "head": digest_of(arrays),
        **card,
    }
    folder.mkdir(parents=True, exist_ok=True)
    weights, said = folder / "head.safetensors", folder / "card.json"
    weights.write_bytes(arrays)
    said.write_text(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=True) + "\n")
    return weights, said


def load_head(folder: Path) -> tuple[Head, Mapping[str, Any]]:
    """Read a head and its card back, equal to what was saved.

    Raises ``PluginError`` A403 when a file is missing, is of another format, or is not the one that
    the card names.
    """
    try:
        card = json.loads((folder / "card.json").read_bytes())
        arrays = (folder / "head.safetensors").read_bytes()
    except FileNotFoundError as error:
        raise _not_a_head(f"{error.filename} is missing", folder) from None
    except ValueError as error:
        raise _not_a_head(f"card.json is not JSON: {error}", folder) from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise _not_a_head(f"card.json is not of format {FORMAT}", folder)
    if card["head"] != digest_of(arrays):
        raise _not_a_head("head.safetensors is not the file that card.json names", folder)
    kept = extra("safetensors.numpy").load(arrays)
    head = Head(
        labels=Labels(names=tuple(card["labels"]), reasons=tuple(card["reasons"])),
        weights=kept["weights"],
        bias=kept["bias"],
        temperature=card["temperature"],
    )
    return head, card


def artifact_of(path: Path, kind: str, *, made_by: str, parents: Sequence[str] = ()) -> Artifact:
    """Describe a file that a recipe of this family made."""
    data = path.read_bytes()
    return Artifact(
        digest=digest_of(data),
        kind=kind,
        size=len(data),
        parents=tuple(parents),
        made_by=made_by,
    )


def _not_a_head(fact: str, folder: Path) -> PluginError:
    return PluginError(
        f"this is not a saved head: {fact}",
        where=str(folder),
        hint="train it again, or give the folder that the training wrote",
        code="A403",
    )
