"""Named ways into the meadow and out of it: IEEE 754, ``numpy.ma``, pairs (P, Q)."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from assay import DataError

from .arrays import Masked, OnFault
from .element import BOTTOM, Element
from .namespaces import Array, namespace

Reading: TypeAlias = Literal["bottom", "raise"]
"""What NaN or Inf stands for: the bottom of the algebra, or a mistake."""
ReadingInf: TypeAlias = Literal["bottom", "fault", "raise"]
"""As ``Reading``, or a number that was lost to overflow."""


def element_from_ieee(
    number: complex, *, nan: Reading = "bottom", inf: Reading = "bottom"
) -> Element:
    """Read a float or complex number; ``DataError`` A202 for what is declared a mistake.

    A complex number with a NaN is NaN; else one with an Inf is Inf.

    >>> element_from_ieee(float("inf")), element_from_ieee(-2.5)
    (BOTTOM, Element(-2.5))
    >>> element_from_ieee(float("nan"), nan="raise")
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A202 nan is declared a mistake here

    Not to be trusted when an Inf came from overflow: that number exists, and bottom says it does
    not.  Say ``inf="raise"`` there.
    """
    z = complex(number)
    if math.isnan(z.real) or math.isnan(z.imag):
        reading = nan
    elif math.isinf(z.real) or math.isinf(z.imag):
        reading = inf
    else:
        return Element(number)
    if reading == "raise":
        raise DataError(f"{number} is declared a mistake here", code="A202")
    return BOTTOM


def element_to_ieee(x: Element) -> complex:
    """Return a float, or a complex number where the element is one; bottom is NaN.

    >>> element_to_ieee(Element(1) / 4), element_to_ieee(BOTTOM)
    (0.25, nan)
    """
    if x.value is None:
        return math.nan
    return x.value if isinstance(x.value, complex) else float(x.value)


def from_ieee(
    array: Array,
    *,
    nan: Reading = "bottom",
    inf: ReadingInf = "bottom",
    on_fault: OnFault = "raise",
) -> Masked:
    """Read an array (NumPy or torch, any shape) of floats or complex numbers.

    ``nan`` and ``inf`` say what each stands for; ``inf="fault"`` needs ``on_fault="mark"``.
    Raises ``DataError`` A202 where one is declared a mistake, and for other dtypes.

    >>> from_ieee(np.array([1.0, np.nan, -np.inf]))
    Masked([1.0, BOTTOM, BOTTOM])
    >>> from_ieee(np.array([1.0, np.nan, -np.inf]), inf="fault", on_fault="mark")
    Masked([1.0, BOTTOM, FAULT])

    Not to be trusted when an Inf came from overflow and is read as bottom.
    """
    xp = namespace(array)
    nans = xp.isnan(array)
    infs = ~xp.isfinite(array) & ~nans
    for name, found, reading in (("NaN", nans, nan), ("Inf", infs, inf)):
        if reading == "raise" and bool(found.any()):
            count = int(found.sum())
            raise DataError(f"{count} numbers are {name}, declared a mistake here", code="A202")
    bottom = nans | infs if inf == "bottom" else nans
    return Masked(array, bottom, infs & ~bottom, on_fault)


def to_ieee(x: Masked) -> Array:
    """Return the payload with NaN for bottom and Inf for faults; ``from_ieee`` reads it back.

    >>> to_ieee(Masked.finite(np.array([1.0, 4.0])) / np.array([0.0, 2.0]))
    array([nan,  2.])
    """
    xp = namespace(x.payload)
    return xp.where(x.bottom, xp.nan, xp.where(x.fault, xp.inf, x.filled(0)))


def from_masked_array(array: np.ma.MaskedArray[tuple[int, ...], np.dtype[np.inexact]]) -> Masked:
    """Read a ``numpy.ma`` array: what is masked is bottom.  Raises ``DataError`` A202 for NaN.

    >>> from_masked_array(np.ma.array([1.0, 2.0], mask=[False, True]))
    Masked([1.0, BOTTOM])
    """
    return Masked(np.asarray(array.data), np.array(np.ma.getmaskarray(array)))


def to_masked_array(x: Masked) -> np.ma.MaskedArray[tuple[int, ...], np.dtype[np.inexact]]:
    """Return a ``numpy.ma`` array, masked where bottom is; ``DataError`` A202 if a fault is left.

    >>> to_masked_array(Masked.finite(np.array([1.0, 0.0])).inverse()).tolist()
    [1.0, None]
    """
    _without_faults(x)
    return np.ma.MaskedArray(np.asarray(x.filled(0)), mask=np.asarray(x.bottom))


def from_projective(p: Array, q: Array, *, on_fault: OnFault = "raise") -> Masked:
    """Read pairs (P, Q) of finite numbers as P / Q: bottom where Q is 0, (0, 0) included.

    >>> from_projective(np.array([1.0, 3.0, 0.0]), np.array([2.0, 0.0, 0.0]))
    Masked([0.5, BOTTOM, BOTTOM])

    Not to be trusted when Q comes from a network: it is then never exactly 0, and a threshold on
    its size is a decision of its own.
    """
    return Masked.finite(p, on_fault=on_fault) / Masked.finite(q, on_fault=on_fault)


def to_projective(x: Masked, side: Array | None = None) -> tuple[Array, Array]:
    """Lift numbers y to (y, 1) and bottom to (side, 0), where ``side`` is 1 unless it is given.

    ``side`` (the shape of x, -1 or 1) says from which side a pole was come to.  Raises
    ``DataError`` A202 if a fault is left.

    >>> to_projective(from_ieee(np.array([2.5, np.nan])))
    (array([2.5, 1. ]), array([1., 0.]))
    """
    _without_faults(x)
    xp = namespace(x.payload)
    one = xp.ones_like(x.payload)
    away = one if side is None else one * side
    return xp.where(x.bottom, away, x.filled(0)), xp.where(x.bottom, 0 * one, one)


def _without_faults(x: Masked) -> None:
    if bool(x.fault.any()):
        raise DataError(
            f"{int(x.fault.sum())} numbers were lost to overflow or underflow",
            hint="use to_ieee, which writes them as Inf",
            code="A202",
        )
