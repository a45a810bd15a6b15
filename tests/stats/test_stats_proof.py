"""The table of docs/statistics.md is what bench/proof.py finds."""

from __future__ import annotations

import importlib
import json
import sys
from math import sqrt
from typing import Any

import pytest

from runs import ROOT

sys.path.insert(0, str(ROOT / "bench"))
proof, cases = (importlib.import_module(name) for name in ("proof", "proof_cases"))
sys.path.pop(0)

KEPT = json.loads((ROOT / "docs" / "coverage.json").read_text("utf-8"))
ROWS = {row["name"]: row for row in KEPT["rows"]}
PLACES = [(case, place) for case in cases.CASES for place in range(len(case.sizes))]
NAMES = [f"{case.name}, {case.sizes[place]}" for case, place in PLACES]


def test_the_page_shows_what_was_kept() -> None:
    page = (ROOT / "docs" / "statistics.md").read_text("utf-8")
    assert proof.tables(KEPT) in page
    assert proof.written(page, KEPT) == page


def test_the_picture_shows_what_was_kept() -> None:
    drawn = (ROOT / "docs" / "coverage.svg").read_text("utf-8")
    for name, said in proof.PICTURED.items():
        assert said in drawn
        assert name in ROWS


def test_every_case_was_simulated_and_nothing_else() -> None:
    assert [row["name"] for row in KEPT["rows"]] == [case.name for case in cases.CASES]
    assert len(ROWS) == len(cases.CASES)
    for case in cases.CASES:
        row = ROWS[case.name]
        assert row["n"] == list(case.sizes)
        assert row["times"] == [case.times(n, KEPT["times"]) for n in case.sizes]


def share(row: dict[str, Any], place: int) -> tuple[float, float, int]:
    """Return a kept share, its variance (as if two more had gone either way), and its number."""
    n = row["defined"][place]
    wide = (row["hits"][place] + 2) / (n + 4)
    return row["hits"][place] / max(n, 1), wide * (1 - wide) / (n + 4), n


@pytest.mark.parametrize(("case", "place"), PLACES, ids=NAMES)
def test_every_interval_covers_and_no_test_errs_more_often_than_it_says(
    case: Any, place: int
) -> None:
    found, variance, n = share(ROWS[case.name], place)
    if case.short or n == 0:
        return
    error = 3 * sqrt(variance)
    if case.is_test:
        assert found <= case.target + error
    else:
        assert found >= case.target - case.swing - error


def test_nothing_that_a_report_prints_falls_short() -> None:
    assert [case.name for case in cases.CASES if case.short and case.printed] == []


@pytest.mark.parametrize(
    "case", [c for c in cases.CASES if "not used" in c.method], ids=lambda c: c.name
)
def test_what_is_not_used_is_worse_for_it(case: Any) -> None:
    row = ROWS[case.name]
    assert min(share(row, place)[0] for place in range(len(case.sizes))) < 0.93


def agrees(case: Any, place: int, *, times: int) -> bool:
    """Whether other draws give the kept share, within five standard errors of either."""
    n = case.sizes[place]
    hits, defined = case.hits(n, times=case.times(n, times), seed=7)
    again = {"hits": [hits], "defined": [defined]}
    (one, v, kept), (other, w, now) = share(ROWS[case.name], place), share(again, 0)
    return not (kept and now) or abs(one - other) <= 5 * sqrt(v + w)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "place"), PLACES, ids=NAMES)
def test_a_few_other_draws_agree(case: Any, place: int) -> None:
    assert agrees(case, place, times=60)


@pytest.mark.heavy
@pytest.mark.parametrize(("case", "place"), PLACES, ids=NAMES)
def test_as_many_other_draws_agree(case: Any, place: int) -> None:
    assert agrees(case, place, times=KEPT["times"])
