"""Tables fit the terminal that they are printed on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cli.fitting import starred, table
from assay.cli.page import Line, Span, Style, width

from .conftest import Say

CELLS = st.text("abc 1", max_size=30)
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5)


def _texts(lines: list[Line]) -> list[str]:
    pieces = [line if isinstance(line, tuple) else (line,) for line in lines]
    return ["".join(p.text if isinstance(p, Span) else p for p in line) for line in pieces]


@given(TABLES, st.integers(40, 120))
def test_a_folded_table_says_every_word_of_every_cell(rows: list[tuple[str, str, str]], wide: int):
    said = sorted(" ".join(_texts(table(list(rows), wide=wide))).split())
    assert said == sorted(" ".join(" ".join(row) for row in rows).split())


@given(TABLES)
def test_a_table_of_short_words_is_never_wider_than_the_terminal(
    rows: list[tuple[str, str, str]],
):
    longest = max((len(w) for row in rows for cell in row for w in cell.split()), default=0)
    wide = 2 + 3 * longest + 4
    assert all(width(line.rstrip()) <= wide for line in _texts(table(list(rows), wide=wide)))


def test_an_interval_and_a_number_with_its_unit_are_not_torn():
    rows: list[tuple[str | Span, ...]] = [("name", "0.9 % [0.1 %, 1.2 %], at least"), ("", "3 µs*")]
    lines = [line.strip() for line in _texts(list(table(rows, wide=20)))]
    assert lines == ["name  0.9 %", "[0.1 %, 1.2 %],", "at least", "3 µs*"]


def test_a_folded_cell_keeps_its_colour():
    lines = table([(Span("well done", Style.GOOD), "x")], wide=8)
    assert [
        line[1].style for line in lines if isinstance(line, tuple) and isinstance(line[1], Span)
    ] == [
        Style.GOOD,
        Style.GOOD,
    ]


def test_without_the_words_there_is_no_star():
    assert starred([("a", "0.5 [0.4, 0.6]")]) == ([("a", "0.5 [0.4, 0.6]")], [])


@pytest.mark.parametrize("words", [["front"], ["cascade", "--order", "votes", "--person", "1"]])
def test_rows_fit_eighty_columns_of_a_terminal_and_stay_whole_for_programs(
    words: list[str], say: Say, first: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("COLUMNS", raising=False)
    asked = [words[0], first, *words[1:]]
    whole = [row for row in say(*asked).out.splitlines() if row.startswith("  ")]
    monkeypatch.setenv("COLUMNS", "80")
    folded = [row for row in say(*asked).out.splitlines() if row.startswith("  ")]
    assert max(map(width, folded)) <= 80 < max(map(width, whole))
    assert len(folded) > len(whole)
