"""Arrays checked once, at the edge, so that the arithmetic inside never is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.intp]

WRONG = "A202"


def finite(name: str, values: npt.ArrayLike, *, ndim: int = 1) -> Floats:
    """Return ``values`` as floats of ``ndim`` dimensions.

    Raises DataError A202 for another number of dimensions, NaN or infinity: "does not apply" and
    "not measured" are decided by the caller, who knows what is left out.

    >>> finite("hits", [True, False])
    array([1., 0.])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim:
        raise DataError(f"{name} has {array.ndim} dimensions, not {ndim}", code=WRONG)
    if not np.isfinite(array).all():
        raise DataError(
            f"{name} holds NaN or infinity",
            hint="Leave out the records that the number does not apply to.",
            code=WRONG,
        )
    return array


def same_shape(**arrays: npt.NDArray[np.generic]) -> None:
    """Raise DataError A202 unless all arrays have one shape."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        said = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(f"Shapes differ: {said}", code=WRONG)


def codes(name: str, groups: npt.ArrayLike) -> tuple[Codes, int]:
    """Return group codes counted from 0 in the order of their values, and how many there are.

    Raises DataError A202 unless ``groups`` is one-dimensional and integer.

    >>> codes("groups", [7, 3, 7])
    (array([1, 0, 1]), 2)
    """
    array = np.asarray(groups)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise DataError(f"{name} must be a one-dimensional integer array", code=WRONG)
    values, inverse = np.unique(array, return_inverse=True)
    return inverse.astype(np.intp), len(values)


def totals(values: Floats, group: Codes, n_groups: int) -> Floats:
    """Return the sum of ``values`` in each group, shape [n_groups]."""
    return np.bincount(group, weights=values, minlength=n_groups).astype(np.float64)


def tail_of(confidence: float, *, sides: int = 2) -> float:
    """Return the probability that an interval leaves out on each side.

    Raises DataError A202 unless 0 < confidence < 1.

    >>> round(tail_of(0.95), 6)
    0.025
    """
    if not 0 < confidence < 1:
        raise DataError(f"A confidence of {confidence} is not between 0 and 1", code=WRONG)
    return (1 - confidence) / sides


def level(name: str, value: float) -> float:
    """Return ``value`` if it is a probability strictly between 0 and 1, else raise A202."""
    if not 0 < value < 1:
        raise DataError(f"{name} = {value} is not between 0 and 1", code=WRONG)
    return value
