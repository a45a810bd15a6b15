"""Text made safe to look at: nothing that is written can drive the terminal that shows it.

*Covered*: control characters, ANSI escapes, bidirectional overrides, invisible characters, halves
of surrogate pairs.  *Not covered*: letters that look like other letters; very many combining marks.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TextIO

UNSAFE = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
"""Unicode categories that a terminal may obey, hide or reorder, rather than show."""

JOINERS = "\u200c\u200d"
"""Invisible, and yet part of words (Persian) and of emoji."""


def plain(text: str) -> str:
    r"""Return text with everything that is not to be seen as a visible escape.

    >>> plain("a\x1b[31mb\u202e\n")
    'a\\x1b[31mb\\u202e\\n'
    """
    if text.isprintable():
        return text
    return "".join(char if _is_safe(char) else _escape(char) for char in text)


_FORMULA = re.compile("[\\s\0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def cell(text: str) -> str:
    r"""Return a text for a CSV file that people open in a spreadsheet, which runs no part of it.

    A spreadsheet takes what begins with ``=``, ``+``, ``-`` or ``@`` for a formula: such a text gets a quote
    in front, as on the page of a board.  For texts of other people; a number is written as it is.

    >>> cell("=HYPERLINK(1)"), cell("plain"), cell("-1 is a text here")
    ("'=HYPERLINK(1)", 'plain', "'-1 is a text here")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _is_safe(char: str) -> bool:
    return unicodedata.category(char) not in UNSAFE or char in JOINERS


def _escape(char: str) -> str:
    code = ord(char)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named:
        return named
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def is_terminal(stream: TextIO) -> bool:
    """Whether people look at a stream, on a terminal that can move its cursor."""
    try:
        return stream.isatty() and os.environ.get("TERM", "") != "dumb"
    except ValueError:  # closed
        return False
