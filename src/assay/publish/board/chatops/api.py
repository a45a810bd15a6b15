"""The API of GitHub: the few calls that a board needs.

Covered: a token that leaves for another host, a redirect that is followed with it, an answer without
end or of another shape, a call that never returns, plain HTTP to anything but this machine.
Not covered: what GitHub itself says; its answers are believed.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from ....core.errors import PlanError, RunError
from .recorded import parse

SECONDS = 20.0
"""For one step of a call: to connect, to be sent, to answer."""

PATIENCE = 120.0
"""For a whole answer, however slowly it drips."""

ANSWER = 16 << 20
"""Bytes of a JSON answer."""

PAGE = 100
PIECE = 1 << 16

Kind = TypeVar("Kind")


class UnansweredError(RunError):
    """The API did not do what it was asked: ``status`` is HTTP's, None where nothing came back."""

    default = "A405"

    def __init__(self, what: str, *, status: int | None, where: str, hint: str) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return (_unanswered, (self.what, self.status, self.where, self.hint))


def _unanswered(what: str, status: int | None, where: str, hint: str) -> UnansweredError:
    return UnansweredError(what, status=status, where=where, hint=hint)


def require_base(base: str) -> str:
    """Return the base of an API's addresses; raise ``PlanError`` A106 unless it is https.

    Plain http is for tests on this very machine.

    >>> require_base("https://api.github.com/")
    'https://api.github.com'
    >>> require_base("http://api.github.com")
    Traceback (most recent call last):
    assay.core.errors.PlanError: A106 'http://api.github.com' is no address of an API
      at: GITHUB_API_URL
      try: give an https address; http is for this very machine only
    """
    parts = urlsplit(base)
    plain = parts.scheme == "http" and is_here(parts.hostname)
    if not (parts.hostname and (plain or parts.scheme == "https")) or parts.username:
        raise PlanError(
            f"{base!r} is no address of an API",
            where="GITHUB_API_URL",
            hint="give an https address; http is for this very machine only",
            code="A106",
        )
    return base.rstrip("/")


