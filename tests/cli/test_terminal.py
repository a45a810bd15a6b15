"""Nothing that is written drives the terminal."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cli.page import Page, Span, Style, columns, width
from assay.cli.terminal import wants_colour, write_json, write_lines
from assay.testing import HOSTILE
from assay.visible import JOINERS, plain

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_plain_text_has_nothing_that_a_terminal_obeys_hides_or_reorders(text):
    shown = plain(text)
    bad = {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}
    assert not [c for c in shown if unicodedata.category(c) in bad and c not in JOINERS]
    shown.encode("utf-8")


@given(ANY_TEXT)
def test_making_text_plain_twice_changes_nothing_more(text):
    assert plain(plain(text)) == plain(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_text_that_people_can_see_is_left_alone(text):
    assert plain(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_answers_leave_no_escape_on_the_screen(text):
    stream = io.StringIO()
    write_lines([text, (Span(text, Style.BAD), text)], stream)
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2


@given(st.recursive(ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)))
def test_json_is_ascii_without_controls_and_reads_back(value):
    stream = io.StringIO()
    write_json({"value": value}, stream)
    text = stream.getvalue()
    assert text.isascii()
    assert all(c == "\n" or c.isprintable() for c in text)
    assert json.loads(text) == {"value": value}


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=5))
def test_columns_stand_below_each_other_whatever_they_hold(rows):
    starts = {sum(width(piece) for piece in line[:3]) for line in columns(rows)}
    assert len(starts) == 1


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_and_not_for_who_declines_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Screen())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(Screen())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Screen())


def test_a_coloured_piece_is_closed_again(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    write_lines([("a ", Span("b", Style.BAD), " c")], screen)
    assert screen.getvalue() == "a \x1b[31mb\x1b[0m c\n"


def test_a_page_is_done_unless_it_says_otherwise():
    assert Page(lines=()).code == 0
