"""Write to a terminal, so that nothing that is written can drive it.

*Covered*: what ``visible`` covers; a reader that goes away; a stream that is not UTF-8.
*Not covered*: what ``visible`` does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from ..visible import is_terminal, plain

if TYPE_CHECKING:
    from .page import Line, Span


def screen() -> int | None:
    """Return how many columns standard output has; None where no terminal is there to be narrow."""
    if is_terminal(sys.stdout) or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream shows colour: a terminal, and nobody has said NO_COLOR."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def speak_utf8() -> None:
    """Make the standard streams take any text, whatever the locale says."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a test's replacement has none
            reconfigure(errors="backslashreplace")


def write_lines(lines: Iterable[Line], stream: TextIO) -> None:
    """Write lines, each made safe; quiet when the reader has gone away."""
    colour = wants_colour(stream)
    text = "".join(_painted(line, colour=colour) + "\n" for line in lines)
    _write(text, stream)


def write_json(facts: Any, stream: TextIO) -> None:
    """Write one JSON document in ASCII: safe on a terminal and in any encoding."""
    text = json.dumps(facts, indent=2, allow_nan=False)
    _write(text.replace("\x7f", "\\u007f") + "\n", stream)


def _write(text: str, stream: TextIO) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # `assay ls | head -1`: not worth a word.  The interpreter flushes once more when it ends.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _painted(line: Line, *, colour: bool) -> str:
    pieces: tuple[str | Span, ...] = line if isinstance(line, tuple) else (line,)
    return "".join(
        plain(piece) if isinstance(piece, str) else _span(piece, colour=colour) for piece in pieces
    ).rstrip(" ")


def _span(span: Span, *, colour: bool) -> str:
    text = plain(span.text)
    return f"\x1b[{span.style}m{text}\x1b[0m" if colour and span.style else text
