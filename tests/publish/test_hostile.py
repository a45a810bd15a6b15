"""Other people's text: everything in it can be seen, nothing in it acts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assay.publish.hostile import safe_markdown, visible
from assay.publish.markdown import code, safe_number
from publish.harm import HARM

ANYTHING = st.text(st.characters(exclude_categories=())) | st.sampled_from(HARM)
MARKED = st.text("ab `*_[]()<>!|\\#+-=~&;:@/.\n1w$^{}\"'", max_size=40) | st.sampled_from(HARM)
TEXT = {"text", "text_special", "softbreak"}


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def joined(text: str) -> str:
    return text.replace("\u2060", "")


@given(ANYTHING)
def test_nothing_invisible_or_acting_is_left(text):
    for char in visible(text):
        assert char in "\n\t\u200c\u200d" or unicodedata.category(char)[0] != "C"


@given(ANYTHING)
def test_visible_text_stays_as_it_is(text):
    assert visible(visible(text)) == visible(text)


@given(ANYTHING)
def test_visible_text_can_be_stored(text):
    visible(text).encode("utf-8")


def test_what_is_cut_says_how_much():
    assert visible("x" * 12, 5) == "xxxxx… (7 more characters)"


@given(MARKED)
def test_markdown_shows_text_and_nothing_else(text):
    tokens = parser().parse(f"a {safe_markdown(text)} z")
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in inline} <= TEXT
    shown = joined("".join(t.content if t.type != "softbreak" else " " for t in inline))
    assert " ".join(shown.split()) == " ".join(f"a {visible(text)} z".split())


@given(MARKED)
def test_text_does_not_begin_a_block(text):
    tokens = parser().parse(safe_markdown(text))
    assert {t.type for t in tokens} <= {"paragraph_open", "inline", "paragraph_close"}


@given(MARKED)
def test_a_table_keeps_its_columns(text):
    lines = ["| a | b | c |", "|---|---|---|", f"| x | {safe_markdown(text)} | {code(text)} |"]
    tokens = parser().parse("\n".join(lines) + "\n")
    cells = [t for t in tokens if t.type == "td_open"]
    assert len(cells) == 3
    assert [t.type for t in tokens].count("tr_open") == 2


@given(MARKED)
def test_a_code_span_holds_all_of_the_text(text):
    made = code(text)
    tokens = parser().parse(f"| a |\n|---|\n| {made} |\n") if made else []
    spans = [c for t in tokens for c in t.children or () if c.type == "code_inline"]
    wanted = " ".join(visible(text).split())
    assert [s.content for s in spans] == ([wanted] if wanted else [])


@pytest.mark.parametrize(
    "text",
    ["@team", "see https://evil.example/x", "www.evil.example", "a@b.example", "#12", "GH-12"],
)
def test_what_a_forge_would_link_is_broken_up(text):
    assert "\u2060" in safe_markdown(text)
    assert joined(safe_markdown(text)) == text


def test_a_number_keeps_readable_brackets_and_hides_no_link():
    assert safe_number("0.92 [0.88, 0.95] n=400x5") == "0.92 [0.88, 0.95] n=400x5"
    assert safe_number("1 [1](javascript:x)") == "1 \\[1\\](javascript:x)"
