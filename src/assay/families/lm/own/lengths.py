"""How many tokens a text has: by a named tokenizer, or estimated from its characters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay import DataError
from assay.extras import Extra

CHARACTERS_PER_TOKEN = 3.9
"""Of SmolLM2's tokenizer on the sentences of ``lm.needle``, measured at 2,048 tokens."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Counts tokens, and says by what."""

    count: Callable[[str], int]
    says: str


def ruler(tokenizer: Path | None) -> Ruler:
    """Return what counts tokens: a ``tokenizer.json``, or characters divided by a constant.

    Raises ``DataError`` A200 for a file that is no tokenizer, ``PluginError`` A401 without the extra
    ``transformers``.

    >>> ruler(None).count("x" * 390)
    100
    """
    if tokenizer is None:
        return Ruler(
            lambda text: round(len(text) / CHARACTERS_PER_TOKEN),
            f"lengths are estimates, {CHARACTERS_PER_TOKEN:g} characters a token: what a model was "
            "given stands in tokens_in of each record",
        )
    Extra("transformers").require("tokenizers")
    raw = _bytes(tokenizer)
    # Its library is loaded in here: a plan that is only checked does not pay for it.
    loaded = Extra("transformers").load("tokenizers").Tokenizer.from_buffer(raw)
    digest = hashlib.sha256(raw).hexdigest()
    return Ruler(
        lambda text: len(loaded.encode(text, add_special_tokens=False).ids),
        f"lengths are tokens of {tokenizer.name} (sha256:{digest[:12]})",
    )


def _bytes(path: Path) -> bytes:
    hint = "give the tokenizer.json of a model"
    try:
        raw = path.read_bytes()
        said = json.loads(raw)
    except OSError as problem:
        raise DataError(f"it cannot be read: {problem}", where=str(path), hint=hint) from None
    except ValueError:
        raise DataError("it is not JSON", where=str(path), hint=hint) from None
    if not isinstance(said, dict) or not isinstance(said.get("model"), dict):
        raise DataError("it has no 'model': this is no tokenizer", where=str(path), hint=hint)
    return raw
