"""Badges: a number with its interval as a picture that stands alone, whoever wrote the words in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import PlanError
from assay.publish.board.badges import LONGEST, MEASURED, QUIET, badge, badge_of
from assay.publish.board.rows import rows_of
from assay.publish.board.spelling import spell_cell
from publish.board_documents import ACCURACY, CELL, document

SVG = "{http://www.w3.org/2000/svg}"
PARTS = {f"{SVG}{name}" for name in ("svg", "title", "path", "g", "text")}


def texts(svg: str) -> list[str]:
    """Return the texts that a badge shows."""
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


@given(label=st.text(), value=st.text(max_size=99), title=st.text())
def test_any_text_is_text_and_the_picture_is_as_wide_as_its_halves(label, value, title):
    svg = badge(label, value, title=title)
    root = ET.fromstring(svg)
    assert {each.tag for each in root.iter()} <= PARTS
    assert not any(
        name.startswith("on") or "href" in name for e in root.iter() for name in e.attrib
    )
    widths = [int(each.get("textLength", "")) for each in root.iter(f"{SVG}text")]
    assert int(root.get("width", "")) == sum(widths) + 24
    assert badge(label, value, title=title) == svg


def test_a_badge_has_the_number_its_interval_and_a_title_for_who_cannot_see_it():
    [row] = rows_of(document(), "small")
    svg = badge_of(row, ACCURACY)
    assert texts(svg) == ["right | t", "0.61 [0.55, 0.67]"]
    said = "Small, q8: right | t: 0.61 [0.55, 0.67], n=200; assay run abababababababab"
    root = ET.fromstring(svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", said)
    assert root.findtext(f"{SVG}title") == said
    assert MEASURED in svg


@pytest.mark.parametrize("cells", [{}, {"accuracy@t": {"why": "not measured: no reply"}}])
def test_what_was_not_measured_says_so_and_is_never_nought(cells):
    [row] = rows_of(document(cells=cells), "small")
    svg = badge_of(row, ACCURACY)
    assert texts(svg)[1] == "not measured"
    assert QUIET in svg
    assert MEASURED not in svg


def test_markup_and_text_that_turns_around_is_shown_and_long_text_is_cut():
    [row] = rows_of(document(label='"><script>alert(1)</script>\u202e'), "small")
    svg = badge_of(row, ACCURACY | {"label": "W" * 200})
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert len(texts(svg)[0]) == LONGEST


def test_reported_rows_and_controls_are_never_taken_elsewhere():
    assert [row.id for row in rows_of(document(), "small")] == ["small--q8"]
    with pytest.raises(PlanError, match="nothing was measured of Other"):
        rows_of(document(), "other")
    with pytest.raises(PlanError, match="nothing was measured of Small"):
        rows_of(document(origin="simulated"), "small")
    with pytest.raises(PlanError, match="A103"):
        rows_of(document(), "small", named="small--said")
    with pytest.raises(PlanError, match="no model 'smal'"):
        rows_of(document(), "smal")


@pytest.mark.parametrize(
    ("cell", "unit", "shown"),
    [
        (CELL, "share", "0.61 [0.55, 0.67]"),
        (CELL | {"value": 0.0, "low": 0.0, "high": 0.0183}, "share", "0 of 200: at most 1.5 %"),
        (CELL | {"value": 0.012, "low": 0.01, "high": 0.014}, "s", "12 ms [10 ms, 14 ms]"),
        (CELL | {"value": 0.5, "low": 0.4, "high": 0.6}, "usd", "$0.5 [$0.4, $0.6]"),
        (CELL | {"low": None, "high": None}, "share", "0.61 (these questions only)"),
        ({"value": 98362432, "low": None, "high": None}, "bytes", "98.4 MB"),
        (None, "share", "not measured"),
    ],
)
def test_numbers_are_spelled_as_in_reports(cell, unit, shown):
    assert spell_cell(cell, ACCURACY | {"unit": unit}) == shown
