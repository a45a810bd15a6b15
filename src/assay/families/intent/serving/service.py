"""A small HTTP service around a handler of requests: ask, batch, health, OpenAPI.

*Covered*: bounded bodies with every key once, batches and waiting (503 with Retry-After when full), requests answered
together, errors as the command line has them.  It keeps nothing between requests and logs no prompt.
*Not covered*: who may ask, encryption, more than one machine: put a proxy before it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from assay import AssayError

from ..extras import extra
from ..grammar.slots import MOST_CHARACTERS
from ..rails import Context, Policy, read_context, read_policy
from .body import EveryKeyOnce
from .handling import Handled, Handler, Said

MOST_BODY = 2_000_000
"""Bytes of a request."""

MOST_PROMPTS = 256
"""Prompts of one batch."""

TOGETHER = 64
"""Prompts that the mapper is asked at once."""

RETRY_S = 1


Text: TypeAlias = Annotated[str, Field(max_length=MOST_BODY)]
"""No prompt is longer than its body; a text with a limit is also held to be Unicode, as any answer must be."""


class Ask(BaseModel):
    """One request, with what there is to judge it by."""

    model_config = ConfigDict(extra="forbid")
    prompt: str = Field(max_length=MOST_CHARACTERS)
    context: dict[str, Any] | None = None
    policy: dict[str, Any] | None = None


class Batch(BaseModel):
    """Several requests, each handled for itself on the same facts."""

    model_config = ConfigDict(extra="forbid")
    prompts: list[Text] = Field(min_length=1, max_length=MOST_PROMPTS)
    context: dict[str, Any] | None = None
    policy: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What is served, for whoever asks after its health."""

    mapper: str
    """Digest of the head."""

    encoder: str
    domain: str


@dataclass(slots=True)
class Desk:
    """Requests that wait, and the one thread that answers them, several at a time."""

    handler: Handler
    waiting: int
    """Prompts that may wait; more are turned away."""

    held: int = 0
    queue: asyncio.Queue[tuple[str, asyncio.Future[Said]]] = field(default_factory=asyncio.Queue)
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def is_full(self, more: int) -> bool:
        """Whether so many more would have to wait too long."""
        return self.held + more > self.waiting

    async def ask(
        self, prompts: list[str], context: Context | None, policy: Policy | None
    ) -> list[Handled]:
        """Wait for the mapper's word on each prompt, then go on from it."""
        self.held += len(prompts)
        try:
            loop = asyncio.get_running_loop()
            futures = [loop.create_future() for _ in prompts]
            for prompt, future in zip(prompts, futures, strict=True):
                self.queue.put_nowait((prompt, future))
            said = await asyncio.gather(*futures)

            def finish() -> list[Handled]:
                return [
                    self.handler.handle_said(prompt, one, context=context, policy=policy)
                    for prompt, one in zip(prompts, said, strict=True)
                ]

            return await loop.run_in_executor(self.thread, finish)
        finally:
            self.held -= len(prompts)

    async def work(self) -> None:
        """Answer what waits, the prompts of several requests together, until cancelled."""
        while True:
            taken = [await self.queue.get()]
            while len(taken) < TOGETHER and not self.queue.empty():
                taken.append(self.queue.get_nowait())
            said = await self._said([prompt for prompt, _ in taken])
            for (_, future), one in zip(taken, said, strict=True):
                if future.done():  # somebody hung up
                    continue
                if isinstance(one, Exception):
                    future.set_exception(one)
                else:
                    future.set_result(one)

    async def _said(self, prompts: list[str]) -> list[Said | Exception]:
        """Ask the mapper; a prompt that it falls over is that prompt's fault, and no other's."""
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self.thread, self.handler.say, prompts)
        await asyncio.wait([asked])
        error = asked.exception()  # whatever it is, the next request is answered
        if not isinstance(error, Exception):
            return list(asked.result())
        if len(prompts) == 1:
            return [error]
        return [one for prompt in prompts for one in await self._said([prompt])]


@dataclass(frozen=True, slots=True)
class Service:
    """The routes; docstrings of the methods are what OpenAPI says of them."""

    desk: Desk
    identity: Identity

    async def health(self) -> dict[str, Any]:
        """Say whether it answers, what it is, and how many prompts wait."""
        return {
            "status": "ok",
            "mapper": self.identity.mapper,
            "encoder": self.identity.encoder,
            "domain": self.identity.domain,
            "waiting": self.desk.held,
            "most_waiting": self.desk.waiting,
        }

    async def ask(self, asked: Ask) -> Any:
        """Handle one request."""
        return (await self._handle([asked.prompt], asked))[0]

    async def batch(self, asked: Batch) -> Any:
        """Handle several requests, each for itself."""
        return {"handled": await self._handle(asked.prompts, asked)}

    async def _handle(self, prompts: list[str], asked: Ask | Batch) -> list[dict[str, Any]]:
        context = None if asked.context is None else read_context(asked.context)
        policy = None if asked.policy is None else read_policy(asked.policy)
        if self.desk.is_full(len(prompts)):
            raise Full(self.desk.held)
        start = time.perf_counter()
        found = await self.desk.ask(prompts, context, policy)
        milliseconds = round(1000 * (time.perf_counter() - start), 3)
        return [{**one.facts, "milliseconds": milliseconds} for one in found]


