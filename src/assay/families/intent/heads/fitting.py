"""Fit heads with scikit-learn, and choose among them on prompts that they did not learn from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay import PlanError

from ..extras import extra
from ..labels import Labels
from . import calibration as calibrations
from .calibrating import fit_calibration, fit_temperature
from .calibration import Floats
from .head import Head, Hidden, Kind

UNITS = 128
"""Of the hidden layer."""

EPOCHS = 40
ABSENT = -30.0
"""Bias of a class that a training had no sample of: it is never said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What kind of head is fitted, how it is calibrated, and the seed of what is random in it."""

    head: Kind = "linear"
    calibration: calibrations.Kind = "temperature"
    seed: int = 0
    """A linear head has nothing random: its regression is convex."""

    def __post_init__(self) -> None:
        """Refuse kinds that there are not."""
        if self.head not in ("linear", "mlp"):
            raise PlanError(
                f"no head is called {self.head!r}", hint="one of linear, mlp", code="A102"
            )
        calibrations.to_kind(self.calibration)


LINEAR = Form()


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
        heat = self.head.calibration
        return {
            "C": self.strength,
            **({"temperature": heat.value} if isinstance(heat, calibrations.Temperature) else {}),
            "tune_nll": self.loss,
            "tune_accuracy": self.right,
            "head_parameters": self.head.size,
        }


def fit_head(
    labels: Labels,
    *,
    train: tuple[Any, NDArray[np.int64]],
    tune: tuple[Any, NDArray[np.int64]],
    grid: Sequence[float],
    form: Form = LINEAR,
) -> Fitted:
    """Fit a head for each strength of a grid; choose one, and calibrate it, on tune.

    ``train`` and ``tune`` are features [n, d] (dense or CSR) and class numbers.  Of the inverse
    strengths in ``grid`` the one with the lowest tune negative log-likelihood after temperature
    scaling wins, the smaller one of equals.

    *Not to be trusted when* tune shares groups with train: it then prefers memory.
    """
    best: Fitted | None = None
    for strength in sorted(grid):
        head = fit_layers(labels, *train, strength=strength, form=form)
        logits = head.logits(tune[0])
        _, loss = fit_temperature(logits, tune[1])
        if best is None or loss < best.loss:
            right = float((logits.argmax(axis=1) == tune[1]).mean())
            best = Fitted(head, strength, loss, right)
    if best is None:
        raise ValueError("the grid is empty")
    found = fit_calibration(form.calibration, best.head.logits(tune[0]), tune[1])
    return best._replace(head=replace(best.head, calibration=found))


def fit_layers(
    labels: Labels, rows: Any, classes: NDArray[np.int64], *, strength: float, form: Form = LINEAR
) -> Head:
    """Fit one head, uncalibrated, to features [n, d] and class numbers [n].

    Linear: multinomial logistic regression with L2 penalty, inverse strength C.  MLP: one hidden
    layer of 128 rectified units, 40 epochs of Adam on the cross-entropy with the same penalty.
    Classes weigh the same whatever their size.  One BLAS thread, so that equal data give equal
    heads on any number of cores; weights are those that single precision can write.
    """
    with extra("threadpoolctl").threadpool_limits(limits=1):
        if form.head == "linear":
            return _linear(labels, rows, classes, strength).storable()
        return _mlp(labels, rows, classes, strength, seed=form.seed).storable()


def _linear(labels: Labels, rows: Any, classes: NDArray[np.int64], strength: float) -> Head:
    model = extra("sklearn.linear_model").LogisticRegression(
        C=strength, class_weight="balanced", max_iter=5000, tol=1e-5
    )
    model.fit(rows, classes)
    return _head(labels, model.classes_, model.coef_, model.intercept_)


def _mlp(
    labels: Labels, rows: Any, classes: NDArray[np.int64], strength: float, *, seed: int
) -> Head:
    model = extra("sklearn.neural_network").MLPClassifier(
        hidden_layer_sizes=(UNITS,),
        alpha=1 / strength,  # scikit-learn divides both penalties by the number of samples
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        random_state=seed,
    )
    counts = np.bincount(classes, minlength=len(labels))
    weights = (len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[classes]
    with warnings.catch_warnings():
        # The number of epochs is fixed on purpose.
        warnings.simplefilter("ignore", extra("sklearn.exceptions").ConvergenceWarning)
        model.fit(rows, classes, sample_weight=weights)
    [inner, outer], [inner_bias, outer_bias] = model.coefs_, model.intercepts_
    head = _head(labels, model.classes_, outer.T, outer_bias)
    hidden = Hidden(
        weights=np.ascontiguousarray(inner.T, dtype=np.float64), bias=inner_bias.astype(np.float64)
    )
    return replace(head, hidden=hidden)


def _head(labels: Labels, present: Any, weights: Any, bias: Any) -> Head:
    """Give each class its row: scikit-learn has one row for two classes, none for absent ones."""
    if len(weights) == 1:
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    full: Floats = np.zeros((len(labels), weights.shape[1]))
    offsets: Floats = np.full(len(labels), ABSENT)
    full[present], offsets[present] = weights, bias
    return Head(labels=labels, weights=full, bias=offsets)
