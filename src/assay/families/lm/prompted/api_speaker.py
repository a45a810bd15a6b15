"""A model behind an endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from random import Random
from time import perf_counter
from typing import Any

from assay import Crash, Failed, Usage

from ..likelihood.by_text import WeighsTexts
from .api_line import ApiLine, Endpoint, Said, Tried, added
from .api_scorer import ApiScorer
from .completion import read_answer
from .refusal import Again, Refusal, meaning
from .speaker import Draw, Message, Spoken
from .streamed import Heard, chunk_of

_LETTERS = 4
"""Of a token, about."""

_STOPS = 4
"""Texts to stop at that OpenAI takes; what comes behind the others is cut off here."""


class ApiSpeaker:
    """Asks an endpoint, each question by requests of its own, from any thread.

    One request has ``timeout_s`` from its first byte sent to its last byte read, whatever comes in
    between.  A refusal that may pass is tried again; waits count neither as latency nor as the
    model's time.  ``timeout_s`` is for questions about likelihoods: the others bring theirs.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_s: float = 30.0,
        line: ApiLine | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self._endpoint, self._timeout_s = endpoint, timeout_s
        self._line = line or ApiLine(endpoint)
        self._more = dict(more or {})

    def with_more(self, more: Mapping[str, Any]) -> ApiSpeaker:
        """Return the same speaker, on the same line, whose requests have these members, too."""
        return ApiSpeaker(
            self._endpoint,
            timeout_s=self._timeout_s,
            line=self._line,
            more=more,
        )

    @property
    def weighs(self) -> WeighsTexts:
        """What it takes to say how likely texts are; whether the endpoint can, its first reply shows."""
        scorer = ApiScorer(self._line, self._endpoint, timeout_s=self._timeout_s)
        return WeighsTexts(scorer=scorer, parallel=self._endpoint.parallel)

    def say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        """Answer the last message."""
        return self._line.wait(self._say(messages, draw))

    def say_each(
        self, asked: Sequence[tuple[Sequence[Message], Draw]]
    ) -> Iterator[tuple[int, Spoken]]:
        """Answer several last messages as they are answered, ``parallel`` at a time whoever else asks."""
        at = {self._line.begin(self._say(*one)): place for place, one in enumerate(asked)}
        try:
            for done in as_completed(list(at)):
                yield at.pop(done), done.result()
        finally:
            for left in at:
                left.cancel()

    async def _say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        body = self._body(messages, draw)

        async def send() -> Spoken | Refusal | Again:
            return await self._once(body, draw.timeout_s)

        tokens = _most_tokens(messages, draw)
        tried: Tried[Spoken] = await self._line.tried(
            send, self._meaning, Random(draw.seed), tokens=tokens
        )
        found, spent = tried.found, tried.spent
        spoken = found if isinstance(found, Spoken) else Spoken(instead=found)
        self._line.settle(tokens, _spent(spoken))
        return replace(
            spoken,
            calls=tried.tries,
            tokens_in=added(spoken.tokens_in, spent.tokens_in),
            tokens_cached=added(spoken.tokens_cached, spent.tokens_cached),
            tokens_out=added(spoken.tokens_out, spent.tokens_out),
            billed_usd=added(spoken.billed_usd, spent.billed_usd),
        )

    def _body(self, messages: Sequence[Message], draw: Draw) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [{"role": m.role, "content": m.text} for m in messages],
            "temperature": draw.temperature,
            self._endpoint.limit: draw.max_tokens,
        }
        if draw.temperature > 0:
            body["seed"] = draw.seed
        if draw.stop:
            body["stop"] = list(draw.stop[:_STOPS])
        if self._more:
            body["extra_body"] = self._more
        if self._endpoint.transfer == "streamed":
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body

    async def _once(self, body: dict[str, Any], timeout_s: float) -> Spoken | Refusal | Again:
        started, heard = perf_counter(), Heard()
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._ask(body, heard)
        except TimeoutError:
            late = Failed("timeout", f"no whole answer in {timeout_s:g} s")
            found = heard.spoken(instead=late, finish="timeout")
            found = replace(found, text=self._line.hide(found.text))
        if isinstance(found, Refusal):
            return found
        if isinstance(found.instead, Crash):
            return Again(found.instead, spent=_spent(found))
        return replace(found, latency_s=perf_counter() - started, first_token_s=heard.first_s)

    async def _ask(self, body: dict[str, Any], heard: Heard) -> Spoken | Refusal:
        completions = self._line.client.chat.completions
        if self._endpoint.transfer == "whole":
            raw = await completions.with_raw_response.create(**body)
            return read_answer(json.loads(self._line.hide(raw.content)))
        async with await completions.create(**body) as stream:
            async for piece in stream:
                heard.take(chunk_of(piece))
        return read_answer(json.loads(self._line.hide(json.dumps(heard.whole()))))

    def _meaning(self, refusal: Refusal) -> Again | Said:
        url = f"{self._endpoint.base_url}/chat/completions"
        return meaning(refusal, where=url, model=self._endpoint.model)


def _most_tokens(messages: Sequence[Message], draw: Draw) -> float:
    """Return what a request counts for until its answer says more: as OpenAI counts it, by its letters."""
    return sum(len(m.text) for m in messages) / _LETTERS + draw.max_tokens


def _spent(spoken: Spoken) -> Usage:
    return Usage(
        tokens_in=spoken.tokens_in,
        tokens_cached=spoken.tokens_cached,
        tokens_out=spoken.tokens_out,
        billed_usd=spoken.billed_usd,
    )
