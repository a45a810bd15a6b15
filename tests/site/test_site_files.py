"""The files of the site: nothing inline, nothing from elsewhere, no way to turn text into markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
SCRIPTS = sorted((SITE / "js").glob("*.js"))
STYLES = sorted(SITE.glob("*.css"))


class Tags(HTMLParser):
    """The tags of a page, with their attributes, and the text inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style"):
            self.inline += data.strip()


@pytest.fixture(scope="module")
def index() -> Tags:
    read = Tags()
    read.feed((SITE / "index.html").read_text("utf-8"))
    return read


def test_the_page_allows_no_script_style_or_address_but_its_own(index):
    (policy,) = [
        attrs["content"] for tag, attrs in index.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
        "connect-src": "'self'", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    assert index.inline == ""
    for tag, attrs in index.tags:
        assert tag != "style"
        assert not [name for name in attrs if name == "style" or name.startswith("on")], (
            tag,
            attrs,
        )
        for name in ("src", "href"):
            assert not re.match(r"(?i)\s*([a-z]+:|//)", attrs.get(name) or ""), attrs


def test_the_page_loads_every_script_and_style_of_its_folder(index):
    loaded = {attrs["src"] for tag, attrs in index.tags if tag == "script"}
    assert loaded == {f"js/{path.name}" for path in SCRIPTS}
    styles = {attrs["href"] for tag, attrs in index.tags if attrs.get("rel") == "stylesheet"}
    assert styles == {path.name for path in STYLES}


FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\s*\(|setHTML|srcdoc"
    r"|DOMParser|createContextualFragment|execCommand|setTimeout\(\s*[\"'`]|cssText|[\"']style[\"']|\bimport\b"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_strict_and_makes_no_markup_of_text(path):
    text = path.read_text("utf-8")
    assert text.startswith('"use strict";\n// '), "a script opens with what it is"
    assert len(text.splitlines()) < 300
    assert FORBIDDEN.findall(text) == []
    assert not re.search(r"https?://(?!huggingface\.co/|www\.w3\.org/2000/svg)", text)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_style_asks_nothing_of_the_network(path):
    text = path.read_text("utf-8")
    assert "url(" not in text
    assert "@import" not in text
