"""A plugin's own files are read as strictly as plans are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from assay import PlanError
from assay.documents import read_yaml
from assay.templates import fields, fill


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Inner(Strict):
    depth: int = 1
    height: float = 1.0


class Box(Strict):
    name: str
    inside: Inner | None = None
    parts: list[Inner] = []


def read(tmp_path: Path, text: str) -> Box:
    path = tmp_path / "box.yaml"
    path.write_text(text, "utf-8")
    return read_yaml(path, Box, what="box", begins="begin with `name:`", page="the page").value


def test_a_file_becomes_its_model(tmp_path):
    made = read(tmp_path, "name: one\ninside: {depth: 2}\nparts: [{height: 3}]\n")
    assert made == Box(name="one", inside=Inner(depth=2), parts=[Inner(height=3.0)])


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        ("name: one\ninside:\n  depht: 2\n", "A101", 3, "did you mean 'depth'?"),
        ("name: one\nparts:\n  - depth: 1\n  - heigth: 2\n", "A101", 4, "did you mean 'height'?"),
        ("nmae: one\n", "A101", 1, "did you mean 'name'?"),
        ("name: one\ninside:\n  depth: deep\n", "A102", 3, "see the page"),
        ("name: one\nname: two\n", "A100", 2, "keep one of them"),
        ("inside: {}\n", "A100", 1, "see the page"),
        ("- name\n", "A102", 1, "begin with `name:`"),
        ("", "A100", 0, "begin with `name:`"),
        ("name: &a one\n", "A105", 1, "write the value out"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(tmp_path, text, code, line, said):
    with pytest.raises(PlanError) as caught:
        read(tmp_path, text)
    assert caught.value.code == code
    assert said in (caught.value.hint or "")
    if line:
        assert caught.value.where.endswith(f"box.yaml:{line}")


def test_what_a_file_is_called_stands_in_its_errors(tmp_path):
    (tmp_path / "box.yaml").write_bytes(b"name: " + b"x" * 300_000)
    with pytest.raises(PlanError, match="a box has at most 262,144 bytes"):
        read_yaml(tmp_path / "box.yaml", Box, what="box", begins="")


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
PLAIN = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(PLAIN, NAMES), max_size=5), st.dictionaries(NAMES, st.text(max_size=8)))
def test_what_is_filled_in_is_never_read_again(parts, others):
    """Values with braces stay what they are, and every field is found."""
    values = {name: f"{{{name}}} {{other}}" for _, name in parts} | others
    template = "".join(f"{text}{{{name}}}" for text, name in parts)
    assert set(fields(template)) == {name for _, name in parts}
    assert fill(template, values) == "".join(text + values[name] for text, name in parts)


@given(PLAIN, NAMES)
def test_doubled_braces_are_the_name_in_single_ones(text, name):
    assert fields(f"{text}{{{{{name}}}}}") == ()
    assert fill(f"{text}{{{{{name}}}}}", {}) == f"{text}{{{name}}}"


def test_braces_of_code_are_no_fields():
    rust = 'fn main() { let a = [1]; } json: {"a": 1} {}'
    assert fields(rust) == ()
    assert fill(rust, {}) == rust


def test_a_field_that_nobody_has_names_the_nearest():
    with pytest.raises(PlanError, match="pyhton_code") as caught:
        fill("{pyhton_code}", {"python_code": ""})
    assert "did you mean 'python_code'?" in caught.value.hint
