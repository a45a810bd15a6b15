"""What a model expects next, over its whole vocabulary: the question, and the answer as JSON.

A task that compares models by their predictions (``supply.agreement``) asks so; systems of any family answer
so, and whoever has the source computes how far they are apart.  Logits are packed: sixteen bits each, on a grid
between the smallest and the largest.  *Covered*: what unpacks comes from a system, and is bounded before it is
unpacked.  *Not covered*: whether a model said it.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np

__all__ = ["answer", "asked_place", "digest_of_tokens", "pack", "question", "read_answer", "unpack"]

Array: TypeAlias = Any
_LEVELS = 65535


def question(text: str, position: int) -> dict[str, Any]:
    """Return a sample's input: what comes after the token at this place (from 0) of this text?

    >>> question("One, two", 1)
    {'text': 'One, two', 'position': 1}
    """
    return {"text": text, "position": position}


def asked_place(value: object) -> tuple[str, int] | None:
    """Return the text and the place that a sample's input asks for; None for any other question.

    >>> asked_place(question("One, two", 1)), asked_place({"text": "One, two"})
    (('One, two', 1), None)
    """
    match value:
        case {"text": str(text), "position": int(position), **more} if not more and position >= 0:
            return text, position
        case _:
            return None


def digest_of_tokens(tokens: Sequence[int]) -> str:
    """Return what names a beginning of a text: 16 hex digits of its tokens.

    >>> digest_of_tokens([1, 2]) == digest_of_tokens([1, 2]) != digest_of_tokens([12])
    True
    """
    return sha256(",".join(map(str, tokens)).encode()).hexdigest()[:16]


def answer(tokens: Sequence[int], logits: Array) -> dict[str, Any]:
    """Return an answer's value: how the text was read up to the place, and the packed logits there.

    Raises ``ValueError`` for logits that are not finite.
    """
    return {"read": digest_of_tokens(tokens), **pack(logits)}


def read_answer(value: object, tokens: Sequence[int], *, size: int) -> Array | None:
    """Return the logits of an answer; None unless it read the same tokens and has ``size`` logits."""
    if not isinstance(value, Mapping) or value.get("read") != digest_of_tokens(tokens):
        return None
    return unpack({name: value[name] for name in value if name != "read"}, size=size)


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
