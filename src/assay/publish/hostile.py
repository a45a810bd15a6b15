"""Other people's text, with everything in it visible and nothing in it acting.

Covered: terminal escapes, control characters, text that reverses its direction, invisible
characters, halves of characters; in Markdown also markup, links, mentions and HTML.
Not covered: letters that look like other letters, and sentences that lie.
"""

from __future__ import annotations

import re
import unicodedata

_KEPT = "\n\t\u200c\u200d"


def visible(text: str, limit: int | None = None) -> str:
    r"""Return text in which nothing is hidden and nothing acts.

    Control characters, terminal escapes, direction overrides, invisible format characters and lone
    surrogates are spelled out; what is longer than ``limit`` is cut, and says so.

    >>> visible("a\x1b[31mb\u202ec\ud800")
    'a[U+001B][31mb[U+202E]c[U+D800]'
    >>> visible("abcdef", 3)
    'abc… (3 more characters)'
    """
    if limit is not None and len(text) > limit:
        return f"{visible(text[:limit])}… ({len(text) - limit:,} more characters)"
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char in _KEPT:
        return char
    hidden = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return f"[U+{ord(char):04X}]" if hidden else char


_MARKS = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITY = re.compile(r"&(?=#|\w)")
_BEGINS = re.compile(r"^(\d*)(=|[#+-](?=[\s#+-]|$)|(?<=\d)[.)](?=\s|$))")
_LINKED = re.compile(r"(?i)@|:(?=//)|\bwww(?=\.)|\b(?:mailto|xmpp)(?=:)|\bGH(?=-)|#(?=\d)")
_JOINER = "\u2060"


def safe_markdown(text: str, limit: int | None = None) -> str:
    r"""Return text that Markdown shows as it is: no markup, link, mention, HTML or table cell.

    >>> safe_markdown("a|b <i> *c* usd_per_1k @me")
    'a\\|b &lt;i&gt; \\*c\\* usd_per_1k @\u2060me'
    """
    shown = " ".join(visible(text, limit).split())
    shown = _MARKS.sub(r"\\\g<0>", _ENTITY.sub("&amp;", shown))
    shown = shown.replace("<", "&lt;").replace(">", "&gt;")
    # A word joiner is invisible, and ends what would become a link or mention somebody else.
    return _BEGINS.sub(r"\1\\\2", _LINKED.sub(rf"\g<0>{_JOINER}", shown))
