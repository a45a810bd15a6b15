"""The tokenizer of a GGUF file, as llama.cpp reads it."""

from __future__ import annotations

from ..server import LlamaServer


class LlamaWords:
    """Texts to tokens; BOS first where the file says so, never twice.

    ``bos`` and ``eos`` are what the head of the file names.  Raises ``TooLong`` for a text that cannot fit.
    """

    def __init__(self, server: LlamaServer, *, bos: int | None, eos: int | None) -> None:
        self._server, self.bos, self._eos = server, bos, eos
        self._before = server.opening()
        self._last: tuple[str | None, list[int]] = (None, [])

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, with what the model wants before it."""
        # The continuations of a question stand behind the same context: it is asked for once.
        if self._last[0] != text:
            tokens = self.plain(text)
            # Where the text spells the BOS itself (a chat template does), none is added.
            spelt = tokens[:1] == [self.bos]
            self._last = (text, tokens if spelt else [*self._before, *tokens])
        return list(self._last[1])

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
