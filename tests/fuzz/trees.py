"""Change JSON where it hurts: one place at a time, so that the check before it is passed.

Bytes that are changed at random stop at the first brace.  A tree stays a tree: a value becomes one of
another type, a key goes or comes twice, a part stands where another stood.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

DEEP = "<deep>"
"""Stands for a list in a list in a list, deeper than Python recurses, until an input is written down."""

NASTY: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 0.5, -0.0, 1.5, 1e308, 5e-324, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1,
    10**30, 10**400, float("nan"), float("inf"), -float("inf"), "", " ", "\n", "\0", "a", "0", "1", "-1", "1e999", "nan", "true",
    "\ud800", "\udcff", "e\u0301", "\u202e", "\x1b[2J", "=1+1", "../..", "/etc/passwd", "a/b", ".", "-", "x" * 5_000, "9" * 5_000,
    "2026-11-29T20:00:00Z", "2026-13-45", "sha256:" + "0" * 64, "0" * 64, "f" * 40, "\ud83d", "test", "accuracy", "constant", DEEP,
    [], {}, [None], [[]], [0, 0], {"": None}, {"a": {}}, [1] * 300, ["a", 1], {"decided": {}},
)  # fmt: skip

Place = tuple[Any, Any]
"""What holds a value, and the key or the number of it there."""


def places(value: Any) -> list[Place]:
    """Return every place below a value."""
    found: list[Place] = []
    left = [value]
    while left:
        here = left.pop()
        inner = here.items() if isinstance(here, dict) else enumerate(here)
        for key, below in inner:
            found.append((here, key))
            if isinstance(below, dict | list):
                left.append(below)
    return found


def deepened(data: bytes) -> bytes:
    """Return JSON with what is deep put in."""
    return data.replace(f'"{DEEP}"'.encode(), b"[" * 5_000 + b"]" * 5_000)


def changed(value: Any, rng: random.Random, text: Callable[[str], str]) -> Any:
    """Return a value in which a few places are otherwise.  The value that is given is used up."""
    if not isinstance(value, dict | list) or not value:
        return rng.choice(NASTY)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        there = places(value)
        if not there:
            break
        holder, key = rng.choice(there)
        one_change(holder, key, there, rng, text)
    return value


def one_change(
    holder: Any, key: Any, there: list[Place], rng: random.Random, text: Callable[[str], str]
) -> None:
    """Change one place."""
    here = holder[key]
    match rng.randrange(12):
        case 0 | 1:
            holder[key] = copied(rng.choice(NASTY))
        case 2:
            del holder[key]
        case 3:
            other, at = rng.choice(there)
            holder[key] = copied(other[at]) if size(other[at]) < 400 else None
        case 4 if isinstance(holder, list):
            holder.insert(key, copied(here) if size(here) < 400 else None)
        case 4:
            holder[rng.choice(("", "a", "\ud800", "x" * 300, key + "x", "name", "task"))] = copied(here) if size(here) < 400 else 0  # fmt: skip
        case 5:
            other, at = rng.choice(there)
            if size(here) < 400 and size(other[at]) < 400:
                holder[key], other[at] = copied(other[at]), copied(here)
        case 6:
            holder[key] = rng.choice(([here], {"a": here}, str(here)[:5_000]))
        case 7 if isinstance(here, list | dict) and here:
            holder[key] = here[next(iter(here))] if isinstance(here, dict) else here[0]
        case _:
            holder[key] = near(here, rng, text)


def near(here: Any, rng: random.Random, text: Callable[[str], str]) -> Any:
    """Return something of the same kind."""
    if isinstance(here, bool):
        return not here
    if isinstance(here, int) and abs(here) > 2**70:
        return rng.choice((-here, here // 10, str(here)[:400]))
    if isinstance(here, int | float):
        return rng.choice(
            (here + 1, here - 1, -here, here * 1000, here / 3 if here else 0.1, str(here))
        )
    if isinstance(here, str):
        return text(here)
    if isinstance(here, list):
        return rng.choice((here[::-1], here[:-1], here + here[:20]))
    return copied(rng.choice(NASTY))


def copied(value: Any) -> Any:
    """Return a copy that shares nothing."""
    if isinstance(value, dict):
        return {key: copied(below) for key, below in value.items()}
    return [copied(below) for below in value] if isinstance(value, list) else value


def size(value: Any) -> int:
    """Return how many places a value has."""
    return len(places(value)) if isinstance(value, dict | list) else 0


def other_text(rng: random.Random) -> Callable[[str], str]:
    """Return what changes a text a little."""

    def change(given: str) -> str:
        at = rng.randrange(len(given) + 1)
        sign = rng.choice(("\0", "\n", ",", '"', "'", ".", "/", ":", "-", "0", "9", "[", "{", "\\", " ", "\ud800", "é", "\udcff", "=", "%", "#"))  # fmt: skip
        return rng.choice(
            (given[:at] + sign + given[at:], given[:at] + given[at + 1 :], given[:at], given + given[:200], given.upper(), given[:at] + sign + given[at + 1 :])
        )  # fmt: skip

    return change


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Return other bytes made of some: seven times in eight another tree, where they are JSON."""
    rng = random.Random(seed)
    if rng.randrange(8):
        try:
            made = json.dumps(changed(json.loads(data), rng, other_text(rng))).encode()
        except (ValueError, RecursionError):
            made = b""
        if made and len(made) <= most:
            return made
    return other_bytes(data, rng)[:most]


def other_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with a few places changed."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(made) + 1)
        end = min(len(made), at + rng.choice((1, 1, 2, 4, 8, 40)))
        match rng.randrange(5):
            case 0:
                del made[at:end]
            case 1:
                made[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4)))
            case 2:
                made[at:end] = bytes(each ^ 1 << rng.randrange(8) for each in made[at:end])
            case 3:
                made[at:at] = made[at:end] * rng.choice((1, 2, 50))
            case _:
                to = rng.randrange(len(made) + 1)
                made[to:to] = made[at:end]
    return bytes(made)
