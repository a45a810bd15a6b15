"""A small server that speaks OpenAI's protocol, and goes wrong as the user message asks."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TypeVar

Served = TypeVar("Served", bound=ThreadingHTTPServer)


def completion(text, **message):
    return {
        "model": "served-1",
        "choices": [
            {
                "index": 0,
                "finish_reason": message.pop("finish", "stop"),
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 4},
            "cost": 0.25,
        },
    }


def echoed(what):
    if what.startswith("cut at "):
        return completion("half an ans", finish="length")
    return completion(f"you said {what}")


def refusal(message, **more):
    return {"error": {"message": message, "type": None, "param": None, "code": None, **more}}


ANSWERS = {
    "key": (401, refusal("Incorrect API key provided", code="invalid_api_key")),
    "forbidden": (403, refusal("Country not supported")),
    "model": (404, refusal("The model `m` does not exist", code="model_not_found")),
    "credit": (429, refusal("You exceeded your quota", code="insufficient_quota")),
    "option": (
        400,
        refusal("Use max_completion_tokens", param="max_tokens", code="unsupported_parameter"),
    ),
    "busy": (429, refusal("Rate limit reached", code="rate_limit_exceeded")),
    "down": (503, refusal("Overloaded")),
    "odd": (400, refusal("I do not like this question")),
    "long": (400, refusal("maximum context length is 10", code="context_length_exceeded")),
    "llama long": (400, refusal("request (9 tokens)", type="exceed_context_size_error")),
    "vllm long": (400, refusal("This model's maximum context length is 4096 tokens.")),
    "large": (413, {"message": "Request entity too large"}),
    "azure": (400, refusal("The response was filtered", code="content_filter")),
    "filter": (200, completion(None, finish="content_filter")),
    "refuse": (200, completion(None, refusal="I cannot help with that.")),
    "cut": (200, completion("half an ans", finish="length")),
    "empty": (200, completion("")),
    "parts": (200, completion([{"type": "text"}])),
    "no choices": (200, {"choices": []}),
    "list": (200, [1, 2]),
    "paid for nothing": (200, {"choices": [], "usage": completion("")["usage"]}),
    "routed": (200, refusal("No endpoints found", code=404)),
    "sent on": (307, {}),
    "think": (200, completion("4", reasoning_content="2 and 2")),
}
"""User message to status and body."""

ODD_PIECES = {
    "a number": 5,
    "a list": [1],
    "choices by name": {"choices": {"index": 0}},
    "choice of text": {"choices": ["hi"]},
    "delta of text": {"choices": [{"delta": "hi"}]},
    "content of numbers": {"choices": [{"delta": {"content": 7}}]},
}
"""Pieces of a stream that are none."""

TOO_MUCH = ("endless", "endless refusal", "endless stream", "bomb", "packed", "odd packing")
"""Replies without end, and replies that are packed."""


class FaultyServer(ThreadingHTTPServer):
    """Counts what it is asked; ``bodies`` are the requests as they came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.at: defaultdict[str, list[float]] = defaultdict(list)
        self.bodies: list[dict] = []
        self.keys: set[str | None] = set()
        self.lock = Lock()
        self.now = self.most = self.sent = 0
        self.elsewhere = ""
        """Where the user message "sent on" is sent."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server
        what = body["messages"][-1]["content"]
        with server.lock:
            server.asked[what] += 1
            server.at[what].append(time.monotonic())
            server.bodies.append(body)
            server.keys.add(self.headers.get("authorization"))
            server.now += 1
            server.most = max(server.most, server.now)
        try:
            if self.path == "/v1/chat/completions":
                self._reply(what, server.asked[what], streamed=body.get("stream", False))
            else:
                self._send(404, b"<html>not here</html>", kind="text/html")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server.lock:
                server.now -= 1

    def _reply(self, what, times, *, streamed):
        match what:
            case "busy once" if times == 1:
                self._send(429, b"{}", retry_after="0.3")
            case "busy for an hour":
                self._send(429, b"{}", retry_after="3600")
            case "down twice" if times <= 2:
                self._send(500, b"oops", kind="text/plain")
            case "hang":
                self.connection.recv(1)  # until the client hangs up
            case "trickle":
                self._trickle()
            case "break off":
                self.send_response(200)
                self.send_header("content-length", "1000")
                self.end_headers()
                self.wfile.write(b'{"choices": [')
                self.close_connection = True
            case "half json" | "html":
                self._send(200, b'{"choices": [' if what == "half json" else b"<html>hello</html>")
            case "at once":
                time.sleep(0.05)  # as long as a model would think
                self._send(200, json.dumps(completion("done")).encode())
            case _ if what in TOO_MUCH:
                self._too_much(what)
            case _ if what in ANSWERS:
                status, said = ANSWERS[what]
                self._send(status, json.dumps(said).encode())
            case _ if streamed:
                self._stream(what)
            case _:
                self._send(200, json.dumps(echoed(what)).encode())

    def _send(self, status, data, *, kind="application/json", retry_after=None, packed=None):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        if retry_after is not None:
            self.send_header("retry-after", retry_after)
        if status == 307:
            self.send_header("location", f"{self.server.elsewhere}/chat/completions")
        if packed is not None:
            self.send_header("content-encoding", packed)
        self.end_headers()
        self.wfile.write(data)

    def _too_much(self, what):
        match what:
            case "bomb":
                self._bomb()
            case "odd packing":
                self._send(200, b"(", packed="br")
            case "packed":
                said = gzip.compress(json.dumps(completion("unpacked")).encode())
                self._send(200, said, packed="gzip")
            case _:
                self._endless(429 if what == "endless refusal" else 200, what.split()[-1])

    def _endless(self, status, what):
        """Send bytes until the client has had enough."""
        self.send_response(status)
        self.send_header("content-type", "text/event-stream" if what == "stream" else "text/json")
        self.send_header("connection", "close")
        self.end_headers()
        event = b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % (b"x" * 9000)
        while True:
            self.server.sent += self.wfile.write(event if what == "stream" else b" " * 65536)

    def _bomb(self):
        """Send a little that unpacks to 128 MB."""
        packer = zlib.compressobj(wbits=31)
        packed = packer.compress(b'{"choices": "')
        for _ in range(128):
            packed += packer.compress(bytes(1 << 20))
        self._send(200, packed + packer.flush(), packed="gzip")

    def _trickle(self):
        """Send a byte now and then: the line is never silent, and never done."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "100000")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            time.sleep(0.02)

    def _stream(self, what):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        if what == "stream error":
            self._event(refusal("too long", type="exceed_context_size_error"))
            return
        self._event(
            {"model": "served-1", "choices": [{"index": 0, "delta": {"role": "assistant"}}]}
        )
        for word in ("you ", "said ", what):
            self._event({"choices": [{"index": 0, "delta": {"content": word}}]})
        if what in ODD_PIECES:
            self.wfile.write(f"data: {json.dumps(ODD_PIECES[what])}\n\n".encode())
        if what == "stream hangs":
            self.connection.recv(1)
        if what == "stream breaks off":
            return
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({"choices": [], "usage": completion("")["usage"]})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, data):
        self.wfile.write(f"data: {json.dumps({'id': 'c', 'object': 'x', **data})}\n\n".encode())
        self.wfile.flush()


def send_json(handler: BaseHTTPRequestHandler, status: int, said: object) -> None:
    """Answer a request with a document."""
    data = json.dumps(said).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


@contextmanager
def serving(server: Served) -> Iterator[Served]:
    """Serve until the block ends."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def faulty_endpoint() -> Iterator[FaultyServer]:
    """Serve until the block ends."""
    with serving(FaultyServer()) as server:
        yield server
