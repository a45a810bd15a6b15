"""The sockets of services: bound to an address, and closed in peace when a signal comes."""

from __future__ import annotations

from .publish.served import ADDRESS, bind, ended_by_signals

__all__ = ["ADDRESS", "bind", "ended_by_signals"]
