"""``assay board reported``."""

from __future__ import annotations

from pathlib import Path

from assay.publish.board.reported import read_reported

from .conftest import Say

ABOUT = ("--name", "t", "--source", "https://example.org/t", "--date", "2023-09-15")
CSV = "model,score,size\norg/a,51.5,1.5\norg/a,,70\norg/b,3,0.135\n"


def test_a_table_is_quoted_on_a_board_that_is_there(say: Say, tmp_path: Path):
    (tmp_path / "t.csv").write_text(CSV)
    asked = ("board", "reported", tmp_path / "t.csv", *ABOUT, "--licence", "MIT")
    asked += ("--board", tmp_path / "board")
    assert say(*asked).code == 2
    (tmp_path / "board" / "models").mkdir(parents=True)
    said = say(*asked, "--parameters", "size=1e9")
    assert said.code == 0, said.err
    assert "3 rows, 2 numbers: score" in said.out
    assert "1 row has the name of an earlier one" in said.out
    found = read_reported(tmp_path / "board" / "models" / "reported" / "t.yaml")
    assert [row.parameters for row in found.rows] == [1_500_000_000, 70_000_000_000, 135_000_000]
    small = say(*asked, "--parameters", "size=1e9", "--most", "3B", "--json")
    assert small.json["rows"] == 2
    for more, hint in (
        (("--most", "3B"), "--parameters"),
        (("--most", "3", "--parameters", "size"), "write digits and K, M or B"),
        (("--parameters", "size=x"), "COLUMN=1e9"),
        (("--where", "size"), "COLUMN=VALUE"),
        (("--unit", "stars"), "one of share, points"),
        (("--notice", tmp_path), "a text file"),
        (("--column", "scor"), "'score'"),
    ):
        said = say(*asked, *more)
        assert (said.code, hint in said.err) == (2, True), said.err
