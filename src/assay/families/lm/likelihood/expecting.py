"""Questions about what a model expects next, over its whole vocabulary (``assay.predictions``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from assay import Answer, Crash, Failed, PluginError, Question, Reply, System, Usage
from assay.predictions import answer, asked_place

from ..server import TooLong
from .system import instead
from .tokens import Words

Array: TypeAlias = Any


@runtime_checkable
class Expects(Protocol):
    """Whatever knows how likely every token is to come next."""

    def expected(self, tokens: Sequence[int], places: Sequence[int]) -> Array:
        """Return logits, or their logarithms of shares, after some places: float32 [places, vocabulary].

        What is no finite number says that the model predicted nothing.  Raises ``PluginError`` A400
        where what runs the model failed.
        """
        ...


class Expecting:
    """Answers what comes next at places of texts itself, those of one text together; hands the others on."""

    def __init__(self, words: Words, model: Expects, *, room: int, others: System) -> None:
        self._words, self._model, self._room, self._others = words, model, room, others

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions."""
        others: list[Question] = []
        texts: dict[str, list[tuple[int, Question]]] = {}
        for asked in questions:
            if (found := asked_place(asked.input)) is None:
                others.append(asked)
            else:
                text, place = found
                texts.setdefault(text, []).append((place, asked))
        for text, here in texts.items():
            yield from self._expected(text, here)
        if others:
            yield from self._others.answer(others)

    def _expected(self, text: str, here: Sequence[tuple[int, Question]]) -> Iterator[Reply]:
        try:
            tokens = self._words.encode(text)
        except TooLong:
            tokens = None
        if tokens is None or len(tokens) > self._room:
            for _, asked in here:
                yield instead(asked, Failed("too_long", f"more than {self._room} tokens"))
            return
        inside = [(place, asked) for place, asked in here if place < len(tokens)]
        for place, asked in here:
            if place >= len(tokens):
                yield instead(asked, Failed("too_short", f"the text has {len(tokens)} tokens"))
        if not inside:
            return
        try:
            rows = self._model.expected(tokens, [place for place, _ in inside])
        except PluginError as error:
            for _, asked in inside:
                yield instead(asked, Crash("llama_cpp", str(error)))
            return
        for (place, asked), row in zip(inside, rows, strict=True):
            read = tokens[: place + 1]
            if not np.isfinite(row).all():
                yield instead(asked, Failed("non_finite", "a logit is NaN or infinite"))
                continue
            usage = Usage(tokens_in=len(read), tokens_out=0, calls=1)
            yield Reply(asked.id, Answer(answer(read, row)), usage, asked.attempt)
