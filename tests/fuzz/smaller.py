"""Make an input smaller that crashes a reader at one place: ``python tests/fuzz/smaller.py NAME FILE [INTO]``.

Parts of a tree, or pieces of bytes, are left out for as long as the crash stays where it is.  What is left goes into the
folder INTO (the corpus of that harness, unless another is named), under the digest of its bytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import driver

HERE = Path(__file__).parent


def crash_of(read: driver.Read, data: bytes) -> str:
    """Return where an input crashes a reader; empty where it does not."""
    try:
        driver.judged(read, data)
    except Exception as error:  # noqa: BLE001  (whatever comes is what is looked for)
        return driver.place_of(error)
    return ""


def smaller(data: bytes, read: driver.Read) -> bytes:
    """Return an input from which nothing more can be left out."""
    wanted = crash_of(read, data)
    if not wanted:
        raise SystemExit("this input crashes nothing")
    best, again = data, True
    while again:
        again = False
        for made in candidates(best):
            if len(made) < len(best) and crash_of(read, made) == wanted:
                best, again = made, True
                break
    return best


def candidates(data: bytes) -> Iterator[bytes]:
    """Yield an input without a part of it, large parts first."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        size = len(data)
        while size := size // 2:
            for start in range(0, len(data), size):
                yield data[:start] + data[start + size :]
        return
    for path in sorted(paths(value), key=lambda path: -len(json.dumps(at(value, path)))):
        yield json.dumps(without(value, path)).encode()
    for path in paths(value):
        for simple in (0, "", None, []):
            yield json.dumps(instead(value, path, simple)).encode()


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Return the way to every place of a tree."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [(key, *below) for key, each in inner for below in [(), *paths(each)]]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a place."""
    for key in path:
        value = value[key]
    return value


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """Return a tree without a place."""
    made = json.loads(json.dumps(value))
    del at(made, path[:-1])[path[-1]]
    return made


def instead(value: Any, path: tuple[Any, ...], simple: Any) -> Any:
    """Return a tree with something simple at a place."""
    made = json.loads(json.dumps(value))
    at(made, path[:-1])[path[-1]] = simple
    return made


def main() -> None:
    """Do as the command line says."""
    name, file, *into = sys.argv[1:]
    harness = import_module(f"fuzz_{name}").HARNESS
    made = smaller(Path(file).read_bytes(), harness.read)
    folder = Path(into[0]) if into else HERE / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(made).hexdigest()[:12]
    path.write_bytes(made)
    sys.stdout.write(f"{path}: {len(made):,} bytes\n")


if __name__ == "__main__":
    main()
