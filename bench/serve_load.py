"""How many requests `assay intent serve` answers in a second, and how long each waits.

Starts the service on a free port, asks it prompts of the test of intent.defi over one kept
connection for each client, and prints a row for each number of clients.  Clients are threads of
this process and share the machine with the service: what is measured is both together.

    python bench/serve_load.py [--mapper DIR] [--clients 1,4,16] [--seconds 5]
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_CLIENTS, MOST_SECONDS = 16, 20.0
"""Of one measurement: all rows together."""

MOST_PROMPTS = 500
"""Asked in turns: kinds of requests take turns too, so that any stretch has some of each."""

STARTS_S = 300.0
"""How long the service may take to listen; the first start trains the DeFi mapper."""

ANSWERS_S = 30.0


@dataclass(slots=True)
class Heard:
    """What the clients of one row heard."""

    waited_s: list[float] = field(default_factory=list)
    """Seconds of each request that was answered."""

    refused: int = 0
    """Status 503: too many were waiting."""

    failed: int = 0
    """Any other status, and connections that broke."""


def main() -> None:
    """Measure, and print a table."""
    asked = _asked()
    prompts = _prompts()
    seconds = min(asked.seconds, MOST_SECONDS / len(asked.clients))
    with _service(asked.mapper) as (host, port):
        _load(host, port, prompts, clients=1, seconds=0.5)  # the first requests open everything
        rows = [(n, _load(host, port, prompts, clients=n, seconds=seconds)) for n in asked.clients]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs,", end=" ")
    print(f"load {os.getloadavg()[0]:.1f}; {seconds:g} s a row; {len(prompts)} prompts in turns\n")
    print("| clients | requests/s | p50 ms | p95 ms | p99 ms | 503 | failed | requests |")
    print("|---|---|---|---|---|---|---|---|")
    for n, (heard, took_s) in rows:
        total = len(heard.waited_s) + heard.refused + heard.failed
        ms = [_quantile(heard.waited_s, q) for q in (0.50, 0.95, 0.99)]
        shares = [f"{n_of / total:.1%}" if total else "-" for n_of in (heard.refused, heard.failed)]
        rate = f"{len(heard.waited_s) / took_s:,.0f}"
        print(f"| {n} | {rate} | {' | '.join(ms)} | {' | '.join(shares)} | {total:,} |")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mapper", help="a folder; without it the DeFi mapper")
    parser.add_argument("--clients", default="1,4,16", help="with commas, each 1 to 16")
    parser.add_argument("--seconds", type=float, default=5.0, help="a row; 20 for all at most")
    asked = parser.parse_args()
    asked.clients = [int(part) for part in asked.clients.split(",")]
    if not all(1 <= n <= MOST_CLIENTS for n in asked.clients) or not asked.seconds > 0:
        parser.error(f"clients are 1 to {MOST_CLIENTS}, seconds more than 0")
    return asked


def _prompts() -> list[str]:
    from assay import load_tasks

    test = load_tasks("intent.defi")["intent.defi"].samples("test")
    return [str(sample.input) for sample in test[:MOST_PROMPTS]]


@contextmanager
def _service(mapper: str | None) -> Iterator[tuple[str, int]]:
    """Start the service, yield the host and port that it names, and interrupt it."""
    command = [sys.executable, "-m", "assay", "intent", "serve", "--port", "0"]
    command += ["--mapper", mapper] if mapper else []
    child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    watch = threading.Timer(STARTS_S, child.kill)
    watch.start()
    try:
        yield _listens(child)
    finally:
        watch.cancel()
        child.send_signal(signal.SIGINT)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()


def _listens(child: subprocess.Popen[str]) -> tuple[str, int]:
    heard = []
    for line in child.stderr or ():
        heard.append(line)
        if found := re.search(r"listening on http://(.+):(\d+) ", line):
            return found[1], int(found[2])
    raise SystemExit(f"the service did not start:\n{''.join(heard)}")


def _load(
    host: str, port: int, prompts: Sequence[str], *, clients: int, seconds: float
) -> tuple[Heard, float]:
    """Let so many clients ask one request after the other, and return what they heard."""
    heard = [Heard() for _ in range(clients)]
    start = time.perf_counter()

    def client(place: int) -> None:
        turn = place * len(prompts) // clients
        line = http.client.HTTPConnection(host, port, timeout=ANSWERS_S)
        while time.perf_counter() - start < seconds:
            _ask(line, prompts[turn % len(prompts)], heard[place])
            turn += 1
        line.close()

    threads = [threading.Thread(target=client, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - start
    whole = Heard(refused=sum(h.refused for h in heard), failed=sum(h.failed for h in heard))
    whole.waited_s = [waited for h in heard for waited in h.waited_s]
    return whole, took_s


def _ask(line: http.client.HTTPConnection, prompt: str, heard: Heard) -> None:
    body = json.dumps({"prompt": prompt})
    start = time.perf_counter()
    try:
        line.request("POST", "/ask", body, {"Content-Type": "application/json"})
        answer = line.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        heard.failed += 1
        line.close()
        return
    match answer.status:
        case 200:
            heard.waited_s.append(time.perf_counter() - start)
        case 503:
            heard.refused += 1
        case _:
            heard.failed += 1


def _quantile(seconds: Sequence[float], share: float) -> str:
    """Return milliseconds; a quantile that fewer than ten requests lie beyond is not shown."""
    if len(seconds) * (1 - share) < 10:
        return "-"
    return f"{1000 * sorted(seconds)[math.ceil(share * len(seconds)) - 1]:.1f}"


if __name__ == "__main__":
    main()