class Full(Exception):  # noqa: N818  (it is an answer: come back later)
    """Too many prompts wait."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """Turn away what is too long, before it is read."""

    app: Any
    respond: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on what is short enough."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"")
        if not length.isdigit():
            what, hint = "the request says no length", "send a Content-Length header"
            said, status = _error("A200", what, "content-length", hint), 411
        elif int(length) > MOST_BODY:
            what, hint = f"the request has more than {MOST_BODY:,} bytes", "ask for less at once"
            said, status = _error("A200", what, "content-length", hint), 413
        else:
            await self.app(scope, receive, send)
            return
        await self.respond(said, status_code=status)(scope, receive, send)


def make_app(handler: Handler, identity: Identity, *, waiting: int = 256) -> Any:
    """Return the ASGI application.  Raises ``PluginError`` A401 without the extra ``serve``."""
    fastapi = extra("fastapi")
    respond = extra("fastapi.responses").JSONResponse
    desk = Desk(handler=handler, waiting=waiting)

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        worker = asyncio.create_task(desk.work())
        yield
        worker.cancel()
        desk.thread.shutdown(wait=False, cancel_futures=True)

    async def refused(_request: Any, error: AssayError) -> Any:
        said = _error(error.code, error.what, error.where, error.hint)
        return respond(said, status_code=422 if error.exit_code == 2 else 500)

    async def misread(_request: Any, error: Any) -> Any:
        return respond(_error("A200", *told(error.errors()[0])), status_code=422)

    async def elsewhere(request: Any, error: Any) -> Any:
        where = f"{request.method} {request.url.path}"
        said = _error("A200", str(error.detail).lower(), where, "see /docs or /openapi.json")
        return respond(said, status_code=error.status_code, headers=error.headers)

    async def full(_request: Any, error: Full) -> Any:
        what = f"{error.args[0]} prompts are waiting"
        said = _error("A502", what, "the service", f"ask again in {RETRY_S} s")
        return respond(said, status_code=503, headers={"Retry-After": str(RETRY_S)})

    app = fastapi.FastAPI(
        title="assay intent",
        description="What a request asks for, what rails say, what it would do.",
        version="1",
        lifespan=lifespan,
    )

    def twice(key: str) -> Any:
        what = f"the key {key[:40]!r} stands twice"
        said = _error("A200", what, "the body", "give every key once")
        return respond(said, status_code=422)

    app.add_middleware(EveryKeyOnce, refuse=twice)
    app.add_middleware(Bounded, respond=respond)  # the outermost: nothing long is read
    app.add_exception_handler(AssayError, refused)
    app.add_exception_handler(extra("fastapi.exceptions").RequestValidationError, misread)
    app.add_exception_handler(extra("starlette.exceptions").HTTPException, elsewhere)
    app.add_exception_handler(Full, full)
    service = Service(desk, identity)
    app.add_api_route("/health", service.health, methods=["GET"])
    app.add_api_route("/ask", service.ask, methods=["POST"])
    app.add_api_route("/batch", service.batch, methods=["POST"])
    return app


def told(first: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what is wrong, where and what to try, of what pydantic says of a body.

    >>> told({"type": "missing", "loc": ("body",), "msg": "Field required"})[0]
    'the body is empty'
    """
    where = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "json_invalid":
        why = str(first.get("ctx", {}).get("error", "")).lower()
        return f"not JSON: {why}", f"character {where} of the body", "send one JSON object"
    if not where:
        empty = first["type"] == "missing"
        return (
            "the body is empty" if empty else "the body is no JSON object",
            "the body",
            'send {"prompt": ...}, with the header content-type: application/json',
        )
    if first["type"] == "missing":
        return "the key is missing", where, "add the key; see /docs or /openapi.json"
    if first["type"] == "extra_forbidden":
        return "there is no such key", where, "see /docs or /openapi.json for its name"
    return first["msg"].lower(), where, "see /docs or /openapi.json"


def _error(code: str, what: str, where: str = "", hint: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "what": what, "where": where, "hint": hint}}
