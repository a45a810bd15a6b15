"""For tests that run plans on a Ray cluster: start one, find its processes, kill some of them."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

HOST = Path(__file__).parent / "ray_nodes.py"

STORE_BYTES = 80 * 2**20

TRIES = 4
"""Ray gives a head 30 seconds to start, which a busy machine does not always have."""

PATIENCE_S = 1500
"""Until something is taken for hung: a machine with forty times its load needs ten minutes for seconds."""

CHILD = """
import sys
from pathlib import Path
from assay.engine.engines import engine_of
from assay.engine.execute import execute
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve

class Notes:
    def begin(self, phase, totals): print("begin", phase, sum(totals.values()), flush=True)
    def advance(self, system, replies): pass
    def note(self, text): print("note", text, flush=True)

plan, out, engine, per_task, *overrides = sys.argv[1:]
execute(
    resolve(load_plan(plan, tuple(overrides))),
    out=Path(out),
    engine=engine_of(engine, per_task=int(per_task)),
    teller=Notes(),
)
"""


@dataclass
class Nodes:
    """A cluster that is up."""

    host: subprocess.Popen[str]
    environment: dict[str, str]
    raylets: list[int] = field(default_factory=list)

    def tell(self, words: str) -> str:
        """Give a command to the host of the nodes; return its answer."""
        assert self.host.stdin is not None
        assert self.host.stdout is not None
        print(words, file=self.host.stdin, flush=True)
        return self.host.stdout.readline().strip()

    def kill_node(self, number: int) -> None:
        """End a node at once, with whatever works there."""
        assert self.tell(f"kill {number}") == "killed"

    def add_node(self, cpus: str) -> None:
        """Add a node."""
        self.raylets.append(int(self.tell(f"add {cpus}")))

    def start(
        self,
        plan: Path,
        out: Path,
        *overrides: str,
        per_task: int = 100,
        engine: str = "ray://auto",
    ) -> subprocess.Popen[str]:
        """Run a plan on the cluster, in a process that may be killed."""
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(plan), str(out), engine, str(per_task), *overrides],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            cwd=out.parent,
        )

    def run(
        self,
        plan: Path,
        out: Path,
        *overrides: str,
        per_task: int = 100,
        engine: str = "ray://auto",
    ) -> str:
        """Run a plan on the cluster to its seal; return what was said."""
        child = self.start(plan, out, *overrides, per_task=per_task, engine=engine)
        said, _ = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 0, said
        return said

    def busy(self) -> list[int]:
        """Return the processes that answer parts of a run now."""
        found = []
        for raylet in self.raylets:
            for child in children(raylet):
                with contextlib.suppress(OSError):
                    name = Path(f"/proc/{child}/cmdline").read_bytes()
                    if name.startswith(b"ray::assay"):
                        found.append(child)
        return found


@contextmanager
def ray_nodes(*cpus: str) -> Iterator[Nodes]:
    """Hold a cluster with a node for each number of CPUs."""
    environment = {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    host = subprocess.Popen(
        [sys.executable, str(HOST), *cpus],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        assert host.stdout is not None
        address = host.stdout.readline().strip()
        assert address, "the cluster did not start"
        nodes = Nodes(host, environment | {"RAY_ADDRESS": address})
        nodes.raylets = [int(host.stdout.readline()) for _ in cpus]
        yield nodes
    finally:
        assert host.stdin is not None
        host.stdin.close()
        try:
            host.wait(60)
        finally:
            host.kill()
            assert host.stdout is not None
            host.stdout.close()
            host.wait()


@contextmanager
def client_server(cpus: int) -> Iterator[tuple[Nodes, str]]:
    """Hold a cluster that was started by ``ray start``, and the address of its client server."""
    environment = {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    for left in reversed(range(TRIES)):
        with TemporaryDirectory(prefix="ray-") as folder:  # sockets there have short names
            port = free_port()
            with head_of(Path(folder), port, cpus, environment) as host:
                wait_for(lambda: answers_at(port) or host.poll() is not None)  # noqa: B023
                if host.poll() is None:
                    yield Nodes(host, environment), f"127.0.0.1:{port}"
                    return
                assert left, (Path(folder) / "start.log").read_text()


@contextmanager
def head_of(
    folder: Path, port: int, cpus: int, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Hold the process that starts a head, and ends it with everything that it started."""
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    ports = ["--port=0", f"--ray-client-server-port={port}", "--node-ip-address=127.0.0.1"]
    small = [f"--num-cpus={cpus}", f"--object-store-memory={STORE_BYTES}"]
    with (folder / "start.log").open("wb") as said:
        host = subprocess.Popen(
            [*ray, *ports, *small, "--include-dashboard=false", f"--temp-dir={folder}"],
            stdout=said,
            stderr=said,
            text=True,
            env=environment,
            start_new_session=True,
        )
    try:
        yield host
    finally:
        host.terminate()
        try:
            host.wait(300)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(host.pid, signal.SIGKILL)
            host.wait()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers_at(port: int) -> bool:
    """Whether somebody listens at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def children(process: int) -> list[int]:
    """Return the children of a process."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
    except OSError:
        return []
    found = []
    for task in tasks:
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


@contextmanager
def killing(nodes: Nodes, run: Path, *, every_s: float, seed: int) -> Iterator[list[int]]:
    """Kill a process that answers every few seconds while the block runs; yield who was killed.

    Somebody has answered since the last kill: on a slow machine nobody else would ever come to an end.
    """
    over, killed, draw = threading.Event(), [], random.Random(seed)

    def kill() -> None:
        before = 0
        while not over.wait(every_s):
            now = answers(run)
            if now > before and (victims := nodes.busy()):
                before = now
                victim = draw.choice(victims)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def answers(run: Path) -> int:
    """Return the bytes of answers that a run holds by now, in journals and in shards."""
    found = 0
    for path in [*run.glob("records/*/*/*.jsonl"), *run.glob("cache/shards/*/*/*/*.jsonl")]:
        with contextlib.suppress(OSError):
            found += path.stat().st_size
    return found


def wait_for(happened: object, *, within: float = PATIENCE_S) -> None:
    """Wait until something is so; what it waits for is another process."""
    end = time.monotonic() + within
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
