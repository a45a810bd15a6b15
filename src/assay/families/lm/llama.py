"""One GGUF model in memory, asked which token comes next.

The reply to a question never depends on what was asked before.  llama.cpp keeps the longest part
of the last prompt that the next one shares, and its kernels give other low bits (log-probabilities
moved by up to 0.45) when the rest is processed in a batch of another size.  So the shared part is
evaluated once, alone (``hold``), and each prompt is made to share exactly that part: where two
prompts in a row would share more, one token is asked in between which neither continues with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import PluginError

from .server import LlamaServer, Shape, TooLong, broken

TOP = 200
"""How many of the most probable next tokens are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextToken:
    """What the model expects next, and what finding out took."""

    logprobs: Mapping[int, float]
    """Natural-log probabilities of the ``TOP`` most probable tokens, by token."""

    tokens_in: int
    """The whole prompt, the cached part included."""

    tokens_cached: int
    tokens_out: int


class Llama:
    """A server with one prompt's beginning held in memory; see ``LlamaServer`` for what it takes."""

    def __init__(self, path: Path, *, threads: int, context: int) -> None:
        self.server = LlamaServer(path, Shape(threads=threads, context=context))
        self.context = context
        self.text, self.markup = self.server.text, self.server.markup
        self.opening = self.server.opening
        self._held: list[int] = []
        self._after: int | None = None
        """The cached token after the held ones; None when it is not known."""

    def hold(self, shared: Sequence[int]) -> None:
        """Evaluate the tokens that every later prompt begins with, and keep them.

        Raises ``TooLong`` when they leave no room for a question.
        """
        if len(shared) + 2 > self.context:
            raise TooLong
        self._held, self._after = list(shared), None
        self._part_from(self._held[0] if self._held else 0)

    def next_token(self, rest: Sequence[int]) -> NextToken:
        """Return what follows the held tokens and ``rest`` (at least one token).

        Raises ``TooLong`` when they exceed the context, ``PluginError`` when llama.cpp fails.
        """
        if len(self._held) + len(rest) >= self.context:
            raise TooLong
        if self._after is None or self._after == rest[0]:
            self._part_from(rest[0])
        found = self._complete([*self._held, *rest], TOP)
        if found.tokens_cached != len(self._held):
            raise PluginError(
                f"llama.cpp reused {found.tokens_cached} tokens, not the {len(self._held)} held: "
                "the reply would depend on the questions before it",
                where="lm.choose",
                hint="report this with the version of xllamacpp",
                code="A402",
            )
        self._after = rest[0]
        return found

    def _part_from(self, token: int) -> None:
        """Leave the cache with the held tokens and one that is not ``token``."""
        other = 1 if token == 0 else 0
        self._complete([*self._held, other], 1)
        self._after = other

    def _complete(self, tokens: list[int], top: int) -> NextToken:
        body = {
            "prompt": tokens,
            "max_tokens": 1,
            "n_probs": top,
            "temperature": 0,
            "cache_prompt": True,
        }
        self._after = None  # until the reply is in, nobody knows what the cache holds
        return _read(self.server.complete(body))


def _read(reply: object) -> NextToken:
    match reply:
        case {"error": {"type": "exceed_context_size_error"}}:
            raise TooLong
        case {
            "choices": [{"logprobs": {"content": [{"top_logprobs": list(top)}]}}],
            "usage": {"prompt_tokens": int(said_in), "completion_tokens": int(said_out)},
            "timings": {"cache_n": int(cached)},
        }:
            return NextToken(
                # A logit that is no number comes as null; it is nobody's probability.
                logprobs={
                    int(one["id"]): float(one["logprob"])
                    for one in top
                    if one["logprob"] is not None
                },
                tokens_in=said_in,
                tokens_cached=cached,
                tokens_out=said_out,
            )
        case _:
            raise broken(str(reply)[:200])
