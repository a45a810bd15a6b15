"""The report on a telephone, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assay import Report
from assay.engine.foreign import open_log
from assay.publish.interop.settings import Choice
from assay.publish.interop.take import take_in
from browsing import chromium

LONG = "a-family-of-models-whose-names-begin-alike-and-are-longer-than-lines"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the page of a run whose systems have long names, 400 pixels wide."""
    folder = tmp_path_factory.mktemp("narrow")
    log = folder / "answers.csv"
    names = [f"{LONG}-{i}" for i in range(6)]
    rows = [f"{name},q{i},{int(i % 3 > 0)}" for name in names for i in range(9)]
    log.write_text("system,sample,correct\n" + "\n".join(rows) + "\n", "utf-8")
    run = take_in(open_log("csv", log, {}), log, out=folder / "run", choice=Choice()).run
    where = folder / "report.html"
    where.write_text(Report(run).html(), "utf-8")
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 400, "height": 900})
        opened.goto(where.as_uri())
        yield opened


def test_a_long_name_leaves_its_numbers_in_sight(page: Any) -> None:
    row = page.locator("#systems tbody tr", has_text=f"{LONG}-3").first
    name, number = row.locator("th").bounding_box(), row.locator("td").first.bounding_box()
    assert name["width"] <= 220
    assert name["x"] + name["width"] <= number["x"] + 1
    assert number["x"] + number["width"] <= 400


def test_nothing_but_tables_is_wider_than_the_page(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_each_system_has_its_own_line_in_the_figure(page: Any) -> None:
    drawn = page.locator("figure svg").first.text_content()
    assert sum(drawn.count(f"lines-{i}") for i in range(6)) >= 6


def test_a_small_figure_is_not_enlarged_and_a_wide_one_can_be_read(page: Any) -> None:
    drawn = page.locator("figure svg").all()
    for svg in drawn:
        own, shown = float(svg.get_attribute("width")), svg.bounding_box()["width"]
        assert min(own, 608) - 1 <= shown <= own + 1
    assert any(float(svg.get_attribute("width")) < 600 for svg in drawn)
