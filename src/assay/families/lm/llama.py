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
from math import nan
from pathlib import Path
from typing import Any

from assay import PluginError

from .listing import Listing, share_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Which text of a list a model wrote, and what that took."""

    at: int
    """Its place in the list."""

    log_share: float
    """Of what the list allowed at each token, what the model gave to the one that it wrote: the sum of the
    logarithms.  No number where the model's predictions are none."""

    tokens_in: int
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
        self._make_room(rest, 1)
        found = self._complete([*self._held, *rest], TOP)
        self._require_held(found.tokens_cached)
        self._after = rest[0]
        return found

    def write(self, rest: Sequence[int], listing: Listing) -> Written:
        """Return which text of a list follows the held tokens and ``rest`` (at least one token).

        The likeliest token each time, of those that the list allows (a grammar of llama.cpp over tokens).  Raises
        ``TooLong`` when they exceed the context, ``PluginError`` when llama.cpp fails.
        """
        self._make_room(rest, listing.depth)
        self._after = None
        reply = self.server.complete(
            {
                "prompt": [*self._held, *rest],
                "max_tokens": listing.depth,
                "n_probs": TOP,
                "temperature": 0,
                "samplers": ["temperature"],
                "grammar": listing.grammar,
                "cache_prompt": True,
            }
        )
        found = _read_written(reply, listing)
        self._require_held(found.tokens_cached)
        self._after = rest[0]
        return found

    @property
    def held(self) -> list[int]:
        """The tokens that every prompt begins with."""
        return list(self._held)

    def _make_room(self, rest: Sequence[int], more: int) -> None:
        """Have the cache part from the prompt where the held tokens end.  Raises ``TooLong``."""
        if len(self._held) + len(rest) + more > self.context:
            raise TooLong
        if self._after is None or self._after == rest[0]:
            self._part_from(rest[0])

    def _require_held(self, cached: int) -> None:
        if cached != len(self._held):
            raise PluginError(
                f"llama.cpp reused {cached} tokens, not the {len(self._held)} held: "
                "the reply would depend on the questions before it",
                where="lm.choose",
                hint="report this with the version of xllamacpp",
                code="A402",
            )

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
                logprobs=_logs(top),
                tokens_in=said_in,
                tokens_cached=cached,
                tokens_out=said_out,
            )
        case _:
            raise broken(str(reply)[:200])


def _logs(top: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    # A logit that is no number comes as null; it is nobody's probability.
    return {int(one["id"]): float(one["logprob"]) for one in top if one["logprob"] is not None}


def _read_written(reply: object, listing: Listing) -> Written:
    match reply:
        case {"error": {"type": "exceed_context_size_error"}}:
            raise TooLong
        case {
            "choices": [{"logprobs": {"content": [*drawn]}}],
            "usage": {"prompt_tokens": int(said_in), "completion_tokens": int(said_out)},
            "timings": {"cache_n": int(cached)},
        }:
            path: tuple[int, ...] = ()
            share = 0.0
            for one in drawn:
                if path in listing.ends:  # what comes behind is how llama.cpp ends
                    break
                token, others = int(one["id"]), listing.children[path]
                if token not in others:
                    raise broken(f"it wrote the token {token}, which the list does not allow")
                if len(others) > 1:
                    known = _logs([*one["top_logprobs"], one])
                    share += share_of(known, token, others) if known else nan
                path = (*path, token)
            if path not in listing.ends:
                raise broken(f"it ended within the list: {path}")
            return Written(
                at=listing.ends[path],
                log_share=share,
                tokens_in=said_in,
                tokens_cached=cached,
                tokens_out=said_out,
            )
        case _:
            raise broken(str(reply)[:200])
