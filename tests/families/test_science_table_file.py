"""Tables are read strictly: what cannot be used is an error with its line, and nothing is guessed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError
from assay.families.science.domains import features as columns
from assay.families.science.domains import sheet as sheets
from assay.families.science.domains.drawn import SPLITS
from assay.families.science.domains.features import read_features
from assay.families.science.domains.sheet import read_cell, read_sheet
from assay.families.science.domains.table import table

finite = st.floats(allow_nan=False, allow_infinity=False)


def written(path: Path, *rows: str) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def features(path: Path, names=(), kept=(), categorical=()):
    return read_features(read_sheet(path), names, kept=kept, categorical=categorical)


@given(rows=st.lists(st.tuples(finite, finite), min_size=1, max_size=8))
def test_numbers_are_read_as_they_were_written(rows, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    as_csv = written(folder / "n.csv", "a,b", *(f"{a!r},{b!r}" for a, b in rows))
    as_json = written(folder / "n.jsonl", *(json.dumps({"a": a, "b": b}) for a, b in rows))
    for path in (as_csv, as_json):
        found = features(path)
        assert found.names == ("a", "b")
        assert found.x.tolist() == [list(row) for row in rows]


def test_a_list_in_json_is_a_column_for_each_number(tmp_path):
    path = written(tmp_path / "t.jsonl", '{"x": [1, 2], "y": 3}', '{"x": [4, 5], "y": 6}')
    sheet = read_sheet(path)
    assert sheet.names == ("x[0]", "x[1]", "y")
    assert features(path, ["x"]).x.tolist() == [[1, 2], [4, 5]]
    assert features(path, ["x[1]"]).names == ("x[1]",)
    assert features(path, kept=["y"]).names == ("x[0]", "x[1]")


def test_text_is_a_column_of_zeros_and_ones_for_each_category(tmp_path):
    path = written(tmp_path / "t.csv", "a,colour", "1,red", "2,blue", "3,red", "4,")
    found = features(path)
    assert found.names == ("a", "colour=blue", "colour=red")
    np.testing.assert_equal(found.x[:, 1:], [[0, 1], [1, 0], [0, 1], [np.nan, np.nan]])


def test_a_column_of_numbers_can_be_declared_categorical_and_keeps_its_zeros(tmp_path):
    path = written(tmp_path / "t.csv", "code,y", "007,1", "7,2", "A1,3")
    with pytest.raises(DataError, match=r"t\.csv:4(.|\n)*categorical"):
        features(path, ["code"])
    assert features(path, ["code"], categorical=["code"]).names == (
        "code=007",
        "code=7",
        "code=A1",
    )


def test_text_with_too_many_values_is_an_error_that_says_how_to_leave_it_out(tmp_path):
    rows = [f"{i},name {i}" for i in range(columns.MOST_CATEGORIES + 1)]
    path = written(tmp_path / "t.csv", "a,who", *rows)
    with pytest.raises(DataError, match=r"21 different values(.|\n)*features"):
        features(path)
    assert features(path, ["a"]).names == ("a",)


@pytest.mark.parametrize(
    ("lines", "at", "why"),
    [
        (["a,a", "1,2"], 1, "two columns are called 'a'"),
        (["a,", "1,2"], 1, "has no name"),
        (["1,2", "3,4"], 1, "row of numbers"),
        (["a,b", "1,2", "3"], 3, "1 fields"),
        (["a,b", "1,2", "", "3,4,5"], 4, "3 fields"),
        (["a,b", '1,"2'], 2, "not CSV"),
        (["a,b", "1,2", "1,inf"], 3, "not finite"),
        (["a,b", "1,1e999"], 2, "not finite"),
    ],
)
def test_a_csv_row_that_cannot_be_used_is_an_error_with_its_line(lines, at, why, tmp_path):
    path = written(tmp_path / "t.csv", *lines)
    with pytest.raises(DataError, match=why) as raised:
        features(path)
    assert raised.value.code == "A200"
    assert raised.value.where == f"{path}:{at}"
    assert raised.value.hint


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[1, 2]", "not a JSON object"),
        ("{}", "not a JSON object"),
        ('{"a": 1', "not JSON"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": 1}', "'b' stands"),
        ('{"a": 1, "b": 2, "c": 3}', "'c' stands"),
        ('{"a": 1, "b": {}}', "neither a number nor text"),
        ('{"a": 1, "b": [1]}', "neither a number nor text"),
        ('{"a": NaN, "b": 1}', "not finite"),
        ('{"a": 1' + "0" * 400 + ', "b": 1}', "not finite"),
    ],
)
def test_a_json_row_that_cannot_be_used_is_an_error_with_its_line(line, why, tmp_path):
    path = written(tmp_path / "t.jsonl", '{"a": 1, "b": 2}', line)
    with pytest.raises(DataError, match=why) as raised:
        features(path)
    assert raised.value.where == f"{path}:2"


@pytest.mark.parametrize("word", ["\uff11", "1_000", "0x10", "1,5", "one"])
def test_what_only_python_reads_as_a_number_is_text(word, tmp_path):
    path = written(tmp_path / "t.csv", "a,b", f'1,"{word}"')
    assert read_cell(read_sheet(path), 0, 1) == word


@pytest.mark.parametrize("rows", [[], ["a,b"]])
def test_a_table_without_rows_is_an_error(rows, tmp_path):
    with pytest.raises(DataError, match="no rows"):
        read_sheet(written(tmp_path / "t.csv", *rows))


def test_a_file_that_is_no_text_or_not_there_is_an_error(tmp_path):
    path = tmp_path / "t.csv"
    with pytest.raises(DataError, match="cannot be read"):
        read_sheet(path)
    path.write_bytes(b"a,b\n1,\xff\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_sheet(path)


def test_sizes_are_bounded_while_the_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    path = written(tmp_path / "t.csv", "a,b", "1,1", "2,2", "3,3")
    with pytest.raises(DataError, match="more than 2 rows"):
        read_sheet(path)
    wide = written(tmp_path / "w.csv", "a,b", f"1,{'x' * (sheets.MOST_FIELD + 1)}")
    with pytest.raises(DataError, match="characters"):
        read_sheet(wide)


def test_a_packed_table_is_the_same_table(tmp_path):
    plain = written(tmp_path / "t.csv", "a,b", "1,2", "3,4")
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert features(packed).x.tolist() == features(plain).x.tolist()


def test_a_column_that_is_not_there_has_its_nearest_name_in_the_hint(tmp_path):
    path = written(tmp_path / "t.csv", "strength,age", "1,2")
    with pytest.raises(DataError, match="did you mean 'strength'"):
        table(path=path, target="strenght").samples("test")


def gappy(path: Path) -> Path:
    rows = [f"{i},{i % 5},{i}" for i in range(40)]
    rows[3], rows[17] = "3,NA,3", "17,2,"
    return written(path, "a,b,y", *rows)


def test_a_missing_value_is_an_error_with_its_line_unless_the_plan_says_what_to_do(tmp_path):
    path = gappy(tmp_path / "t.csv")
    with pytest.raises(DataError, match=r"'b' is missing(.|\n)*t\.csv:5"):
        table(path=path, target="y").samples("test")
    with pytest.raises(DataError, match=r"the target is missing(.|\n)*t\.csv:19"):
        table(path=path, target="y", missing="mean").samples("test")
    task = table(path=path, target="y", missing="drop")
    ids = {s.id for part in SPLITS for s in task.samples(part)}
    assert len(ids) == 38
    assert not ids & {"line/5", "line/19"}
    assert task.caveats() == ("2 rows were left out: something in them is missing",)


def test_a_missing_feature_becomes_the_mean_of_the_training_rows_alone(tmp_path):
    rows = [f"{i},{i},{'test' if i >= 30 else 'train'},{i}" for i in range(40)]
    rows[35] = "35,,test,35"
    path = written(tmp_path / "t.csv", "a,b,part,y", *rows)
    task = table(path=path, target="y", split="part", missing="mean")
    [row] = [s for s in task.samples("test") if s.id == "line/37"]
    known = [s.input[1] for s in task.samples("train")]
    assert row.input == [35.0, pytest.approx(np.mean(known), rel=1e-6)]
    assert task.caveats() == ("1 missing features are the mean of the training rows",)
