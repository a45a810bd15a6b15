"""What is turned away before any page is made, and what every answer says of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from ..served import ADDRESS, headers_under

POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = headers_under(POLICY)
LONGEST = 2048
"""Characters of an address; a page of ours needs a tenth of it."""

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Guard:
    """Pass on what asks this server, by its own name, for a page; everything else gets a status.

    Who asks by another name of this machine is told the one to use; nothing that was asked is said again.
    """

    app: Application
    port: int

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer or pass on."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        refused = self._refused(scope, headers)
        if refused is not None:
            said = ""
            if refused is HTTPStatus.MISDIRECTED_REQUEST and scope["method"] != "HEAD":
                said = f"This server answers at http://{ADDRESS}:{self.port}/ alone: open that address.\n"
            await _status(send, refused, said.encode())
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_ours(message.get("headers", ()))
            await send(message)

        await self.app(scope, receive, told)

    def _refused(self, scope: Message, headers: Mapping[bytes, bytes]) -> HTTPStatus | None:
        # A page elsewhere may point a name of its own at this machine, and then says that name here.
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if hosts != [f"{ADDRESS}:{self.port}".encode()]:
            return HTTPStatus.MISDIRECTED_REQUEST
        if scope["method"] not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED
        # A link on another site may lead here; nothing else of another site may.
        site, mode = headers.get(b"sec-fetch-site"), headers.get(b"sec-fetch-mode")
        if site in (b"cross-site", b"same-site") and mode != b"navigate":
            return HTTPStatus.FORBIDDEN
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        return None


def _with_ours(headers: Any) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers and ours; a page may have a policy of its own."""
    there = {name.lower() for name, _ in headers}
    ours = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    return [*headers, *(pair for pair in ours if pair[0] not in there)]


async def _status(send: Send, status: HTTPStatus, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    if body:
        headers.append((b"content-type", b"text/plain; charset=utf-8"))
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET, HEAD"))
    await send(
        {
            "type": "http.response.start",
            "status": int(status),
            "headers": _with_ours(headers),
        }
    )
    await send({"type": "http.response.body", "body": body})
