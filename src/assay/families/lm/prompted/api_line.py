"""A line to an endpoint: requests in turn, tried again after a refusal that may pass."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from random import Random
from threading import Thread
from typing import Any, AnyStr, Generic, Literal, TypeAlias, TypeVar

from assay import Bottom, Crash, Failed, Usage

from .completion import read_refusal
from .pace import PATIENCE_S, Turns, retry_after, wait_before
from .refusal import Again, Refusal
from .sockets import TooLarge, make_client

Limit: TypeAlias = Literal["max_tokens", "max_completion_tokens"]
Transfer: TypeAlias = Literal["whole", "streamed"]
Said: TypeAlias = "Bottom | Failed | Crash"
T = TypeVar("T")
N = TypeVar("N", int, float)

_CONNECT_S = 10.0
"""Seconds for a connection: one that takes longer says nothing about the model."""

_LEAST_SECRET = 8
"""Letters of a key that is worth hiding: ``none`` and ``EMPTY`` are words that models say."""


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
    tokens_per_minute: float | None
    parallel: int
    """Requests in flight."""


@dataclass(frozen=True, slots=True)
class Tried(Generic[T]):
    """What a request came to, after how many tries, and what the others of them took as far as it is known."""

    found: T | Said
    tries: int
    spent: Usage


Judge: TypeAlias = Callable[[Refusal], "Again | Bottom | Failed | Crash"]


class ApiLine:
    """Sends requests from a thread of its own, for any thread.

    Waits for another try count neither as latency nor as the model's time.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        openai: Any = import_module("openai")
        self._openai, self._endpoint = openai, endpoint
        self._turns = Turns(endpoint.per_minute, endpoint.tokens_per_minute)
        self._slots = asyncio.Semaphore(endpoint.parallel)
        self.client: Any = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key
            or "none",  # the client wants one; a server without keys ignores it
            http_client=make_client(openai, parallel=endpoint.parallel),
            max_retries=0,
            timeout=openai.Timeout(None, connect=_CONNECT_S),
        )
        self._loop = asyncio.new_event_loop()
        Thread(target=_live, args=(self._loop, self.client), name="lm.openai", daemon=True).start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine comes to on the line's own loop."""
        return self.begin(coroutine).result()

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the line's own loop; return what it will come to."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def hide(self, text: AnyStr) -> AnyStr:
        """Return what an endpoint sent without our key, which some say back: records are shown around."""
        key = self._endpoint.key
        if len(key) < _LEAST_SECRET:
            return text
        if isinstance(text, bytes):
            return text.replace(key.encode(), b"[the key]")
        return text.replace(key, "[the key]")

    async def tried(
        self,
        send: Callable[[], Awaitable[T | Said | Refusal | Again]],
        judge: Judge,
        random: Random,
        *,
        tokens: float = 0.0,
    ) -> Tried[T]:
        """Send a request until it is answered for good.

        ``tokens`` is what one try takes, at most; ``settle`` says what it did take.
        """
        waited, tries, spent = 0.0, 0, Usage()
        while True:
            async with self._slots:
                await self._turns.take(tokens)
                found = await self._once(send, judge)
            tries += 1
            if not isinstance(found, Again):
                return Tried(found, tries, spent)
            if found.spent is not None:
                self.settle(tokens, found.spent)
                spent = _sum(spent, found.spent)
            wait = wait_before(tries, asked=found.after_s, rng=random)
            waited += wait
            if tries > self._endpoint.retries or waited > PATIENCE_S:
                return Tried(found.crash, tries, spent)
            if found.after_s is not None:
                self._turns.hold(found.after_s)
            await asyncio.sleep(wait)

    def settle(self, tokens: float, spent: Usage) -> None:
        """Give back what a request had and did not take, as far as the endpoint says that."""
        if spent.tokens_in is not None and spent.tokens_out is not None:
            self._turns.give_back(tokens - spent.tokens_in - spent.tokens_out)

    async def _once(
        self, send: Callable[[], Awaitable[T | Said | Refusal | Again]], judge: Judge
    ) -> T | Again | Said:
        """Send one request; an answer, or what to make of there being none."""
        openai = self._openai
        try:
            found = await send()
        except TooLarge as large:
            return Failed("too_large", f"the reply has {large}")
        except openai.APITimeoutError:
            return Again(Crash("connection", f"no connection in {_CONNECT_S:g} s"))
        except openai.APIStatusError as error:
            heads = error.response.headers
            refusal = read_refusal(error.status_code, error.body or error.message)
            if refusal.sends_on:
                refusal = replace(refusal, message=f"to {heads.get('location', 'nowhere')}")
            return _judged(self._hidden(refusal), judge, heads)
        except openai.APIConnectionError as error:
            why = error.__cause__ or error
            if isinstance(why, TooLarge):
                return Failed("too_large", f"the reply has {why}")
            return Again(Crash("connection", self.hide(f"{type(why).__name__}: {why}")))
        except openai.APIError as error:  # within a stream
            return _judged(self._hidden(read_refusal(0, error.body or error.message)), judge)
        except ValueError as error:
            return Again(Crash("malformed", f"no reply that can be read: {error}"))
        except _broken_off() as error:
            return Again(Crash("connection", self.hide(f"{type(error).__name__}: {error}")))
        return _judged(found, judge) if isinstance(found, Refusal) else found

    def _hidden(self, refusal: Refusal) -> Refusal:
        names = ("code", "kind", "param", "message")
        return replace(refusal, **{name: self.hide(getattr(refusal, name)) for name in names})


def _sum(one: Usage, other: Usage) -> Usage:
    names = ("tokens_in", "tokens_cached", "tokens_out", "billed_usd")
    return Usage(**{name: added(getattr(one, name), getattr(other, name)) for name in names})


def added(one: N | None, other: N | None) -> N | None:
    """Return a sum of what is known; None where nothing is.

    >>> added(1, None), added(None, None), added(1, 2)
    (1, None, 3)
    """
    return other if one is None else one if other is None else one + other


def _judged(refusal: Refusal, judge: Judge, headers: Any = None) -> Again | Said:
    found = judge(refusal)
    if not isinstance(found, Again):
        return found
    asked = retry_after((headers or {}).get("retry-after"), datetime.now(UTC))
    return Again(found.crash, asked)


def _broken_off() -> tuple[type[Exception], ...]:
    # What the client's own library raises when a body breaks off; the client wraps it for
    # whole replies, and lets it through within streams.
    http: Any = import_module("httpx2")
    return (http.HTTPError,)


def _live(loop: asyncio.AbstractEventLoop, client: Any) -> None:
    """Serve requests until the line is gone."""
    asyncio.set_event_loop(loop)
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(client.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
