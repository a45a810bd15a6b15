"""Arithmetic on the payloads of masked arrays, before anything is said of bottoms."""

from __future__ import annotations

import numpy as np

from .element import FaultError
from .namespaces import Array, is_complex, namespace


def sign_of(value: Array) -> Array:
    """Return x / |x|, and 0 for 0: -1, 0 or 1, for complex numbers on the unit circle.

    >>> sign_of(np.array([3 + 4j, 0]))
    array([0.6+0.8j, 0. +0.j ])
    """
    xp = namespace(value)
    if not is_complex(value):
        return xp.sign(value)
    real, imaginary = value.real, value.imag
    largest = xp.maximum(abs(real), abs(imaginary))
    nothing = largest == 0
    # Scaled first, so that neither the largest nor the smallest numbers go astray; part by part,
    # because complex division squares what it divides by.
    scale = xp.where(nothing, 1, largest)
    real, imaginary = real / scale, imaginary / scale
    length = xp.hypot(xp.where(nothing, 1, real), imaginary)
    return real / length + 1j * (imaginary / length)


def product_of(a: Array, b: Array) -> tuple[Array, Array]:
    """Multiply payloads; where a product of two numbers vanished."""
    namespace(a, b)  # both of one library
    with quiet():
        product = a * b
    return product, (product == 0) & (a != 0) & (b != 0)


def over(array: Array, axis: int | None) -> Array:
    """Add along an axis, or everything."""
    with quiet():
        return array.sum() if axis is None else array.sum(axis)


def refuse(fault: Array) -> None:
    """Raise ``FaultError`` A202 if there is a fault."""
    count = int(fault.sum())
    if count:
        raise FaultError(
            f"{count} of {int(np.prod(fault.shape))} results overflow, or underflow to zero",
            hint="scale the numbers, or declare on_fault='mark'",
            code="A202",
        )


def quiet() -> np.errstate:
    """Keep NumPy from warning about what becomes a fault."""
    return np.errstate(all="ignore")
