"""Run an ASGI application on a socket until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from assay import AssayError

from .extras import extra


def listen(app: Any, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Bind, say where, and serve until SIGINT or SIGTERM; requests under way are finished.

    An empty ``host`` is the loopback address: this machine only.

    Raises ``AssayError`` A500 when the address cannot be had.
    """
    uvicorn = extra("uvicorn")
    host = host or str(ip_address(socket.INADDR_LOOPBACK))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise AssayError(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            hint="another program may listen there; --port 0 takes a free port",
            code="A500",
        ) from error
    place = bound.getsockname()
    say(f"listening on http://{place[0]}:{place[1]} (Ctrl-C ends it); the interface: /docs")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[bound])
