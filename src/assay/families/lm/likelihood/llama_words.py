"""The tokenizer of a GGUF file, as llama.cpp reads it."""

from __future__ import annotations

from collections.abc import Sequence

from ..server import LlamaServer
from .tokens import opened


class LlamaWords:
    """Texts to tokens; BOS first where the file says so, never twice.

    ``bos`` and ``eos`` are what the head of the file names.  Raises ``TooLong`` for a text that cannot fit.
    """

    def __init__(self, server: LlamaServer, *, bos: int | None, eos: int | None) -> None:
        self._server, self.bos, self._eos = server, bos, eos
        # Of some files the text is ended, too, where nothing is to be encoded.
        self._before = [token for token in server.opening() if token == bos or token != eos]
        self._last: tuple[str | None, list[int]] = (None, [])

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, with what the model wants before it."""
        # The continuations of a question stand behind the same context: it is asked for once.
        if self._last[0] != text:
            self._last = (text, self.opened(self.plain(text)))
        return list(self._last[1])

    def opened(self, tokens: Sequence[int]) -> list[int]:
        """Return the tokens of a prompt with what the model wants before it."""
        return opened(tokens, before=self._before, bos=self.bos)

    @property
    def before(self) -> str:
        """What the model wants before a text, as it is spelt."""
        return self._server.spelt(self._before) if self._before else ""

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text alone."""
        return self._server.markup(text)

    @property
    def opening(self) -> int:
        """The token before a text that has nothing before it.  Raises ``ValueError`` where there is none."""
        found = self._eos if self.bos is None else self.bos
        if found is None:
            raise ValueError("the file names neither a token before a text nor one behind it")
        return found
