"""A server on loopback with the shape of the Hub, and with every fault that a network has.

What a fault does is arranged before it happens and by number, never by time: ``server.faults["/path"]`` is
a list that requests for that path take from, first come first served.  A fault that waits does so on an
event of the test's.
"""

from __future__ import annotations

import json
import re
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

OTHER = "127.0.0.2"
LARGE = 10_000
"""Files of at least so many bytes are kept apart, as git lfs does, and served from another port."""


@dataclass
class Fault:
    """What happens instead of a plain answer."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    said: bytes = b"no"
    cut_after: int | None = None
    """Bytes of the body; then the connection is cut."""

    flip: int | None = None
    """The byte of the file that is sent wrong."""

    length: int | None = None
    """What Content-Length says, whatever is sent."""

    data: bytes | None = None
    """Sent instead of the file."""

    drip: int | None = None
    """Bytes at a time, each after ``gate`` was set or ``ticks`` was called."""

    hold_at: int | None = None
    """Bytes of the body; then ``reached`` is set, and nothing comes before ``gate`` is."""

    reached: Event = field(default_factory=Event)
    gate: Event = field(default_factory=Event)
    no_ranges: bool = False
    no_conditions: bool = False
    """Whether If-Range is not looked at."""

    etag: str | None = None
    chunked: bool = False
    location: str | None = None


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    port: int
    sent: int = 0
    """Bytes of a body."""

    query: str = ""


def git_oid(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Repo:
    """Commits of files, and names for commits."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.refs: dict[str, str] = {}
        self.gated = False
        self.licence = "apache-2.0"

    def commit(self, files: dict[str, bytes], ref: str = "main") -> str:
        text = json.dumps({name: sha256(data).hexdigest() for name, data in files.items()})
        commit = sha1(text.encode()).hexdigest()
        self.commits[commit], self.refs[ref] = dict(files), commit
        return commit

    def resolve(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.refs.get(revision)


class HubServer:
    """The Hub and, on another port, the store of its large files; also plain files under ``/files``."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = defaultdict(Repo)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault | None]] = defaultdict(list)
        self.asked: list[Asked] = []
        self.token: str | None = None
        self.lock = Lock()
        self._servers = [_Server(self, "127.0.0.1"), _Server(self, OTHER)]
        self._threads = [
            Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            for each in self._servers
        ]
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def store(self) -> str:
        """Of another host, which is this machine, too."""
        return f"http://{OTHER}:{self._servers[1].server_port}"

    def paths(self, part: str = "") -> list[str]:
        """Return the paths that were asked for, in order."""
        with self.lock:
            return [each.path for each in self.asked if part in each.path]

    def requests(self, part: str) -> list[Asked]:
        with self.lock:
            return [each for each in self.asked if part in each.path]

    def fail(self, path: str, *faults: Fault | None) -> None:
        """Let the next requests whose path ends so meet these faults; None is no fault."""
        self.faults[path].extend(faults)

    def close(self) -> None:
        for faults in self.faults.values():
            for fault in faults:
                if fault is not None:
                    fault.gate.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, hub: HubServer, host: str) -> None:
        self.hub = hub
        super().__init__((host, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, parts = self.server.hub, urlsplit(self.path)
        path = unquote(parts.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.server.server_port
        self.asks = Asked(self.command, path, headers, port, query=parts.query)
        with hub.lock:
            hub.asked.append(self.asks)
            waiting = next((q for end, q in hub.faults.items() if q and path.endswith(end)), [])
            fault = (waiting.pop(0) if waiting else None) or Fault()
        try:
            if fault.location is not None:
                self._answer(302, b"", {"Location": fault.location})
            elif fault.status is not None:
                self._answer(fault.status, fault.said, fault.headers)
            elif found := re.fullmatch(r"/api/models/(.+?)(?:/revision/(.+))?", path):
                self._info(found[1], found[2] or "main", fault)
            elif found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", path):
                self._resolve(found[1], found[2], found[3], fault)
            elif path.startswith("/store/"):
                self._stored(path.removeprefix("/store/"), fault)
            elif path in hub.files:
                data = hub.files[path]
                self._file(data, f'"{sha256(data).hexdigest()[:32]}"', fault)
            else:
                self._refuse(404, "EntryNotFound", "not here")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _may(self) -> bool:
        token = self.server.hub.token
        return token is None or self.headers.get("Authorization") == f"Bearer {token}"

    def _find(self, name: str, revision: str) -> tuple[Repo, str] | None:
        repo = self.server.hub.repos.get(name)
        if repo is None or (not self._may() and not repo.gated):
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif repo.gated and not self._may():
            self._refuse(403, "GatedRepo", "Access to this model is restricted.")
        elif (commit := repo.resolve(revision)) is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return repo, commit
        return None

    def _info(self, name: str, revision: str, fault: Fault) -> None:
        found = self._find(name, revision)
        if found is None:
            return
        repo, commit = found
        siblings = []
        for file, data in repo.commits[commit].items():
            sibling = {"rfilename": file, "size": len(data), "blobId": git_oid(data)}
            if len(data) >= LARGE:
                digest = sha256(data).hexdigest()
                sibling["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
                sibling["blobId"] = git_oid(digest.encode())
            siblings.append(sibling)
        info = {
            "id": name, "sha": commit, "private": False, "tags": [], "siblings": siblings,
            "cardData": {"license": repo.licence}, "downloads": 0, "likes": 0,
        }  # fmt: skip
        data = json.dumps(info).encode() if fault.data is None else fault.data
        self._answer(200, data, {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, file: str, fault: Fault) -> None:
        found = self._find(name, revision)
        if found is None:
            return
        repo, commit = found
        data = repo.commits[commit].get(file)
        if data is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
        elif len(data) >= LARGE:
            digest = sha256(data).hexdigest()
            headers = {
                "Location": f"{self.server.hub.store}/store/{digest}?Signature=secret",
                "X-Linked-Size": str(len(data)),
                "X-Linked-Etag": f'"{digest}"',
                "X-Repo-Commit": commit,
            }
            self._answer(302, b"", headers)
        else:
            self._file(data, f'"{git_oid(data)}"', fault, {"X-Repo-Commit": commit})

    def _stored(self, digest: str, fault: Fault) -> None:
        for repo in self.server.hub.repos.values():
            for files in repo.commits.values():
                for data in files.values():
                    if sha256(data).hexdigest() == digest:
                        self._file(data, f'"s3-{digest[:16]}"', fault)
                        return
        self._refuse(404, "EntryNotFound", "not in the store")

    def _file(
        self, data: bytes, etag: str, fault: Fault, headers: dict[str, str] | None = None
    ) -> None:
        if fault.data is not None:
            data = fault.data
        if fault.flip is not None:
            data = bytearray(data)
            data[fault.flip] ^= 1
        etag = etag if fault.etag is None else fault.etag
        said = {**(headers or {}), **({"ETag": etag} if etag else {}), **fault.headers}
        if etag and self.headers.get("If-None-Match") == etag:
            self._answer(304, b"", said)
            return
        start, status = 0, 200
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fits = fault.no_conditions or self.headers.get("If-Range", etag) == etag
        if wanted and fits and not fault.no_ranges:
            start = int(wanted[1])
            if start >= len(data):
                self._answer(416, b"", {**said, "Content-Range": f"bytes */{len(data)}"})
                return
            status = 206
            said["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._answer(status, bytes(data[start:]), said, fault)

    def _answer(
        self, status: int, data: bytes, headers: dict[str, str], fault: Fault | None = None
    ) -> None:
        fault = fault or Fault()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if fault.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif status != 304:
            length = len(data) if fault.length is None else fault.length
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self._body(data, fault)

    def _body(self, data: bytes, fault: Fault) -> None:
        ends = [len(data)]
        if fault.drip is not None:
            ends = [*range(fault.drip, len(data), fault.drip), len(data)]
        if fault.hold_at is not None:
            ends = [fault.hold_at, len(data)]
        if fault.cut_after is not None:
            ends = [fault.cut_after]
        start = 0
        for end in ends:
            piece = data[start:end]
            if fault.chunked and piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            else:
                self.wfile.write(piece)
            self.wfile.flush()
            self.asks.sent += len(piece)
            start = end
            if end == fault.hold_at:
                fault.reached.set()
                fault.gate.wait(60)
        if fault.cut_after is not None or (fault.length or 0) > len(data):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.chunked:
            self.wfile.write(b"0\r\n\r\n")
        if fault.length is not None:
            self.close_connection = True

    def _refuse(self, status: int, code: str, said: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": said}
        self._answer(status, json.dumps({"error": said}).encode(), headers)


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """Serve until the block ends."""
    server = HubServer()
    try:
        yield server
    finally:
        server.close()
