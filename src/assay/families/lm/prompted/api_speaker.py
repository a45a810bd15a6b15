"""A model behind an endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from random import Random
from threading import Thread
from time import perf_counter
from typing import Any, Literal, TypeAlias

from assay import Crash, Failed

from .completion import read_answer, read_refusal
from .pace import PATIENCE_S, Turns, retry_after, wait_before
from .refusal import Again, Refusal, meaning
from .speaker import Draw, Message, Spoken

Limit: TypeAlias = Literal["max_tokens", "max_completion_tokens"]
Transfer: TypeAlias = Literal["whole", "streamed"]

_CONNECT_S = 10.0
"""Seconds for a connection: one that takes longer says nothing about the model."""

_STOPS = 4
"""Texts to stop at that OpenAI takes; what comes behind the others is cut off here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is served, and how it is asked."""

    base_url: str
    model: str
    key: str
    """The key itself; empty for none."""

    transfer: Transfer
    limit: Limit
    retries: int
    per_minute: float | None


class ApiSpeaker:
    """Asks an endpoint, each question by requests of its own, from any thread.

    One request has ``timeout_s`` from its first byte sent to its last byte read, whatever comes in
    between.  A refusal that may pass is tried again; waits count neither as latency nor as the
    model's time.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        openai: Any = import_module("openai")
        self._openai, self._endpoint = openai, endpoint
        self._turns = Turns(endpoint.per_minute)
        client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key
            or "none",  # the client wants one; a server without keys ignores it
            max_retries=0,
            timeout=openai.Timeout(None, connect=_CONNECT_S),
        )
        self._client = client
        self._loop = asyncio.new_event_loop()
        Thread(target=_live, args=(self._loop, client), name="lm.openai", daemon=True).start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        """Answer the last message."""
        return asyncio.run_coroutine_threadsafe(self._say(messages, draw), self._loop).result()

    async def _say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        body = self._body(messages, draw)
        random, waited, tries = Random(draw.seed), 0.0, 0
        while True:
            await self._turns.take()
            found, tries = await self._once(body, draw.timeout_s), tries + 1
            if isinstance(found, Spoken):
                return replace(found, calls=tries)
            wait = wait_before(tries, asked=found.after_s, rng=random)
            waited += wait
            if tries > self._endpoint.retries or waited > PATIENCE_S:
                return Spoken(instead=found.crash, calls=tries)
            await asyncio.sleep(wait)

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
        if self._endpoint.transfer == "streamed":
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body

    async def _once(self, body: dict[str, Any], timeout_s: float) -> Spoken | Again:
        """Send one request; an answer, or what to make of there being none."""
        openai, started, heard = self._openai, perf_counter(), _Heard()
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._ask(body, heard)
        except TimeoutError:
            late = Failed("timeout", f"no whole answer in {timeout_s:g} s")
            found = heard.spoken(instead=late, finish="timeout")
        except openai.APITimeoutError:
            return Again(Crash("connection", f"no connection in {_CONNECT_S:g} s"))
        except openai.APIStatusError as error:
            return self._judged(read_refusal(error.status_code, error.body or error.message), error)
        except openai.APIConnectionError as error:
            why = error.__cause__ or error
            return Again(Crash("connection", f"{type(why).__name__}: {why}"))
        except openai.APIError as error:  # within a stream
            return self._judged(read_refusal(0, error.body or error.message))
        except ValueError as error:
            return Again(Crash("malformed", f"no JSON came: {error}"))
        except self._broken_off() as error:
            return Again(Crash("connection", f"{type(error).__name__}: {error}"))
        if isinstance(found, Refusal):
            return self._judged(found)
        if isinstance(found.instead, Crash):
            return Again(found.instead)
        return replace(found, latency_s=perf_counter() - started, first_token_s=heard.first_s)

    def _broken_off(self) -> tuple[type[Exception], ...]:
        # What the client's own library raises when a body breaks off; the client wraps it for
        # whole replies, and lets it through within streams.
        http: Any = import_module("httpx2")
        return (http.HTTPError,)

    async def _ask(self, body: dict[str, Any], heard: _Heard) -> Spoken | Refusal:
        completions = self._client.chat.completions
        if self._endpoint.transfer == "whole":
            raw = await completions.with_raw_response.create(**body)
            return read_answer(json.loads(raw.content))
        async with await completions.create(**body) as stream:
            async for piece in stream:
                heard.take(piece.model_dump(exclude_unset=True))
        return read_answer(heard.whole())

    def _judged(self, refusal: Refusal, error: Any = None) -> Spoken | Again:
        url, model = f"{self._endpoint.base_url}/chat/completions", self._endpoint.model
        found = meaning(refusal, where=url, model=model)
        if not isinstance(found, Again):
            return Spoken(instead=found)
        headers = error.response.headers if error is not None else {}
        asked = retry_after(headers.get("retry-after"), datetime.now(UTC))
        return Again(found.crash, asked)


class _Heard:
    """What came of a stream so far."""

    def __init__(self) -> None:
        self.started = perf_counter()
        self.first_s: float | None = None
        self.text: list[str] = []
        self.refused: list[str] = []
        self.last: dict[str, Any] = {}
        self.finish = ""

    def take(self, piece: dict[str, Any]) -> None:
        self.last |= {name: value for name, value in piece.items() if value}
        for choice in (piece.get("choices") or [])[:1]:
            delta = choice.get("delta") or {}
            self.finish = choice.get("finish_reason") or self.finish
            if delta.get("content"):
                if self.first_s is None:
                    self.first_s = perf_counter() - self.started
                self.text.append(delta["content"])
            if delta.get("refusal"):
                self.refused.append(delta["refusal"])

    def whole(self) -> dict[str, Any]:
        """Return the stream as one reply; one that broke off before its end is none."""
        if not self.finish:
            return {"broke off": self.last}
        message = {"content": "".join(self.text), "refusal": "".join(self.refused)}
        return self.last | {"choices": [{"message": message, "finish_reason": self.finish}]}

    def spoken(self, *, instead: Failed, finish: str) -> Spoken:
        return Spoken(text="".join(self.text), finish=finish, instead=instead)


def _live(loop: asyncio.AbstractEventLoop, client: Any) -> None:
    """Serve requests until the speaker is gone."""
    asyncio.set_event_loop(loop)
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(client.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
