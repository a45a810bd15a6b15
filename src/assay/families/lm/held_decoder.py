"""A model of transformers in memory, asked which token comes next, or which text of a list.

The reply to a question never depends on what was asked before or with it: the beginning that all prompts share is
computed once, and every question by itself behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from .likelihood.branching import path_of
from .likelihood.lending import Layers, Lending
from .likelihood.sharing import Group
from .likelihood.tokens import require_known
from .likelihood.torch_scorer import TorchScorer
from .likelihood.words import before_text
from .listing import Listing, share_of
from .llama import TOP, NextToken, Written
from .server import TooLong


class HeldDecoder:
    """A causal model of transformers with one prompt's beginning held in memory.

    ``context`` tokens fit, at most what the model was made for.
    """

    def __init__(self, tokenizer: Any, model: Any, *, context: int) -> None:
        self._tokenizer, self._lending = tokenizer, Lending(model)
        self._torch = self._lending.torch
        most = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self.context = min(context, int(most or context))
        self._known = int(model.get_input_embeddings().weight.shape[0])
        # A model that takes no lent keys is given every prompt whole.
        self._lends = TorchScorer(model).trees
        self._held: tuple[int, ...] = ()
        self._layers: Layers = []

    @property
    def held(self) -> list[int]:
        """The tokens that every prompt begins with."""
        return list(self._held)

    @property
    def bos(self) -> int | None:
        """The token before every text, where the model has one."""
        found = self._tokenizer.bos_token_id
        return None if found is None else int(found)

    def text(self, text: str) -> list[int]:
        """Return the tokens of ``text``; the spelling of a special token is ordinary text."""
        return self._tokens(text, split_special_tokens=True)

    def markup(self, text: str) -> list[int]:
        """Return the tokens of text, special tokens parsed."""
        return self._tokens(text, split_special_tokens=False)

    def opening(self) -> list[int]:
        """Return the tokens that the model wants before any prompt (its BOS, or nothing)."""
        return before_text(self._tokenizer, {self._tokenizer.eos_token_id})

    def hold(self, shared: Sequence[int]) -> None:
        """Compute the tokens that every later prompt begins with, and keep them.

        Raises ``TooLong`` when they leave no room for a question.
        """
        if len(shared) + 2 > self.context:
            raise TooLong
        self._held = tuple(shared)
        edge = self._held if self._lends else ()
        self._layers = self._lending.extended([], Group(edge, len(edge))) if edge else []

    def next_token(self, rest: Sequence[int]) -> NextToken:
        """Return what follows the held tokens and ``rest`` (at least one token).  Raises ``TooLong``."""
        logs, _ = self._after(rest, 1)
        values, tokens = logs.topk(min(TOP, len(logs)))
        pairs = zip(tokens.tolist(), values.tolist(), strict=True)
        return NextToken(
            logprobs={token: log for token, log in pairs if not isnan(log)},
            tokens_in=len(self._held) + len(rest),
            tokens_cached=self._cached,
            tokens_out=1,
        )

    def write(self, rest: Sequence[int], listing: Listing) -> Written:
        """Return which text of a list follows the held tokens and ``rest`` (at least one token).

        The likeliest token each time, of those that the list allows.  Where it allows one only, nothing is
        computed.  Raises ``TooLong``.
        """
        logs, cache = self._after(rest, listing.depth)
        path: tuple[int, ...] = ()
        share, done = 0.0, 0
        while path not in listing.ends:
            others = listing.children[path]
            if len(others) > 1:
                if done < len(path):
                    logs, done = self._on(cache, rest, path, done), len(path)
                known = {token: float(logs[token]) for token in others}
                token = max(others, key=lambda one: known[one])
                share += share_of(known, token, others)
            else:
                (token,) = others
            path = (*path, token)
        return Written(
            at=listing.ends[path],
            log_share=share,
            tokens_in=len(self._held) + len(rest),
            tokens_cached=self._cached,
            tokens_out=len(path),
        )

    @property
    def _cached(self) -> int:
        return len(self._held) if self._layers else 0

    def _tokens(self, text: str, *, split_special_tokens: bool) -> list[int]:
        plain = text.encode("utf-8", "replace").decode()
        found = self._tokenizer(
            plain, add_special_tokens=False, split_special_tokens=split_special_tokens
        )["input_ids"]
        require_known(found, self._known)
        return [int(token) for token in found]

    def _after(self, rest: Sequence[int], more: int) -> tuple[Any, Any]:
        """Return the log-probabilities of all next tokens, and the cache behind which they stand."""
        if len(self._held) + len(rest) + more > self.context:
            raise TooLong
        asked = tuple(rest) if self._layers else (*self._held, *rest)
        cache = self._lending.lent(self._layers, 1)
        return self._computed(cache, asked, self._cached), cache

    def _on(self, cache: Any, rest: Sequence[int], path: tuple[int, ...], done: int) -> Any:
        """Return the same behind the tokens of a path, of which ``done`` are computed."""
        if not self._lends:
            whole = (*self._held, *rest, *path)
            return self._computed(self._lending.lent([], 1), whole, 0)
        return self._computed(cache, path[done:], len(self._held) + len(rest) + done)

    def _computed(self, cache: Any, tokens: tuple[int, ...], before: int) -> Any:
        torch, lending = self._torch, self._lending
        given: dict[str, Any] = {}
        if self._lends:
            places = torch.arange(before, before + len(tokens), device=lending.device)
            given = {
                "attention_mask": lending.mask([path_of(tokens, before)], before),
                "position_ids": places[None],
                "past_key_values": cache,
                "use_cache": True,
            }
        with torch.inference_mode():
            asked = torch.tensor([tokens], device=lending.device)
            predicted = lending.model(asked, **given).logits[0, -1]
            lending.computed += len(tokens)
            return predicted.float().log_softmax(-1).cpu()
