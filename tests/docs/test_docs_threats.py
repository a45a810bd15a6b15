"""Every threat and every fault in the manual names a test that exists, or says that nothing covers it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGES = ("docs/security.md", "docs/reliability.md")
ASSETS = {
    *("Model output", "Model files", "Plans", "Plugins", "Submissions", "Foreign logs"),
    *("Archives of runs", "Pull requests", "The report's reader", "The board's reader"),
    *("The terminal", "Spreadsheets", "Keys and tokens"),
}
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@cache
def functions_in(file: str) -> set[str]:
    """Return the names of the tests of a file."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def rows_of(page) -> list[list[str]]:
    """Return the rows of every table, without heads."""
    heads = ({"threat", "what stops it", "test"}, {"fault", "what is promised", "test"})
    return [row for row in page.rows if set(row) not in heads and set("".join(row)) - set("-|")]


@pytest.mark.parametrize("name", PAGES)
def test_every_row_names_tests_that_exist_or_says_that_there_is_none(read, name):
    rows = rows_of(read(name))
    for row in rows:
        assert len(row) == 3, row
        if row[2] == "not covered":
            continue
        named = NAMED.findall(row[2])
        assert ", ".join(f"`{file}::{test}`" for file, test in named) == row[2], row
        for file, test in named:
            assert (TESTS / file).is_file(), f"{name}: {file}"
            assert test in functions_in(file), f"{name}: {file}::{test}"
    covered = [row for row in rows if row[2] != "not covered"]
    assert len(covered) > 30


def test_every_asset_has_its_table(read):
    page = read("docs/security.md")
    parts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", page.text, re.MULTILINE | re.DOTALL))
    assert {title for title, text in parts.items() if "| threat |" in text} >= ASSETS
