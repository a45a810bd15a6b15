"""Show a folder of runs on the loopback address until it is interrupted."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.errors import RunError
from ..served import ADDRESS
from .asgi import make_app

MOST_CONNECTIONS = 64
MOST_HEAD = 16_384
"""Bytes of a request's head."""

IDLE_S = 10


def bind(port: int) -> tuple[socket.socket, int]:
    """Return a socket that listens on the loopback address, and its port; 0 takes a free one.

    Raises ``RunError`` A500 when the port cannot be had.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((ADDRESS, port))
        bound.listen()  # whoever reads the address may ask at once, and waits
    except OSError as error:
        bound.close()
        raise RunError(
            f"cannot listen: {error.strerror or error}",
            where=f"{ADDRESS}:{port}",
            hint="another program may listen there; --port 0 takes a free port",
        ) from error
    return bound, int(bound.getsockname()[1])


def listen(folder: Path, *, port: int, say: Callable[[str], None]) -> str:
    """Bind, say where, and serve until SIGINT or SIGTERM; return the address.

    Raises ``RunError`` A500 when the port cannot be had.  Its packages come with the extra ``view``.
    """
    import uvicorn

    bound, taken = bind(port)
    config = uvicorn.Config(
        make_app(folder, taken),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEAD,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=5,
    )
    address = f"http://{ADDRESS}:{taken}/"
    with _ended_by_signals():
        say(address)
        uvicorn.Server(config).run(sockets=[bound])
    return address


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end what runs here, and not the process: that is how a server ends.

    uvicorn raises the signal that stopped it once more when it has shut down.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
