"""The library that an array belongs to: NumPy, or torch where a tensor is given."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np

from assay import DataError

Array: TypeAlias = Any
"""A ``numpy.ndarray`` or a ``torch.Tensor``."""


def namespace(*arrays: Array) -> Any:
    """Return ``numpy`` or ``torch``, whichever all the arrays belong to.

    torch is never imported here: a tensor has already imported it.  Raises ``DataError`` A202 when
    the arrays belong to neither, or not all to the same.

    >>> namespace(np.ones(2)).__name__
    'numpy'
    >>> namespace([1.0])
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A202 a list is neither a NumPy array nor a torch tensor
    """
    torch = sys.modules.get("torch")
    found = []
    for array in arrays:
        if isinstance(array, np.ndarray | np.generic):
            found.append(np)
        elif torch is not None and isinstance(array, torch.Tensor):
            found.append(torch)
        else:
            kind = type(array).__name__
            raise DataError(f"a {kind} is neither a NumPy array nor a torch tensor", code="A202")
    if any(one is not found[0] for one in found):
        raise DataError(
            "NumPy arrays and torch tensors do not mix",
            hint="convert one of them, with torch.from_numpy or Tensor.numpy",
            code="A202",
        )
    return found[0]


def is_real(array: Array) -> bool:
    """Return whether an array holds floating-point numbers that are not complex.

    >>> is_real(np.ones(2)), is_real(np.ones(2, complex)), is_real(np.ones(2, int))
    (True, False, False)
    """
    if isinstance(array, np.ndarray | np.generic):
        return bool(np.issubdtype(array.dtype, np.floating))
    return bool(array.dtype.is_floating_point)


def is_complex(array: Array) -> bool:
    """Return whether an array holds complex numbers.

    >>> is_complex(np.ones(2)), is_complex(np.ones(2, complex))
    (False, True)
    """
    if isinstance(array, np.ndarray | np.generic):
        return bool(np.issubdtype(array.dtype, np.complexfloating))
    return bool(array.dtype.is_complex)
