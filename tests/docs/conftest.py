"""Every page of documentation, read once: its headings, its links, its blocks."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^(#+) +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and where it begins."""

    page: Path
    line: int
    language: str
    body: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file."""

    path: Path
    text: str

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def blocks(self) -> Iterator[Block]:
        """Every fenced block."""
        for found in FENCE.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            indent = found["indent"]
            body = (
                re.sub(rf"^{indent}", "", found["body"], flags=re.MULTILINE)
                if indent
                else found["body"]
            )
            yield Block(self.path, line, found["info"].strip(), body)

    @property
    def headings(self) -> list[str]:
        """Every heading, as written."""
        return [title for _, title in HEADING.findall(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What a link behind ``#`` can name, as forges make it of headings."""
        found: set[str] = set()
        for title in self.headings:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title.replace("`", "")).lower()
            slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
            number, name = 1, slug
            while name in found:
                name, number = f"{slug}-{number}", number + 1
            found.add(name)
        return found

    @property
    def links(self) -> list[str]:
        """The targets of every link outside of code."""
        return LINK.findall(INLINE.sub("", self.prose))

    @property
    def rows(self) -> list[list[str]]:
        """The cells of every row of every table."""
        lines = [line for line in self.prose.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def pages() -> tuple[Page, ...]:
    """Return every page that a reader may come to."""
    found = [*ROOT.glob("*.md")]
    for folder in ("docs", "changes", "examples", "bench", "plans"):
        found += (ROOT / folder).rglob("*.md")
    return tuple(Page(path, path.read_text("utf-8")) for path in sorted(found))


def page(name: str) -> Page:
    """Return one page by its path from the root."""
    path = ROOT / name
    return Page(path, path.read_text("utf-8"))


def commands() -> Iterator[tuple[Block, str]]:
    """Yield every ``$ assay ...`` line of every console block."""
    for one in pages():
        for block in one.blocks:
            if block.language == "console":
                body = block.body.replace("\\\n", " ")
                yield from (
                    (block, line[2:]) for line in body.splitlines() if line.startswith("$ assay")
                )


def words_of(command: str) -> list[str]:
    """Return the words of a shell command, up to a pipe, a redirection or another command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;<>"):
            break
        words.append(word)
    return words


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test every page, block or command in turn."""
    blocks = [block for one in pages() for block in one.blocks]
    given = {
        "any_page": list(pages()),
        "manual_page": [p for p in pages() if p.path.parent.name != "changes"],
        "change": [p for p in pages() if p.path.parent.name == "changes"],
        "python_page": [p for p in pages() if any(b.language == "python" for b in p.blocks)],
        "yaml_block": [b for b in blocks if b.language == "yaml"],
        "command": list(commands()),
    }
    for name, values in given.items():
        if name in metafunc.fixturenames:
            ids = [str(v[0] if isinstance(v, tuple) else v) for v in values]
            metafunc.parametrize(name, values, ids=ids)


@pytest.fixture(scope="session")
def read() -> Callable[[str], Page]:
    """Read one page, by its path from the root."""
    return page


@pytest.fixture(scope="session")
def words() -> Callable[[str], list[str]]:
    """Read the words of a shell command."""
    return words_of


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder that looks like the root of the repository, where code may write."""
    for name in ("plans", "tests", "examples"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    # Blocks that measure say how often in the environment; here they only have to run.
    for name, value in (("TIMES", "20"), ("LINES", "1000")):
        monkeypatch.setitem(os.environ, name, value)
    return tmp_path
