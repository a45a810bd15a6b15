"""What an endpoint's client sends through: several pools of connections, and replies that end.

*Covered*: a body that grows without end, plain or packed, a bomb among them; it costs ``MOST_BYTES`` of memory.  Hundreds
of connections: a pool of httpcore looks at all of its connections for each request, so there are several small
ones.  *Not covered*: heads without end, beyond the limits of h11.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any, Self

MOST_BYTES = 32 << 20
"""Bytes of one reply, unpacked: more than a prompt of 100,000 tokens that comes back with its probabilities."""

_POOL = 4
"""Connections in one pool."""

_PIECE = 1 << 20
_PACKED = {"", "identity"}, {"gzip", "x-gzip", "deflate"}
_HEADS_OF_PACKED = ("content-encoding", "content-length")


class TooLarge(ValueError):  # noqa: N818  (a fact about a reply, not an error of ours)
    """A reply has more bytes than any answer."""


def make_client(openai: Any, *, parallel: int) -> Any:
    """Return the HTTP client of an endpoint that is asked ``parallel`` questions at a time."""
    http: Any = import_module("httpx2")
    # A question goes to the address that the plan names, and to no other one.
    return openai.DefaultAsyncHttpxClient(transport=_Pools(http, parallel), follow_redirects=False)


class _Pools:
    """A transport: each request goes through the pool with the fewest requests."""

    def __init__(self, http: Any, parallel: int) -> None:
        pools = max(1, -(-parallel // _POOL))
        each = -(-parallel // pools)
        limits = http.Limits(max_connections=each, max_keepalive_connections=each)
        self._http = http
        self._pools: list[Any] = [http.AsyncHTTPTransport(limits=limits) for _ in range(pools)]
        self._busy = [0] * pools
        # A class of the library that is imported late: it cannot be named in a class statement.
        self._stream: Any = type("Bounded", (_Bounded, http.AsyncByteStream), {})

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request; its reply is unpacked while it is read, and bounded."""
        at = self._busy.index(min(self._busy))
        self._busy[at] += 1
        request.headers["accept-encoding"] = "gzip, deflate"
        try:
            response = await self._pools[at].handle_async_request(request)
        except BaseException:
            self._busy[at] -= 1
            raise
        packed = response.headers.get("content-encoding", "").strip().lower()
        stream = self._stream(response.stream, packed, self._http, lambda: self._over(at))
        kept = [
            (name, value)
            for name, value in response.headers.multi_items()
            if not packed or name.lower() not in _HEADS_OF_PACKED
        ]
        return self._http.Response(
            response.status_code, headers=kept, stream=stream, extensions=response.extensions
        )

    def _over(self, at: int) -> None:
        self._busy[at] -= 1

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools:
            await pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Bounded:
    """The bytes of one reply."""

    def __init__(self, stream: Any, packed: str, http: Any, over: Any) -> None:
        self._stream, self._packed, self._http, self._over = stream, packed, http, over
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        plain, known = _PACKED
        if self._packed not in plain | known:
            raise self._http.DecodingError(
                f"it is packed by {self._packed[:40]!r}, and nobody asked for that"
            )
        size = 0
        async for piece in self._pieces():
            size += len(piece)
            if size > MOST_BYTES:
                raise TooLarge(f"more than {MOST_BYTES:,} bytes")
            yield piece

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self._packed in _PACKED[0]:
            async for piece in self._stream:
                yield piece
            return
        unpacker = zlib.decompressobj(wbits=47)  # either head
        try:
            async for packed in self._stream:
                rest = packed
                while rest:
                    yield unpacker.decompress(rest, _PIECE)
                    rest = unpacker.unconsumed_tail
            yield unpacker.flush()
        except zlib.error as error:
            raise self._http.DecodingError(f"it cannot be unpacked: {error}") from error

    async def aclose(self) -> None:
        """Give the connection back."""
        if not self._closed:
            self._closed = True
            self._over()
            await self._stream.aclose()
