"""The manual page ``assay(1)``, written from ``docs/commands.md`` whenever a wheel is built.

    python tools/man.py | man -l -

pyproject.toml names this file as a hook of hatch: the page is no file of the repository, and so never an old one.
Beside hatch it needs the reader of Markdown that rich needs, too.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "commands.md"
INSTALLED = "share/man/man1/assay.1"

HEAD = """\
.\\" Written from docs/commands.md by tools/man.py.
.TH ASSAY 1 "" "assay {version}" "User Commands"
.SH NAME
assay \\- {says}
.SH SYNOPSIS
.B assay
.I COMMAND
[\\fIOPTION\\fR ...] [\\fIARGUMENT\\fR ...]
.SH DESCRIPTION
"""
COMMANDS = ".SH COMMANDS\n.SS "
"""What stands before the first command."""

SEE_ALSO = """\
.SH SEE ALSO
.B assay \\-\\-help
lists the commands,
.B assay explain
.I WORD
explains a word or the code of an error.
"""


class Hook(BuildHookInterface[Any]):
    """Adds the page to a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the page beside the sources that are packed, to be taken away in ``finalize``."""
        self.made = Path(tempfile.mkdtemp(prefix="assay-man-"))
        page = self.made / "assay.1"
        page.write_text(written(), "utf-8")
        build_data["shared_data"][str(page)] = INSTALLED

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what ``initialize`` wrote."""
        shutil.rmtree(self.made, ignore_errors=True)


def written() -> str:
    """Return the page as roff."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tokens = MarkdownIt("commonmark").enable("table").parse(SOURCE.read_text("utf-8"))
    says = project["description"].rstrip(".")
    head = HEAD.format(version=project["version"], says=_safe(says[:1].lower() + says[1:]))
    body = re.sub(r"\n{2,}", "\n", "\n".join(_blocks(tokens)))
    body = body.replace(".SS ", COMMANDS, 1)
    return f"{head}{body}\n{SEE_ALSO}"


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the lines of blocks: sections, paragraphs, code, lists; a table becomes a list of terms."""
    row, header = list[str](), list[str]()
    for at, token in enumerate(tokens):
        inside = tokens[at + 1].children or [] if at + 1 < len(tokens) else []
        match token.type, token.tag:
            case "heading_open", "h2" | "h3" | "h4":
                yield _heading(token.tag, inside)
            case "paragraph_open", _ if text := _inline(inside):
                listed = tokens[at - 1].type == "list_item_open"
                yield f".IP \\(bu 2\n{text}" if listed else f".PP\n{text}"
            case "fence", _:
                code = "\n".join(_safe(line) for line in token.content.splitlines())
                yield f".PP\n.RS 4\n.EX\n{code}\n.EE\n.RE"
            case "tr_open", _:
                row = []
            case "th_open" | "td_open", _:
                row.append(_inline(inside))
            case "thead_close", _:
                header = row
                if row[0] != "argument":
                    yield f".PP\n{row[0][:1].upper() + row[0][1:]}:"
            case "tr_close", _ if tokens[at - 1].type == "td_close":
                yield "\n".join(_term(header, row))


def _heading(tag: str, inline: Sequence[Token]) -> str:
    """Return the heading of a section: one in code is a command, one in words is about commands."""
    name = _safe(_plain(inline))
    if tag != "h2":
        return f".PP\n.B {name}"
    is_command = inline[0].type == "code_inline" and not inline[0].content.startswith("-")
    return f".SS {'assay ' if is_command else ''}{name}"


def _term(header: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a row of a table: the first cell is the term, the last one what it means."""
    default = row[1] if header[1:2] == ["default"] else ""
    beside = f" ({'' if default == 'required' else 'default: '}{default})" if default else ""
    yield f".TP\n{row[0] or chr(92) + '&'}{beside}"
    for name, value in zip(header[1:], row[1:], strict=True):
        if value and name != "default":
            yield value if name == header[-1] else f"{name[:1].upper() + name[1:]}: {value}."


def _plain(inline: Sequence[Token]) -> str:
    return "".join(token.content for token in inline)


def _inline(inline: Sequence[Token]) -> str:
    """Return running text with its fonts; pictures are left out, links are their words."""
    parts: list[str] = []
    for token in inline:
        match token.type:
            case "code_inline":
                parts.append(f"\\fB{_safe(token.content)}\\fR")
            case "strong_open":
                parts.append("\\fB")
            case "em_open":
                parts.append("\\fI")
            case "strong_close" | "em_close":
                parts.append("\\fR")
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "text":
                parts.append(_safe(token.content))
    return "\n".join(_opened(line) for line in "".join(parts).split("\n"))


def _safe(text: str) -> str:
    """Return text in which roff sees no command of its own, and hyphens can be copied as such."""
    for sign, name in (("\\", "\\e"), ("-", "\\-"), ("~", "\\(ti"), ("^", "\\(ha"), ("`", "\\`")):
        text = text.replace(sign, name)
    return _opened(text)


def _opened(line: str) -> str:
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    sys.stdout.write(written())
