"""How many numbers a model has, as people write it: ``135M``, ``1.5B``."""

from __future__ import annotations

import re
from decimal import Decimal

_WRITTEN = re.compile(r"(\d{1,12}(?:\.\d{1,12})?|\.\d{1,12})([KMB])", re.IGNORECASE | re.ASCII)
_UNITS = {"K": 1_000, "M": 1_000_000, "B": 1_000_000_000}


def parse_parameters(text: str) -> int:
    """Return the number of parameters that a text means.

    Digits with at most one dot, then K, M or B: no sign, no exponent, no separators.  A fraction of a
    parameter is rounded.  Raises ``ValueError`` for any other text, with a sentence that says what to write.

    >>> parse_parameters("1.5B"), parse_parameters("360m")
    (1500000000, 360000000)
    >>> parse_parameters("1.5 billion")
    Traceback (most recent call last):
    ValueError: write digits and K, M or B, as 135M or 1.5B
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("write digits and K, M or B, as 135M or 1.5B")
    return round(Decimal(found[1]) * _UNITS[found[2].upper()])


def spell_parameters(count: int) -> str:
    """Return a number of parameters as people write it, to three digits.

    What is spelt parses again to within half a per cent.  Raises ``ValueError`` for less than one.

    >>> spell_parameters(134_515_008), spell_parameters(1_500_000_000), spell_parameters(999_999)
    ('135M', '1.5B', '1M')
    """
    if count < 1:
        raise ValueError(f"{count} is no number of parameters")
    rounded = int(Decimal(f"{Decimal(count):.3g}"))  # a float holds no number of 400 digits
    unit, size = next(((u, s) for u, s in reversed(_UNITS.items()) if rounded >= s), ("K", 1_000))
    shown = f"{Decimal(rounded) / size:.6f}".rstrip("0").rstrip(".")
    return f"{shown}{unit}"
