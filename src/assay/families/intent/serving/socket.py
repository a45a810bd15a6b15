"""Run an ASGI application on a socket until it is interrupted."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from assay import AssayError

from ..extras import extra


def listen(app: Any, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Bind, say where, and serve until SIGINT or SIGTERM; requests under way are finished.

    An empty ``host`` is the loopback address: this machine only.

    Raises ``AssayError`` A500 when the address cannot be had.
    """
    uvicorn = extra("uvicorn")
    host = host or str(ip_address(socket.INADDR_LOOPBACK))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; else every answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()  # whoever reads the line below may ask at once, and waits
    except OSError as error:
        bound.close()
        raise AssayError(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            hint="name an address of this machine with --host"
            if isinstance(error, socket.gaierror)
            else "another program may listen there; --port 0 takes a free port",
            code="A500",
        ) from error
    place = bound.getsockname()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    with _ended_by_signals():
        say(f"listening on http://{place[0]}:{place[1]} (Ctrl-C ends it); the interface: /docs")
        uvicorn.Server(config).run(sockets=[bound])


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end what runs here, and not the process: that is how a service ends.

    uvicorn raises the signal that stopped it once more when it has shut down.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
