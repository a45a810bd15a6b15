"""A tokenizer of transformers, used as lm-evaluation-harness uses it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from .tokens import opened, require_known


def before_text(tokenizer: Any, ends: Collection[int]) -> list[int]:
    """Return the tokens that a tokenizer of transformers puts before a text, none of those that it puts behind.

    ``ends`` are tokens that end a text; of some models one of them is the BOS, too.
    """
    around = [int(token) for token in tokenizer("", add_special_tokens=True)["input_ids"]]
    bos = tokenizer.bos_token_id
    first = around[:1] if bos is not None and around[:1] == [bos] else []
    return [*first, *(token for token in around[len(first) :] if token not in ends)]


class HfWords:
    """Texts to tokens; BOS first where the tokenizer adds one, never twice.

    ``known`` is how many tokens the model has: ``PluginError`` A403 for a text that needs another.  ``ends`` are
    tokens that end a text, beside the tokenizer's own.
    """

    def __init__(self, tokenizer: Any, *, known: int, ends: Collection[int] = ()) -> None:
        self._tokenizer, self._known = tokenizer, known
        self._before = before_text(tokenizer, {*ends, tokenizer.eos_token_id})

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, with what the model wants before it."""
        return self.opened(self.plain(text))

    def opened(self, tokens: Sequence[int]) -> list[int]:
        """Return the tokens of a prompt with what the model wants before it."""
        return opened(tokens, before=self._before, bos=self.bos)

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text alone."""
        return self._checked(self._tokenizer.encode(text, add_special_tokens=False))

    @property
    def bos(self) -> int | None:
        """The token before every text, where the model has one."""
        found = self._tokenizer.bos_token_id
        return None if found is None else int(found)

    @property
    def opening(self) -> int:
        """The token before a text that has nothing before it.  Raises ``ValueError`` where there is none."""
        found = self._tokenizer.eos_token_id if self.bos is None else self.bos
        if found is None:
            raise ValueError("the tokenizer names neither a token before a text nor one behind it")
        return int(found)

    def _checked(self, tokens: Any) -> list[int]:
        found = list(tokens)
        require_known(found, self._known)
        return found
