"""Ask a server for a file: redirects, tokens, ranges, and what refusals mean.

*Covered*: a token goes to the host it is for and to no other; https never becomes http; redirects are
followed five times; an answer in an encoding that was not asked for is refused.
*Not covered*: a server that is told the truth by its certificate and lies all the same: that is what
digests are for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from assay import PluginError

from .patience import Hitch
from .sources import is_loopback

REDIRECTS = 5
MOST_DIGITS = 20
"""Of a length: what is longer is none, and Python makes no number of it."""

MOST_SAID = 300
AGENT = "assay"
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
MOVED = frozenset({301, 302, 303, 307, 308})


class Body(Protocol):
    """What is read of an answer."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return what has come, ``size`` bytes at most; nothing at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a file is, and what opens the door."""

    url: str
    token: str | None = None
    """For the host of ``url`` alone."""

    where: str
    """As errors name it: no signed address is printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The head of an answer, and its body to be read."""

    status: int
    headers: Message
    body: Body

    @property
    def length(self) -> int | None:
        """Bytes of the body that are announced."""
        said = self.headers.get("Content-Length", "")
        return int(said) if said.isdecimal() and len(said) < MOST_DIGITS else None

    @property
    def etag(self) -> str | None:
        """The tag of these very bytes; None where the server gives none, or a weak one."""
        said = (self.headers.get("ETag") or "").strip()
        return said if said.startswith('"') and len(said) < MOST_SAID else None


class _Stay(HTTPRedirectHandler):
    """Hands redirects over instead of following them."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""


@contextmanager
def asked(address: Address, headers: Mapping[str, str], *, timeout_s: float) -> Iterator[Reply]:
    """Ask for a file, and yield the answer: 200, 206, 304 or 416.

    Raises ``Hitch`` for what may be over later, ``PluginError`` A405 for what will not.
    """
    with _hitched():
        answer = _follow(address, headers, timeout_s)
    try:
        encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise PluginError(
                f"the server sends it packed as {encoding}, which was not asked for",
                where=address.where,
                hint="fetch it by another address, and give it as file:path",
                code="A405",
            )
        status = answer.code if isinstance(answer, HTTPError) else answer.status
        yield Reply(status=status, headers=answer.headers, body=_Reading(answer))
    finally:
        answer.close()


class _Reading:
    """The body of an answer, whose breaks are hitches."""

    def __init__(self, answer: HTTPResponse | HTTPError) -> None:
        self._answer = answer

    def read1(self, size: int = -1, /) -> bytes:
        """Return what has come."""
        with _hitched():
            return self._answer.read1(size)


@contextmanager
def _hitched() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Hitch("nothing came for too long") from None
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise Hitch("nothing came for too long") from None
        why = getattr(error.reason, "strerror", None) or str(error.reason)
        raise Hitch(f"the server cannot be reached: {why}", hint=_REACH, most=3) from None
    except HTTPException as error:
        raise Hitch(f"the connection was cut: {type(error).__name__}") from None
    except OSError as error:
        raise Hitch(f"the connection was cut: {error.strerror or error}") from None


_REACH = "check the address and the network; with --offline only what is in the cache is used"


def _follow(
    address: Address, headers: Mapping[str, str], timeout_s: float
) -> HTTPResponse | HTTPError:
    url, home = address.url, _origin(address.url)
    for _ in range(REDIRECTS + 1):
        request = Request(url, headers={**headers, "Accept-Encoding": "identity"})  # noqa: S310
        request.add_header("User-Agent", AGENT)
        if address.token and _origin(url) == home:
            request.add_unredirected_header("Authorization", f"Bearer {address.token}")
        try:
            answer: HTTPResponse | HTTPError = _opener(url).open(request, timeout=timeout_s)
        except HTTPError as error:
            answer = error
        status = answer.code if isinstance(answer, HTTPError) else answer.status
        if status in (200, 206, 304, 416):
            return answer
        with answer:
            if status not in MOVED:
                raise _refused(address, status, answer.headers, _said(answer))
            url = _next(address, url, answer.headers.get("Location"))
    raise PluginError(
        f"the server sends from address to address, more than {REDIRECTS} times",
        where=address.where,
        hint="open the address in a browser, and give the one where it ends",
        code="A405",
    )


def _opener(url: str) -> OpenerDirector:
    loopback = is_loopback(urlsplit(url).hostname or "")
    return build_opener(_Stay, ProxyHandler({})) if loopback else build_opener(_Stay)


def _next(address: Address, url: str, location: str | None) -> str:
    """Return the address that a redirect names, refusing those that would be less safe."""
    onward = urljoin(url, location or "")
    old, new = urlsplit(url), urlsplit(onward)
    host = new.hostname or ""
    trusted = new.scheme == "https" or (
        new.scheme == "http" and old.scheme == "http" and is_loopback(host)
    )
    if location and host and trusted and onward.isprintable() and " " not in onward:
        return onward
    raise PluginError(
        f"the server sends on to {new.scheme or 'nowhere'}://{host[:100]}, which is not followed",
        where=address.where,
        hint="from https only https is followed; give an address that needs no other",
        code="A405",
    )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _refused(address: Address, status: int, headers: Message, said: str) -> PluginError | Hitch:
    what = f"the server says {status}{': ' if said else ''}{said}"
    if status in BUSY:
        return Hitch(what, wait_s=_retry_after(headers))
    return PluginError(what, where=address.where, hint=hint_of(status), code="A405")


def hint_of(status: int) -> str:
    """Return what to try where a server refuses for good.

    >>> hint_of(404)
    'compare the name of the file with what is there'
    """
    match status:
        case 401:
            return "set HF_TOKEN to a token that may read it (for the Hub); check the name"
        case 403:
            return "ask for access on the page of the model, and set HF_TOKEN to a token that may read it"
        case 404 | 410:
            return "compare the name of the file with what is there"
        case _:
            return "open the address in a browser to see what it says"


def _retry_after(headers: Message) -> float | None:
    said = (headers.get("Retry-After") or "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _said(answer: HTTPResponse | HTTPError) -> str:
    """Return the first words of a refusal, when it is text."""
    told = answer.headers.get("X-Error-Message")
    if not told and "html" not in answer.headers.get("Content-Type", ""):
        with _hitched():
            told = answer.read1(4 * MOST_SAID).decode("utf-8", "replace")
    return " ".join((told or "").split())[:MOST_SAID]
