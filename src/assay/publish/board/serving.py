"""Show a built site on this machine alone: a reader of files that answers nothing else.

*Covered*: other machines, other methods than GET and HEAD, names that leave the folder, links, hidden files, listings,
pages of other origins that ask by a name of their own.  *Not covered*: other users of this machine, who can read it.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ...core.errors import PlanError, RunError
from ..served import ADDRESS, headers_under

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = headers_under(POLICY)
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_LONGEST = 512


def make_server(site: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of a built site on the loopback address, not started; port 0 takes a free one.

    Raises ``PlanError`` A106 where there is no page, ``RunError`` A500 where the port is taken.
    """
    if not (site / "index.html").is_file():
        raise PlanError(
            "there is no page here: it has no index.html",
            where=str(site),
            hint="build it first: assay board build",
            code="A106",
        )

    class Reader(_Reader):
        root = site.resolve()

    try:
        return ThreadingHTTPServer((ADDRESS, port), Reader)
    except OSError as error:
        raise RunError(
            f"cannot listen: {error.strerror or error}",
            where=f"{ADDRESS}:{port}",
            hint="give another port: assay board serve --port 8001",
        ) from error


def found_file(root: Path, asked: str) -> Path | None:
    """Return the file of a page that a request names; None for everything else.

    >>> found_file(Path("/nowhere"), "/../etc/passwd") is None
    True
    """
    path = asked.partition("?")[0].partition("#")[0]
    if len(path) > _LONGEST or not path.startswith("/"):
        return None
    names = unquote(path).removeprefix("/").split("/") if path != "/" else ["index.html"]
    if not all(_NAME.fullmatch(name) for name in names):
        return None
    found = root
    for name in names:
        found = found / name
        if found.is_symlink():
            return None
    return found if found.suffix in TYPES and found.is_file() else None


class _Reader(BaseHTTPRequestHandler):
    root: Path
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with what is said of a file."""
        self._answer()

    def version_string(self) -> str:
        """Say nothing of what is installed."""
        return "assay"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a status and no text of anybody."""
        self.close_connection = True
        self.send_response(code)
        self._end(0, "text/plain; charset=utf-8")

    def _answer(self) -> None:
        # A page elsewhere may point a name of its own at this machine, and then says that name here.
        if self.headers.get("Host", "").partition(":")[0] != ADDRESS:
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        path = found_file(self.root, self.path)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        data = path.read_bytes()
        self.send_response(HTTPStatus.OK)
        self._end(len(data), TYPES[path.suffix])
        if self.command == "GET":
            self.wfile.write(data)

    def _end(self, length: int, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
