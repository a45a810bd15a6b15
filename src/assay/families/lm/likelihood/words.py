"""A tokenizer of transformers, used as lm-evaluation-harness uses it."""

from __future__ import annotations

from typing import Any


class HfWords:
    """Texts to tokens; BOS first where the tokenizer adds one, never twice."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._spelt = tokenizer.bos_token or ""

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, with what the model wants before it."""
        if self._spelt and text.startswith(self._spelt):  # a chat template wrote it
            return self.plain(text)
        return list(self._tokenizer.encode(text))

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text alone."""
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    @property
    def bos(self) -> int | None:
        """The token before every text, where the model has one."""
        found = self._tokenizer.bos_token_id
        return None if found is None else int(found)

    @property
    def opening(self) -> int:
        """The token before a text that has nothing before it."""
        return int(self._tokenizer.eos_token_id if self.bos is None else self.bos)
