"""Show a folder of runs on the loopback address until it is interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..served import ADDRESS, bind, ended_by_signals
from .asgi import make_app

MOST_CONNECTIONS = 64
MOST_HEAD = 16_384
"""Bytes of a request's head."""

IDLE_S = 10


def listen(folder: Path, *, port: int, say: Callable[[str], None]) -> str:
    """Bind, say where, and serve until SIGINT or SIGTERM; return the address.

    Raises ``RunError`` A500 when the port cannot be had.  Its packages come with the extra ``view``.
    """
    import uvicorn

    bound = bind(ADDRESS, port)
    taken = int(bound.getsockname()[1])
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
    with ended_by_signals():
        say(address)
        uvicorn.Server(config).run(sockets=[bound])
    return address
