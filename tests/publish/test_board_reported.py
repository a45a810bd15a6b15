"""Published tables: quoted exactly, from whom and from where, and never as if they had been measured."""

from __future__ import annotations

import json
import math
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import DataError, PlanError
from assay.publish.board.reported import (
    FOLDER,
    MAX_BYTES,
    Reported,
    read_reported,
    reported_facts,
    write_reported,
)
from assay.publish.board.tables import Wanted, read_table

HERE = Path(__file__).parents[2]
DATA = Path(os.environ.get("ASSAY_DATA") or HERE.parent / "shared" / "data")
WHOLE = DATA / "open_llm_leaderboard" / "open_llm_leaderboard_2023.jsonl"
EXCERPT = HERE / FOLDER / "open-llm-leaderboard-2023.yaml"
ABOUT = {
    "title": "A table",
    "url": "https://example.org/table",
    "date": "2023-09-15",
    "licence": "MIT",
    "notice": "",
}
CSV = """\
model,ARC,loss,size,seen
org/one,51.5,0.25,1.5,2023
org/two,,0.5,0.135,2023
a name of its own,49,1,,2022
"""


def table(folder: Path, text: str = CSV, name: str = "t.csv", **wanted: object) -> Reported:
    """Return what is read of a table."""
    (folder / name).write_text(text, "utf-8")
    return read_table(folder / name, "t", ABOUT, Wanted(**wanted))


def test_every_number_has_its_line_and_an_empty_cell_is_not_reported(tmp_path):
    found = table(tmp_path, parameters=("size", 1e9), columns=("arc", "loss"), lower=("loss",))
    assert [(row.label, row.hf_repo, row.parameters, row.line) for row in found.rows] == [
        ("org/one", "org/one", 1_500_000_000, 2),
        ("org/two", "org/two", 135_000_000, 3),
        ("a name of its own", None, None, 4),
    ]
    assert [row.cells for row in found.rows] == [
        {"arc": 51.5, "loss": 0.25},
        {"loss": 0.5},
        {"arc": 49.0, "loss": 1.0},
    ]
    assert [(column.id, column.better) for column in found.columns] == [
        ("arc", "higher"),
        ("loss", "lower"),
    ]
    assert found.source.digest == f"sha256:{sha256((tmp_path / 't.csv').read_bytes()).hexdigest()}"


def test_rows_are_taken_by_what_they_say_by_name_and_by_size(tmp_path):
    sized = {"parameters": ("size", 1e9)}
    assert len(table(tmp_path, where=(("seen", "2023"),)).rows) == 2
    assert [r.label for r in table(tmp_path, keep=("org/*",), **sized, most=10**9).rows] == [
        "org/two"
    ]
    with pytest.raises(PlanError, match=r"no row of t\.csv is wanted") as no_row:
        table(tmp_path, where=(("seen", "2021"),))
    assert "seen=2023" in str(no_row.value)


