"""Files by patterns, as shells write them, braces included."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from assay.documents import nearest
from assay.pages import wrong_option

_MAGIC = re.compile(r"[*?\[]")


def pieces(text: str, separator: str = ",") -> list[str]:
    """Return what stands between commas that are in no braces, brackets or quotes.

    >>> pieces("models/*.{apr,gguf}, small=python3 'a,b.py'")
    ['models/*.{apr,gguf}', "small=python3 'a,b.py'"]
    """
    found, depth, quote = [""], 0, ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
        elif char == separator and depth <= 0:
            found.append("")
            continue
        found[-1] += char
    return [each.strip() for each in found if each.strip()]


def spread(pattern: str) -> list[str]:
    """Return a pattern for each way through its braces; a pair without a comma stands for itself.

    >>> spread("m/*.{apr,gguf}"), spread("a{b}c"), spread("{a,b{1,2}}")
    (['m/*.apr', 'm/*.gguf'], ['a{b}c'], ['a', 'b1', 'b2'])
    """
    depth, begin = 0, -1
    for at, char in enumerate(pattern):
        if char == "{":
            begin, depth = (at, 1) if depth == 0 else (begin, depth + 1)
        elif char == "}" and depth:
            depth -= 1
            inside = _alternatives(pattern[begin + 1 : at])
            if depth == 0 and len(inside) > 1:
                head, tails = pattern[:begin], spread(pattern[at + 1 :])
                return [
                    head + mid + tail for one in inside for mid in spread(one) for tail in tails
                ]
    return [pattern]


def _alternatives(inside: str) -> list[str]:
    found, depth = [""], 0
    for char in inside:
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            found.append("")
        else:
            found[-1] += char
    return found


def is_pattern(word: str) -> bool:
    """Whether a word can stand for other names than its own."""
    return bool(_MAGIC.search(word)) or spread(word) != [word]


def matching(option: str, pattern: str) -> list[Path]:
    """Return the files that a pattern matches, each once, sorted; ``**`` goes through folders.

    Raises ``PlanError`` A106 where there is none, with the nearest name in the folder.
    """
    found = {
        Path(name)
        for each in spread(pattern)
        for name in (_glob(each) if _MAGIC.search(each) else [each])
        if Path(name).exists()
    }
    if not found:
        raise wrong_option(option, f"nothing matches {pattern!r}", _hint(pattern))
    return sorted(found)


def _glob(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207  (it takes absolute patterns, too)


def _hint(pattern: str) -> str:
    folder = Path(pattern).parent
    while _MAGIC.search(str(folder)) or "{" in str(folder):
        folder = folder.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    return f"in {folder}, {nearest(Path(pattern).name, names)}" if names else f"{folder} is empty"
