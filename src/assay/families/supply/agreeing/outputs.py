"""What two models make of the same texts, place by place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from .divergence import WORST, Compared, compare_logits
from .prompts import Prompt
from .speakers import Speaker, chosen

Array: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFound:
    """One text."""

    id: str
    compared: Compared
    read_otherwise: bool = False
    """Whether the candidate splits the text into other tokens, or chooses from another vocabulary; every
    number is the worst then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesFound:
    """One text, read by two encoders."""

    id: str
    cosine: float
    """Of the mean states of both."""

    token_cosine: Array
    """Of each token's states."""

    relative: float
    """Norm of the difference of all states over that of the source's states."""

    max_abs: float
    read_otherwise: bool = False
    finite: bool = True


class Encoder(Protocol):
    """A model that makes states of a text."""

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text."""

    def states(self, tokens: Sequence[int]) -> Array:
        """Return float32 [tokens, width]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which places of each text are compared."""

    positions: int | None = None
    """Of each text, evenly spread; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the source makes of a text; its logits wait in a file while the candidate is loaded."""

    prompt: Prompt
    tokens: tuple[int, ...]
    at: tuple[int, ...]
    """The places that are compared."""

    logits: Path
    """A NumPy file, float32 [places, vocabulary]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """What the source makes of every text, and what ran it."""

    readings: tuple[Reading, ...]
    vocabulary: int
    ran: str


def read_source(
    source: Speaker,
    prompts: Sequence[Prompt],
    *,
    places: Places,
    folder: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> Sourced:
    """Write the source's logits of each text into a folder, so that two models need not be in memory."""
    readings = []
    for number, prompt in enumerate(prompts):
        tell(f"source: prompt {number + 1} of {len(prompts)}, {prompt.id}")
        tokens = source.tokens(prompt.text)
        at = chosen(len(tokens), places.positions)
        path = folder / f"{number}.npy"
        np.save(path, source.logits(tokens, at), allow_pickle=False)
        readings.append(Reading(prompt=prompt, tokens=tuple(tokens), at=tuple(at), logits=path))
    return Sourced(readings=tuple(readings), vocabulary=source.vocabulary, ran=source.ran)


def compare_outputs(
    candidate: Speaker,
    source: Sourced,
    *,
    k: int = 10,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[PromptFound, ...]:
    """Compare a model with its source on each text; logits of one text are in memory at a time."""
    found = []
    for number, reading in enumerate(source.readings, 1):
        prompt, tokens = reading.prompt, list(reading.tokens)
        tell(f"candidate: prompt {number} of {len(source.readings)}, {prompt.id}")
        other = candidate.tokens(prompt.text) != tokens
        other = other or candidate.vocabulary != source.vocabulary
        theirs = np.load(reading.logits, allow_pickle=False)
        ours = np.full_like(theirs, np.nan) if other else candidate.logits(tokens, reading.at)
        following = [tokens[place + 1] if place + 1 < len(tokens) else -1 for place in reading.at]
        compared = compare_logits(theirs, ours, following, k=k)
        found.append(PromptFound(id=prompt.id, compared=compared, read_otherwise=other))
    return tuple(found)


def compare_states(
    candidate: Encoder, source: Encoder, prompts: Sequence[Prompt]
) -> tuple[StatesFound, ...]:
    """Compare the states of two encoders on some texts."""
    found = []
    for prompt in prompts:
        tokens = source.tokens(prompt.text)
        theirs = source.states(tokens).astype(np.float64)
        if candidate.tokens(prompt.text) != tokens:
            found.append(_unread(prompt.id, len(tokens), other=True))
            continue
        ours = candidate.states(tokens).astype(np.float64)
        if ours.shape != theirs.shape or not np.isfinite(ours).all():
            found.append(_unread(prompt.id, len(tokens), other=ours.shape != theirs.shape))
            continue
        found.append(
            StatesFound(
                id=prompt.id,
                cosine=float(_cosines(ours.mean(0)[None], theirs.mean(0)[None])[0]),
                token_cosine=_cosines(ours, theirs),
                relative=float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)),
                max_abs=float(np.abs(ours - theirs).max()),
            )
        )
    return tuple(found)


def _unread(name: str, tokens: int, *, other: bool) -> StatesFound:
    return StatesFound(
        id=name,
        cosine=-1.0,
        token_cosine=np.full(tokens, -1.0),
        relative=WORST,
        max_abs=WORST,
        read_otherwise=other,
        finite=other,
    )


def _cosines(a: Array, b: Array) -> Array:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    product = (a * b).sum(axis=1)
    return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)