def is_here(host: str | None) -> bool:
    """Whether a host is this machine, by its number: a name may lead elsewhere.

    >>> is_here("a.name"), is_here(str(ipaddress.IPv4Address(0x7F000001)))
    (False, True)
    """
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One repository, as the API shows it.  The token is in no representation and no message."""

    base: str
    repository: str
    token: str | None = field(default=None, repr=False)
    seconds: float = SECONDS

    def get(self, path: str, kind: type[Kind], **query: str | int) -> Kind:
        """Return what stands at a path below the repository.

        Raises ``UnansweredError`` A405 for every status but 200, and for silence; ``DataError`` A200 for an
        answer of another shape.
        """
        asked = f"?{urlencode(query)}" if query else ""
        where = self._at(path) + asked
        return parse(kind, self._call("GET", where, None), where=where)

    def pages(
        self, path: str, kind: type[Kind], *, most: int = 10, **query: str | int
    ) -> list[Kind]:
        """Return a list that comes in pages of a hundred.

        Raises ``UnansweredError`` where it does not end within ``most`` pages: half of it would decide wrongly.
        """
        found: list[Kind] = []
        for number in range(1, most + 1):
            page: list[Kind] = self.get(
                path,
                list[kind],  # type: ignore[valid-type]
                per_page=PAGE,
                page=number,
                **query,
            )
            found += page
            if len(page) < PAGE:
                return found
        raise UnansweredError(
            f"the list is longer than {most * PAGE} entries",
            status=None,
            where=self._at(path),
            hint="try again when it is shorter",
        )

    def send(self, method: str, path: str, body: Mapping[str, Any], kind: type[Kind]) -> Kind:
        """Send a document to a path, and return the answer; raises as ``get``."""
        where = self._at(path)
        return parse(kind, self._call(method, where, json.dumps(body).encode()), where=where)

    def download(self, path: str, *, most: int) -> bytes:
        """Return the bytes behind a path, following one redirect without the token.

        Raises ``UnansweredError`` as ``get``, and for more than ``most`` bytes.
        """
        where = self._at(path)
        with _opened(self, "GET", where, None, token=self.token) as (answer, deadline):
            if answer.status == 200:
                return _read(answer, where, most=most, deadline=deadline)
            if answer.status not in (301, 302, 303, 307, 308):
                raise _refused(answer, where)
            there = answer.getheader("Location") or ""
        parts = urlsplit(there)
        if parts.scheme != "https" and not (
            parts.scheme == "http" and is_here(parts.hostname) and self._is_here
        ):
            raise UnansweredError(
                "the file is said to be where it may not be fetched from",
                status=302,
                where=where,
                hint="say the command again",
            )
        # The address holds a signature that lets anybody fetch the file: it is in no message.
        with _opened(self, "GET", there, None, token=None) as (answer, deadline):
            if answer.status != 200:
                raise _refused(answer, where)
            return _read(answer, where, most=most, deadline=deadline)

    @property
    def _is_here(self) -> bool:
        return is_here(urlsplit(self.base).hostname)

    def _at(self, path: str) -> str:
        return f"{self.base}/repos/{self.repository}{quote(path)}"

    def _call(self, method: str, where: str, body: bytes | None) -> bytes:
        with _opened(self, method, where, body, token=self.token) as (answer, deadline):
            if answer.status not in (200, 201):
                raise _refused(answer, where)
            return _read(answer, where, most=ANSWER, deadline=deadline)


@contextmanager
def _opened(
    api: Api, method: str, where: str, body: bytes | None, *, token: str | None
) -> Iterator[tuple[HTTPResponse, float]]:
    """Yield an answer that has begun, and until when it must have ended.

    What the network says comes out as ``UnansweredError``.
    """
    parts = urlsplit(where)
    host, port = parts.hostname or "", parts.port
    link: HTTPConnection
    if parts.scheme == "https":
        trust = ssl.create_default_context()
        link = HTTPSConnection(host, port, timeout=api.seconds, context=trust)
    else:
        link = HTTPConnection(host, port, timeout=api.seconds)
    headers = {
        "Accept": "application/vnd.github+json",
        "User-Agent": "assay-board",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        link.request(method, path, body=body, headers=headers)
        yield link.getresponse(), time.monotonic() + PATIENCE
    except (OSError, HTTPException) as error:
        raise UnansweredError(
            f"the API did not answer: {type(error).__name__}",
            status=None,
            where=where.partition("?")[0] if token else "a file that GitHub keeps",
            hint="try again in some minutes",
        ) from None
    finally:
        link.close()


def _read(answer: HTTPResponse, where: str, *, most: int, deadline: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read1(PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > most or time.monotonic() > deadline:
            what = f"more than {most:,} bytes" if size > most else "an answer without end"
            raise UnansweredError(
                f"the API sent {what}", status=200, where=where, hint="say the command again"
            )
    if answer.length:  # the connection broke off: http.client counts down what is still to come
        raise UnansweredError(
            "the answer broke off", status=200, where=where, hint="try again in some minutes"
        )
    return b"".join(pieces)


def _refused(answer: HTTPResponse, where: str) -> UnansweredError:
    spent = answer.getheader("X-RateLimit-Remaining") == "0" or answer.getheader("Retry-After")
    if answer.status in (403, 429) and spent:
        what, hint = "the API's own rate limit is spent", "try again in an hour"
    elif answer.status in (401, 403):
        what = f"the token may not do this (HTTP {answer.status})"
        hint = "look at the permissions of the job in .github/workflows"
    else:
        what, hint = f"the API answered HTTP {answer.status}", "try again in some minutes"
    return UnansweredError(what, status=answer.status, where=where.partition("?")[0], hint=hint)
