"""Sizes as people write them."""

from __future__ import annotations

import re

_UNITS = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,9}))? ?([a-z]*)", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Return the bytes of a size.  Raises ``ValueError`` for what is none.

    >>> parse_size("10 GB"), parse_size("1.5GiB"), parse_size("512")
    (10000000000, 1610612736, 512)
    """
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[3].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(f"{text!r} is no size")
    fraction = found[2] or ""
    shift: int = 10 ** len(fraction)
    return int(found[1] + fraction) * unit // shift


def spell_size(size: int) -> str:
    """Return a size in the largest unit that leaves a number above one.

    >>> spell_size(999), spell_size(12_345_678), spell_size(10**10)
    ('999 bytes', '12.3 MB', '10.0 GB')
    """
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} byte{'s' if size != 1 else ''}"
