"""The Rust in an answer that may be Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass

RUST = frozenset({"rust", "rs"})
"""First words of what a block says it is: attributes may follow, as in ``rust,edition2021``."""

UNNAMED = ""

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<marks>`{3,}|~{3,})[ \t]*(?P<name>[^`\n]*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what it says it is, and what is in it."""

    name: str
    code: str


def rust_in(answer: str) -> str:
    r"""Return the Rust code of an answer; the whole answer where nothing is fenced.

    Of several blocks it is the longest that says it is Rust, else the longest that says nothing; the
    first of equals.  A block that never ends goes to the end of the answer, as answers that are cut
    off do.  An answer whose blocks all say they are something else has none: the result is empty.

    Source: fenced code blocks, CommonMark 0.31.

    >>> rust_in("Here you are:\n```rust\nfn f() {}\n```\nIt does nothing.")
    'fn f() {}\n'
    >>> rust_in("fn f() {}")
    'fn f() {}'

    Not to be trusted when an answer spreads a program over several blocks.
    """
    found = blocks(answer)
    if not found:
        return answer
    for names in (RUST, frozenset({UNNAMED})):
        of_kind = [block.code for block in found if block.name in names]
        if of_kind:
            return max(of_kind, key=len)
    return ""


def _first_word(name: str) -> str:
    return re.split(r"[\s,{]", name.strip().lower().lstrip("{."), maxsplit=1)[0].rstrip("}")


def blocks(answer: str) -> list[Block]:
    r"""Return the fenced blocks of a Markdown text, in order.

    >>> blocks("~~~\nx\n```\n~~~")
    [Block(name='', code='x\n```\n')]
    """
    found: list[Block] = []
    marks = name = ""
    body: list[str] = []
    for line in answer.splitlines(keepends=True):
        fence = _FENCE.match(line.rstrip("\r\n"))
        if not marks:
            if fence:
                marks, name, body = fence["marks"], _first_word(fence["name"]), []
        elif fence and fence["marks"].startswith(marks) and not fence["name"].strip():
            found.append(Block(name, "".join(body)))
            marks = ""
        else:
            body.append(line)
    if marks:
        found.append(Block(name, "".join(body)))
    return found
