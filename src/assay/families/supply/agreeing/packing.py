"""Logits of one position as JSON: sixteen bits each, on a grid between the smallest and the largest.

*Covered*: what unpacks comes from a system, and is bounded before it is unpacked.  *Not covered*:
whether a model said it.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
_LEVELS = 65535


def pack(logits: Array) -> dict[str, Any]:
    """Return logits as a JSON value: ``size``, ``step`` and ``codes``.

    A logit is the largest one less a whole number of steps, a step the range over 65535.  So each is
    off by at most half a step (3e-4 for a range of 40), and a KL divergence by at most one step; as
    the errors have no direction it is off by about a step squared over 24 (1.5e-8).

    Raises ``ValueError`` for logits that are not all finite.

    >>> packed = pack(np.array([1.0, 3.0, 2.0]))
    >>> packed["size"], unpack(packed, size=3).round(3).tolist()
    (3, [-2.0, 0.0, -1.0])
    """
    values = np.asarray(logits, dtype=np.float64).reshape(-1)
    if not values.size or not np.isfinite(values).all():
        raise ValueError("logits must be finite")
    below = values.max() - values
    step = float(below.max()) / _LEVELS
    codes = np.rint(below / step if step else below).astype("<u2")
    # All high bytes before all low ones: the high ones are alike, and shrink.
    planes = codes.view(np.uint8).reshape(-1, 2).T[::-1]
    packed = b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")
    return {"size": len(values), "step": step, "codes": packed}


def unpack(value: Any, *, size: int) -> Array | None:
    """Return packed logits, the largest of them 0, as float32; None for anything that is not ``size`` of them.

    >>> unpack({"size": 3, "step": 1.0, "codes": "no"}, size=3) is None
    True
    """
    match value:
        case {"size": int(given), "step": int() | float() as step, "codes": str(codes)}:
            pass
        case _:
            return None
    if given != size or len(codes) > 4 * size + 1000 or not 0 <= step < float("inf"):
        return None
    try:
        raw = b64decode(codes, validate=True)
        unzip = zlib.decompressobj()
        planes = unzip.decompress(raw, 2 * size + 1)  # never more, whatever the stream holds
    except (BadBase64, ValueError, zlib.error):
        return None
    if len(planes) != 2 * size or not unzip.eof:
        return None
    pairs = np.frombuffer(planes, dtype=np.uint8).reshape(2, size)[::-1].T
    levels = np.ascontiguousarray(pairs).view("<u2").reshape(-1)
    return (0.0 - levels * step).astype(np.float32)
