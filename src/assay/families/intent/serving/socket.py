"""Run an ASGI application on a socket until it is interrupted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay.sockets import ADDRESS, bind, ended_by_signals

from ..extras import extra


def listen(app: Any, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Bind, say where, and serve until SIGINT or SIGTERM; requests under way are finished.

    An empty ``host`` is the loopback address: this machine only.

    Raises ``AssayError`` A500 when the address cannot be had.
    """
    uvicorn = extra("uvicorn")
    bound = bind(host or ADDRESS, port)
    place = bound.getsockname()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    with ended_by_signals():
        say(f"listening on http://{place[0]}:{place[1]} (Ctrl-C ends it); the interface: /docs")
        uvicorn.Server(config).run(sockets=[bound])
