"""What a card says of an encoder."""

from __future__ import annotations

import msgspec


class EncoderFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which encoder the head was trained on, and how to tell whether it still is that one."""

    name: str
    made_by: str
    """The computation and its version."""

    weights: str
    tokenizer: str
    """Digests of the files that it is made from."""

    ngrams: str = ""
    """Digest of the vocabulary beside it, where n-grams are read too."""

    probes: dict[str, list[float]] = {}
    """Prompts with the first coordinates of their embeddings when the head was trained."""
