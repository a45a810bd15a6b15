"""What every answer of our servers says of itself, and the one address that they listen at."""

from __future__ import annotations

import socket
from ipaddress import ip_address

ADDRESS = str(ip_address(socket.INADDR_LOOPBACK))


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
