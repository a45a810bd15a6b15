"""What a tier file says of a model, held to the head of the file that came."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .tiers import NEAR, Model, spell, tier_of

_WORDS = re.compile(r"[\w.-]+")


def misdescribed(
    model: Model, found: Mapping[str, Any], *, head: int = 0
) -> Iterator[tuple[str, str]]:
    """Yield what a tier file says of a model and its head contradicts, with what to write.

    ``head`` is the numbers of an output layer that may repeat the embeddings: with or without it, the
    parameters must be those that are listed.
    """
    if found["format"] != model.format:
        yield f"its format is {found['format']}", f"write format: {found['format']}"
    counts = [found["parameters"], found["parameters"] - head]
    if not any(abs(count - model.count) <= NEAR * max(count, model.count) for count in counts):
        tier = tier_of(counts[0])
        yield (
            f"listed with {model.params} parameters, the file has {spell(counts[0])}",
            f"write params: {spell(counts[0])}" + (f" and tier: {tier}" if tier else ""),
        )
    named = [_plain(word) for word in _WORDS.findall(found["architecture"] or "")]
    if named and _plain(model.architecture) not in named:
        yield f"its architecture is {named[-1]}", f"write architecture: {named[-1]}"


def _plain(architecture: str) -> str:
    return architecture.lower().removesuffix("forcausallm").removesuffix("_text")
