"""Comparing arrays over a meadow: order as a sign, and sameness."""

from __future__ import annotations

from assay import DataError

from .arrays import Masked, made, mode_of
from .namespaces import Array, is_real, namespace


def compare(x: Masked, y: Masked) -> Masked:
    """Return the sign of x - y without computing the difference: -1, 0 or 1, bottom beside bottom.

    An order is no truth value here: "less" would have to say something about bottom.  Raises
    ``DataError`` A202 for complex numbers, which have no order.

    >>> import numpy as np
    >>> compare(Masked.finite(np.array([1.0, 2.0])), Masked.finite(np.array([1.0, 3.0])))
    Masked([0.0, -1.0])
    """
    xp = namespace(x.payload, y.payload)
    if not (is_real(x.payload) and is_real(y.payload)):
        raise DataError("complex numbers have no order", code="A202")
    a, b = x.filled(0), y.filled(0)
    zero = xp.zeros_like(0 * a + 0 * b)  # of both shapes and types; a + b may overflow
    order = xp.where(a > b, zero + 1, xp.where(a < b, zero - 1, zero))
    return made(order, x.bottom | y.bottom, x.fault | y.fault, mode_of(x, y))


def same(x: Masked, y: Masked) -> Array:
    """Return where two arrays hold the same element: one number, or bottom in both.

    A fault is the same as nothing, itself included: the number is not known.

    >>> import numpy as np
    >>> x = Masked(np.array([1.0, 2.0, 3.0]), np.array([False, True, True]))
    >>> same(x, Masked(np.array([1.0, 7.0, 3.0]), np.array([False, True, False])))
    array([ True,  True, False])
    """
    namespace(x.payload, y.payload)
    equal = (x.filled(0) == y.filled(0)) & x.has_value & y.has_value
    return equal | (x.bottom & y.bottom)
