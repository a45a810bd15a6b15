"""The body of a request, refused where a key stands in it twice: the two could say different things."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class _TwiceError(ValueError):
    """A key stands twice."""


@dataclass(frozen=True, slots=True)
class EveryKeyOnce:
    """Pass on a body in which no object has a key twice; whatever else is wrong is told behind it."""

    app: Any
    refuse: Callable[[str], Any]
    """Makes a response of what is wrong."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the body, look through it, and pass it on whole."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        parts, more = [], True
        while more:
            message = await receive()
            if message["type"] != "http.request":  # whoever asked hung up
                return
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        data = b"".join(parts)
        if (key := key_twice(data)) is not None:
            await self.refuse(key)(scope, receive, send)
            return
        await self.app(scope, _replayed(data, receive), send)


def key_twice(data: bytes) -> str | None:
    """Return the first key that stands twice in an object of JSON text; None for anything else.

    >>> key_twice(b'{"a": 1, "b": {"c": 1, "c": 2}}'), key_twice(b'[{"a": 1}, {"a": 1}]')
    ('c', None)
    """
    try:
        json.loads(data, object_pairs_hook=_once)
    except _TwiceError as error:
        return str(error)
    except (ValueError, RecursionError):  # not JSON: whoever reads it says so
        return None
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found


def _replayed(data: bytes, receive: Any) -> Any:
    told = False

    async def again() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": data, "more_body": False}

    return again