WRONG = {
    "a word in a column that was named": (CSV.replace("51.5", "n/a"), "ARC is 'n/a'", 2),
    "infinity": (CSV.replace("0.5,0.135", "inf,0.135"), "loss is 'inf'", 3),
    "a number of Python": (CSV.replace("51.5", "5_1.5"), "5_1.5", 2),
    "digits of another script": (CSV.replace("51.5", "\u0665\u0661"), "ARC is", 2),
    "a cell too many": (CSV.replace("51.5", "51.5,3"), "6 cells where the head has 5", 2),
    "a name that hides": (CSV.replace("org/two", "org/\u202etwo"), "U\\+202E", 3),
    "no name": (CSV.replace("org/two", ""), "the name of a model is ''", 3),
    "two columns of one name": (CSV.replace("loss", "ARC"), "the same name", 1),
    "a quote that does not end": (CSV.replace("org/two", '"org/two'), "not CSV", None),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_table_that_is_none_is_named_with_its_line(tmp_path, kind):
    text, what, line = WRONG[kind]
    with pytest.raises(DataError, match=what) as error:
        table(tmp_path, text, columns=("ARC", "loss"))
    assert error.value.code == "A200"
    assert error.value.where.endswith(f":{line}" if line else "t.csv")


def test_a_column_that_is_words_in_part_has_to_be_named(tmp_path):
    with pytest.raises(PlanError, match="'ARC' has numbers, and text on line 2"):
        table(tmp_path, CSV.replace("51.5", "n/a"))
    with pytest.raises(PlanError, match="no column 'AR'") as error:
        table(tmp_path, columns=("AR",))
    assert "'ARC'" in error.value.hint


def test_json_lines_are_read_alike_and_other_keys_or_values_are_refused(tmp_path):
    lines = [{"Model": "org/one", "x": 1.5}, {"Model": "org/two", "x": None}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    found = table(tmp_path, text, "t.jsonl")
    assert [(row.line, row.cells) for row in found.rows] == [(1, {"x": 1.5}), (2, {})]
    for bad in ('{"Model": "a"}\n', '{"Model": "a", "x": [1]}\n', '{"Model": "a", "x": NaN}\n'):
        with pytest.raises(DataError, match="A200"):
            table(tmp_path, text + bad, "t.jsonl")


@settings(max_examples=40)
@given(
    labels=st.lists(
        st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)
        .map(lambda text: " ".join(text.split()))
        .filter(bool),
        min_size=1,
        max_size=5,
    ),
    number=st.floats(allow_nan=False, allow_infinity=False),
)
def test_what_is_written_is_read_again_and_gives_the_same_bytes(tmp_path_factory, labels, number):
    folder = tmp_path_factory.mktemp("board")
    made = Reported(
        name="t",
        source=ABOUT | {"file": "t.csv", "digest": f"sha256:{'0' * 64}", "notice": "a\nb\n"},
        columns=[{"id": "x", "label": labels[0]}],
        rows=[{"label": label, "line": 1, "cells": {"x": number}} for label in labels],
    )
    path = write_reported(made, folder)
    before = path.read_bytes()
    found = read_reported(path)
    assert found == made
    assert math.copysign(1, found.rows[0].cells["x"]) == math.copysign(1, number)
    assert write_reported(found, folder).read_bytes() == before


def test_a_file_of_a_board_is_read_strictly(tmp_path):
    path = write_reported(table(tmp_path, columns=("ARC",)), tmp_path)
    text = path.read_text()
    wrong = {
        "license: MIT": ("licence: MIT", "A101"),
        "better: best": ("better: higher", "A102"),
        "{arc: .nan}": ("{arc: 51.5}", "A102"),
        "{arc: 1, hellaswag: 2}": ("{arc: 51.5}", "A102"),
        "url: javascript:alert(1)": ("url: https://example.org/table", "A102"),
        "schema_version: 2": ("schema_version: 1", "A102"),
        "label: &a org/one": ("label: org/one", "A105"),
    }
    for bad, (good, code) in wrong.items():
        assert good in text
        path.write_text(text.replace(good, bad, 1))
        with pytest.raises(PlanError) as error:
            read_reported(path)
        assert error.value.code == code, bad
        assert ".yaml:" in error.value.where
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(PlanError, match="A105"):
        read_reported(path)
    with pytest.raises(PlanError, match="A100"):
        read_reported(tmp_path / "none.yaml")


def test_the_excerpt_of_this_board_is_small_attributed_and_marked_reported():
    found = read_reported(EXCERPT)
    assert len(found.rows) <= 20
    assert all(row.parameters and 10**6 <= row.parameters <= 3 * 10**9 for row in found.rows)
    assert (found.source.licence, "Permission is hereby granted" in found.source.notice) == (
        "MIT",
        True,
    )
    facts = reported_facts(found)
    assert set(facts) == {"name", "source", "columns", "rows"}
    assert not any("low" in cell or "n" in cell for row in facts["rows"] for cell in [row["cells"]])


@pytest.mark.skipif(not WHOLE.is_file(), reason=f"there is no {WHOLE}; set ASSAY_DATA")
def test_every_number_of_the_excerpt_stands_in_the_table_that_it_names():
    excerpt = read_reported(EXCERPT)
    labels = {column.id: column.label for column in excerpt.columns}
    assert excerpt.source.digest == f"sha256:{sha256(WHOLE.read_bytes()).hexdigest()}"
    lines = WHOLE.read_text().splitlines()
    for row in excerpt.rows:
        there = json.loads(lines[row.line - 1])
        assert (there["Model"], there["date"]) == (row.label, "20230915")
        assert {name: float(there[labels[name]]) for name in row.cells} == row.cells
