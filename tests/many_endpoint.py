"""A server that speaks OpenAI's protocol to hundreds at once, in a process of its own, and keeps count.

    python many_endpoint.py LATENCY_S SLOW FAULTS SEED GATHER PORT

prints its port.  Of the prompts a share SLOW takes ten times as long.  Nothing is answered before GATHER requests were
under way at once.  ``GET /told`` says what it saw, by its own clock.  A share of the requests goes wrong,
which ones is drawn from SEED, the prompt and how often it was asked: other tries may go well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

FAULTS = ("busy", "down", "half", "cut", "hang up", "html")
"""A wait that is asked for, an error, half a document, half a body, no answer at all, a page."""


def share_of(*named: object) -> float:
    """Return a number in [0, 1) that depends on what is named."""
    return int.from_bytes(blake2b(repr(named).encode(), digest_size=8).digest()) / 2**64


def answer_to(prompt: str) -> str:
    """Return what the model says: nothing but the prompt decides it."""
    return ("good", "bad")[share_of("answer", prompt) < 0.5]


class Serving:
    """What is served, and what was seen of it."""

    def __init__(
        self, latency_s: float, slow: float, faults: float, seed: int, gather: int
    ) -> None:
        self.latency_s, self.slow, self.faults, self.seed = latency_s, slow, faults, seed
        self.gather, self.gathered = gather, asyncio.Event()
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.went_wrong: Counter[str] = Counter()
        self.at: list[float] = []
        self.held: list[tuple[float, float]] = []
        self.now = self.most = 0

    def told(self) -> dict[str, Any]:
        """Return what was seen."""
        names = ("asked", "answered", "went_wrong", "at", "held", "most")
        return {name: getattr(self, name) for name in names}

    def fault_of(self, prompt: str) -> str:
        """Return what goes wrong with this request; empty for nothing."""
        drawn = share_of(self.seed, prompt, self.asked[prompt])
        return FAULTS[int(drawn / self.faults * len(FAULTS))] if drawn < self.faults else ""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("GET"):
            writer.write(_reply(200, json.dumps(self.told()).encode()))
            return True
        length = next(
            int(line.partition(":")[2])
            for line in head.splitlines()
            if line.lower().startswith("content-length:")
        )
        body = json.loads(await reader.readexactly(length))
        prompt = body["messages"][-1]["content"]
        self.at.append(time.monotonic())
        self.asked[prompt] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.now >= self.gather:
                self.gathered.set()
            await self.gathered.wait()
            fault = self.fault_of(prompt)
            if fault:
                self.went_wrong[fault] += 1
                return self._go_wrong(fault, writer)
            await asyncio.sleep(
                self.latency_s * (10 if share_of("slow", prompt) < self.slow else 1)
            )
            writer.write(_reply(200, _completion(prompt)))
            await writer.drain()
            self.answered[prompt] += 1
            return True
        finally:
            self.now -= 1

    def _go_wrong(self, fault: str, writer: asyncio.StreamWriter) -> bool:
        whole = _reply(200, _completion("?"))
        match fault:
            case "busy":
                wait = 0.05
                self.held.append((time.monotonic(), wait))
                writer.write(_reply(429, b"{}", f"retry-after: {wait}\r\n"))
            case "down":
                writer.write(_reply(503, b'{"error": {"message": "overloaded"}}'))
            case "half":
                writer.write(_reply(200, b'{"choices": [{"mess'))
            case "html":
                writer.write(_reply(200, b"<html>sign in first</html>"))
            case "cut":
                writer.write(whole[:-20])
        return fault not in ("cut", "hang up")


def _completion(prompt: str) -> bytes:
    message = {"role": "assistant", "content": answer_to(prompt)}
    return json.dumps(
        {
            "model": "served-1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 1, "cost": 0.001},
        }
    ).encode()


def _reply(status: int, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Many:
    """The server, seen from a test."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"

    def told(self) -> dict[str, Any]:
        """Return what the server has seen so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/told") as came:
            found: dict[str, Any] = json.load(came)
        return found


@contextmanager
def many_endpoint(
    latency_s: float = 0.05,
    *,
    slow: float = 0.0,
    faults: float = 0.0,
    seed: int = 0,
    gather: int = 0,
    port: int = 0,
) -> Iterator[Many]:
    """Serve until the block ends."""
    command = [sys.executable, __file__, *map(str, (latency_s, slow, faults, seed, gather, port))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Many(int(process.stdout.readline()))
        finally:
            process.kill()


async def _serve(serving: Serving, port: int) -> None:
    server = await asyncio.start_server(serving.connected, "127.0.0.1", port, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  (where it is)
    await server.serve_forever()


if __name__ == "__main__":
    latency, slowly, wrong, drawn_from, at_once, at_port = sys.argv[1:]
    made = Serving(float(latency), float(slowly), float(wrong), int(drawn_from), int(at_once))
    asyncio.run(_serve(made, int(at_port)))
