"""What our servers have in common: their address, how they begin and end, and what each answer says of itself."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from ..core.errors import RunError

ADDRESS = str(ip_address(socket.INADDR_LOOPBACK))
"""Of this machine, for itself alone."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 takes a free one.

    Raises ``RunError`` A500 when the address cannot be had.

    >>> with bind(ADDRESS, 0) as bound:
    ...     bound.getsockname()[1] > 0
    True
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; else every answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()  # whoever reads the address may ask at once, and waits
    except OSError as error:
        bound.close()
        raise RunError(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            hint="name an address of this machine with --host"
            if isinstance(error, socket.gaierror)
            else "another program may listen there; --port 0 takes a free port",
        ) from error
    return bound


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end what runs here, and not the process: that is how a server ends.

    For the main thread alone.  uvicorn raises the signal that stopped it once more when it has shut down.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def headers_under(policy: str) -> dict[str, str]:
    """Return the headers of an answer under a content security policy: for nobody else's page, and not kept."""
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
