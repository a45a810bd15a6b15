"""Price tables are dated, whole, and refused where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import DataError, PlanError
from assay.analysis.prices import PriceTable
from assay.core.errors import AssayError
from assay.engine.prices import from_prices, load_prices, shipped, to_prices
from runs import resolve_plan, write_plan

TABLE = """\
name: mine
date: "2026-01-01"
source: an invoice
device: {usd: 100, years: 2, utilisation: 0.5, watts: 10, usd_per_kwh: 0.2}
apis:
  big: {input: 1.0, cached: 0.5, output: 2.0}
scenarios: {low: 0.5, high: 2.0}
"""


@pytest.mark.parametrize("name", shipped())
def test_a_table_that_comes_with_assay_is_dated_and_sourced(name: str) -> None:
    table = load_prices(name)
    assert table.name == name
    assert len(table.date) == len("2026-01-01")
    assert table.source


@pytest.mark.parametrize("name", shipped())
def test_a_table_is_stored_and_read_back(name: str) -> None:
    table = load_prices(name)
    assert to_prices(from_prices(table)) == table


def test_a_table_may_lie_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TABLE)
    text = """
        name: p
        prices: mine.yaml
        tasks: [{use: toy.errands}]
        systems: [{name: votes, use: toy.votes}]
    """
    table = resolve_plan(write_plan(tmp_path, text)).prices
    assert (table.name, table.apis["big"].output) == ("mine", 2.0)


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("watts: 10", "watts: -1", "A204", ":4"),
        ("watts: 10", "watts: many", "A204", ":4"),
        ("utilisation: 0.5", "utilisation: 0", "A204", ":4"),
        ("utilisation: 0.5", "utilisation: 1.5", "A204", ":4"),
        ("years: 2", "years: 0", "A204", ":4"),
        ("usd: 100", "euro: 100", "A204", ":4"),
        ("output: 2.0", "outputs: 2.0", "A204", ":6"),
        ("low: 0.5", "low: 0", "A204", ":7"),
        ("source: an invoice\n", "", "A204", ":1"),
        ("usd: 100", "usd: .inf", "A102", ":4"),
        ("name: mine", "name: &a mine", "A105", ":1"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, place: str
) -> None:
    assert old in TABLE
    (tmp_path / "mine.yaml").write_text(TABLE.replace(old, new))
    with pytest.raises(AssayError) as caught:
        load_prices("mine.yaml", base=tmp_path)
    assert caught.value.code == code
    assert caught.value.where.endswith(f"mine.yaml{place}")
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "7", "[]", "- a"])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises((DataError, PlanError)):
        load_prices("mine.yaml", base=tmp_path)


def test_an_unknown_table_is_refused_with_the_nearest() -> None:
    with pytest.raises(PlanError, match="'laptop'"):
        load_prices("labtop")


BOOK = """\
name: book
date: "2026-11-01"
source: list prices
device: {usd_per_hour: 0.4, utilisation: 0.5}
devices:
  box: {usd: 3000, years: 3, utilisation: 0.2, watts: 200, usd_per_kwh: 0.3}
apis:
  mini: {genai: "openai:gpt-4o-mini"}
systems: {votes: mini}
"""


def load(folder: Path, text: str) -> PriceTable:
    (folder / "book.yaml").write_text(text)
    return load_prices("book.yaml", base=folder)


def test_a_served_model_is_looked_up_once_and_kept_as_numbers(tmp_path: Path) -> None:
    table = load(tmp_path, BOOK)
    mini = table.apis["mini"]
    assert 0 < mini.cached < mini.input < mini.output < 10
    assert "genai-prices" in mini.source
    assert "2026-11-01" in mini.source
    assert to_prices(from_prices(table)) == table


def test_without_a_price_for_cached_tokens_they_cost_as_much_as_fresh_ones(tmp_path: Path) -> None:
    text = BOOK.replace('{genai: "openai:gpt-4o-mini"}', "{input: 2.0, output: 8.0}")
    assert load(tmp_path, text).apis["mini"].cached == 2.0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("votes: mini", "votes: maxi", "priced by 'maxi'"),
        ("gpt-4o-mini", "gpt-none", "genai-prices knows no"),
        ("openai:", "nobody:", "genai-prices knows no"),
        ('"2026-11-01"', '"last week"', "is no day"),
        ("utilisation: 0.5", "utilisation: 0", "device.utilisation"),
        ("box:", "mini:", "is a device and a served model"),
        ("usd_per_hour: 0.4", "usd_per_hour: 0.4, watts: 3", "device.watts"),
    ],
)
def test_a_wrong_price_book_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load(tmp_path, BOOK.replace(old, new))
    assert caught.value.code == "A204"
    assert "book.yaml" in caught.value.where


def test_a_price_for_a_system_that_is_not_there_is_a_typo(tmp_path: Path) -> None:
    (tmp_path / "book.yaml").write_text(BOOK.replace("votes: mini", "vots: mini"))
    text = """
        name: p
        prices: book.yaml
        tasks: [{use: toy.errands}]
        systems: [{name: votes, use: toy.votes}]
    """
    with pytest.raises(PlanError, match="'vots'") as caught:
        resolve_plan(write_plan(tmp_path, text))
    assert (caught.value.code, caught.value.hint) == ("A103", "did you mean 'votes'?")
