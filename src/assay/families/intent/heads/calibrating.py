"""Fit calibrations, on logits of prompts that the head did not learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..extras import extra
from .calibration import Calibration, Floats, Isotonic, Kind, Sigmoid, Temperature, log_odds

COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of the temperature: without an error the likelihood has no optimum."""

LEAST_SLOPE = 1e-3
"""Of a logistic curve: flatter ones would tie or turn the order round."""


def fit_calibration(kind: Kind, logits: Floats, classes: NDArray[np.int64]) -> Calibration:
    """Fit a calibration of one kind to logits [n, classes] and the true class numbers [n].

    >>> logits = np.log([[0.8, 0.2]] * 10)
    >>> truth = np.array([0] * 8 + [1] * 2)
    >>> [fit_calibration(k, logits, truth).kind for k in ("temperature", "sigmoid", "none")]
    ['temperature', 'sigmoid', 'none']

    *Not to be trusted when* the head was fitted to the same prompts: its logits are then surer than
    they will be; or, for ``sigmoid`` and ``isotonic``, when a class has fewer than some tens of them.
    """
    match kind:
        case "none":
            return Temperature(value=1.0, kind="none")
        case "temperature":
            return Temperature(value=fit_temperature(logits, classes)[0])
        case "sigmoid":
            return _fit_sigmoid(log_odds(logits), classes)
        case "isotonic":
            return _fit_isotonic(log_odds(logits), classes)


def fit_temperature(logits: Floats, classes: NDArray[np.int64]) -> tuple[float, float]:
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


def _fit_sigmoid(odds: Floats, classes: NDArray[np.int64]) -> Sigmoid:
    curves = [_platt(odds[:, k], classes == k) for k in range(odds.shape[1])]
    slope, offset = np.array(curves).T
    return Sigmoid(slope=np.ascontiguousarray(slope), offset=np.ascontiguousarray(offset))


def _platt(odds: Floats, hit: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the best logistic curve, with Platt's targets, which are never 0 or 1."""
    hits, misses = int(hit.sum()), int((~hit).sum())
    wanted = np.where(hit, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(curve: Floats) -> tuple[float, Floats]:
        at = odds * curve[0] + curve[1]
        gap = 1 / (1 + np.exp(-np.clip(at, -500, 500))) - wanted
        return (
            float(np.mean(np.logaddexp(0, at) - wanted * at)),
            np.array([np.mean(gap * odds), np.mean(gap)]),
        )

    found = extra("scipy.optimize").minimize(
        loss,
        x0=np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_SLOPE, None), (None, None)],
    )
    return float(found.x[0]), float(found.x[1])


def _fit_isotonic(odds: Floats, classes: NDArray[np.int64]) -> Isotonic:
    curves = [_steps(odds[:, k], classes == k) for k in range(odds.shape[1])]
    return Isotonic(
        x=np.concatenate([x for x, _ in curves]),
        y=np.concatenate([y for _, y in curves]),
        ends=np.cumsum([len(x) for x, _ in curves]).astype(np.float64),
        floor=1 / (len(classes) + 2),
    )


def _steps(odds: Floats, hit: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return where the steps of the isotonic regression begin and end, and their levels there."""
    hits, misses = int(hit.sum()), int((~hit).sum())
    at, place = np.unique(odds, return_inverse=True)
    weights = np.bincount(place).astype(np.float64)
    found = extra("scipy.optimize").isotonic_regression(
        np.bincount(place, weights=hit) / weights, weights=weights
    )
    edges = np.unique(np.concatenate([found.blocks[:-1], found.blocks[1:] - 1]))
    levels = np.clip(found.x[edges], 1 / (misses + 2), (hits + 1) / (hits + 2))
    return at[edges], levels
