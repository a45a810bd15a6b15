"""What ``supply.agreement`` asks, and the form that an answer has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

from .packing import pack, unpack

Array: TypeAlias = Any


def question(text: str, position: int) -> dict[str, Any]:
    """Return a sample's input: what comes after ``position`` tokens and one of this text?

    >>> question("One, two", 1)
    {'text': 'One, two', 'position': 1}
    """
    return {"text": text, "position": position}


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
