"""The likelihood of texts by an endpoint that sends a prompt back with the log-probabilities of its tokens.

Two ways are known: ``echo`` with ``logprobs``, and ``prompt_logprobs``, an extension of vLLM.  *Covered*: an endpoint
that knows neither stops the run; no number is made up.  Tokens are told apart as
lm-evaluation-harness does: a continuation is what stands behind as many tokens as its context has alone.
*Not covered*: the endpoint computes as it likes; what it had in its cache may move low bits.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any, Literal, TypeAlias

from assay import Crash, Failed, PlanError, Usage

from ..likelihood.asked import Pair
from ..likelihood.by_text import Weighed
from ..likelihood.scores import Likelihood
from ..likelihood.tokens import parted, require_one_opening
from .api_line import ApiLine, Endpoint, Said, Tried
from .completion import Echo, read_echo
from .prompt_logprobs import read_prompt_logprobs
from .refusal import Again, Refusal, is_too_long, meaning

Way: TypeAlias = Literal["echo", "prompt_logprobs"]
Split: TypeAlias = tuple[Likelihood, tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(slots=True)
class _Spent:
    """What the requests about one question took."""

    latency_s: float = 0.0
    calls: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    billed_usd: float = 0.0

    def add(self, echo: Echo, tries: int) -> None:
        """Count an answer with the tries before it."""
        self.latency_s += echo.latency_s
        self.calls += tries
        self.tokens_in += len(echo.tokens)
        self.tokens_cached += echo.cached or 0
        self.billed_usd += echo.billed_usd or 0.0


_WAYS: dict[Way, dict[str, Any]] = {
    "echo": {"echo": True, "logprobs": 1, "max_tokens": 0},
    "prompt_logprobs": {
        "max_tokens": 1,  # vLLM wants to write something
        "extra_body": {"prompt_logprobs": 1, "return_token_ids": True},
    },
}
"""What is asked for, beside the text."""

_LETTERS = 4
"""Of a token, about."""

_ABOUT = ("echo", "logprobs", "max_tokens", "return_token_ids")


class _Unsaid(Exception):  # noqa: N818  (a fact about the endpoint, not an error of ours)
    """The endpoint does not take a way of asking."""


class ApiScorer:
    """Asks ``/completions`` for the log-probabilities of texts, one after the other.

    The first way that the endpoint takes is kept to.  Raises ``PlanError`` A104 where it takes none.
    """

    def __init__(self, line: ApiLine, endpoint: Endpoint, *, timeout_s: float) -> None:
        self._line, self._endpoint, self._timeout_s = line, endpoint, timeout_s
        self._url = f"{endpoint.base_url}/completions"
        self._left = list(_WAYS)
        self._why: list[str] = []

    def weigh(self, pairs: Sequence[Pair]) -> Weighed | Said:
        """Return how likely each text is after what stands before it."""
        return self._line.wait(self._weigh(pairs))

    async def _weigh(self, pairs: Sequence[Pair]) -> Weighed | Said:
        spent, before = _Spent(), dict[str, Echo]()
        found: list[Split] = []
        for pair in pairs:
            context, continuation = parted(*pair)
            if context and context not in before:
                alone = await self._echo(context, spent)
                if not isinstance(alone, Echo):
                    return alone
                before[context] = alone
            whole = await self._echo(context + continuation, spent)
            if not isinstance(whole, Echo):
                return whole
            start = len(before[context].tokens) if context else whole.opening
            if not 0 < start < len(whole.tokens):
                return Failed(
                    "no_prompt", "the continuation has no token of its own, or none before it"
                )
            found.append(_parted(whole, start))
        return Weighed(
            likelihoods=tuple(one for one, _ in found),
            tokens=tuple(tokens for _, tokens in found),
            usage=Usage(
                latency_s=spent.latency_s,
                tokens_in=spent.tokens_in,
                tokens_cached=spent.tokens_cached or None,
                tokens_out=0,
                calls=spent.calls,
                billed_usd=spent.billed_usd or None,
            ),
            shown={"asked_by": self._left[0]},
        )

    async def _echo(self, text: str, spent: _Spent) -> Echo | Said:
        while True:
            way = self._left[0]

            async def send(way: Way = way) -> Echo | Said | Refusal | Again:
                return await self._once(text, way)

            try:
                # Waits differ from text to text, so that what was refused together does not come back together.
                tokens = len(text) / _LETTERS + 1
                came: Tried[Echo] = await self._line.tried(
                    send, self._meaning, Random(text), tokens=tokens
                )
            except _Unsaid as unsaid:
                spent.calls += 1
                self._leave(way, str(unsaid))
                continue
            if isinstance(came.found, Echo):
                spent.add(came.found, came.tries)
                took = Usage(tokens_in=len(came.found.tokens), tokens_out=0)
                self._line.settle(tokens, took)
            return came.found

    def _leave(self, way: Way, why: str) -> None:
        """Go on to the next way, unless another question has; raise where there is none."""
        if self._left[0] != way:
            return
        self._why.append(f"asked by {way}, {why}")
        if len(self._left) == 1:
            raise PlanError(
                f"the endpoint does not say how likely texts are: {'; '.join(self._why)}",
                where=self._url,
                hint="ask by lm.gguf or lm.transformers, or an endpoint whose completions take echo and logprobs "
                "together, or prompt_logprobs (vLLM); tasks that are answered in words go with this one",
                code="A104",
            )
        del self._left[0]

    async def _once(self, text: str, way: Way) -> Echo | Refusal | Again | Failed:
        started = perf_counter()
        body = {"model": self._endpoint.model, "prompt": text, "temperature": 0, **_WAYS[way]}
        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await self._line.client.completions.with_raw_response.create(**body)
        except TimeoutError:
            return Failed("timeout", f"no whole answer in {self._timeout_s:g} s")
        read = read_echo if way == "echo" else read_prompt_logprobs
        found = read(json.loads(self._line.hide(raw.content)), text)
        if found is None:
            raise _Unsaid("it sends no log-probabilities of a prompt")
        if isinstance(found, Crash):
            return Again(found)
        if isinstance(found, Echo):
            found = found.after(perf_counter() - started)
            _require_one_opening(found, text)
        return found

    def _meaning(self, refusal: Refusal) -> Again | Said:
        words = refusal.words
        about = any(word in f"{refusal.param} {words}" for word in _ABOUT) and not is_too_long(
            refusal
        )
        if refusal.status in (405, 501) or (refusal.status in (400, 422) and about):
            raise _Unsaid(words)
        if refusal.status == 404 and "chat model" in words:  # OpenAI's models of today
            raise _Unsaid(words)
        return meaning(refusal, where=self._url, model=self._endpoint.model)


def _require_one_opening(echo: Echo, text: str) -> None:
    """Raise ``PlanError`` where the text spells the BOS that the endpoint adds."""
    first = echo.tokens[:2]
    if len(first) == 2 and first[0] == first[1] and first[0] and text.startswith(first[0]):
        spelt = 2 if text.startswith(first[0] * 2) else 1
        require_one_opening([0] * (3 - spelt), 0)


def _parted(echo: Echo, start: int) -> Split:
    taken = range(start, len(echo.tokens))
    total = sum(echo.logs[k] for k in taken)
    greedy = all(echo.logs[k] >= echo.best[k] for k in taken)
    return (
        Likelihood(total, greedy, len(taken)),
        (echo.tokens[:start], echo.tokens[start:]),
    )
