"""What a model is called, how large it says it is, under which licence: words of strangers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.publish.board.licences import NAMED, SPDX, canonical, suggested
from assay.publish.board.naming import MOST, fault_of_text, model_id, same_name, system_name
from assay.publish.board.parameters import parse_parameters, spell_parameters

COUNTS = st.integers(min_value=1, max_value=10**13)


@given(COUNTS)
@example(999_999)
@example(999_499_999)
@example(1)
def test_a_number_of_parameters_that_is_spelt_is_read_again_to_half_a_per_cent(count):
    again = parse_parameters(spell_parameters(count))
    assert abs(again - count) <= max(0.005 * count, 0.5)
    assert spell_parameters(max(again, 1)) == spell_parameters(count)


def test_a_number_that_no_file_holds_is_spelt_all_the_same():
    assert spell_parameters(10**400).startswith("1000")


@given(
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=0, max_value=999),
    st.sampled_from("KMBkmb"),
)
def test_digits_and_a_unit_mean_what_they_say(whole, part, unit):
    size = {"k": 10**3, "m": 10**6, "b": 10**9}[unit.lower()]
    assert parse_parameters(f"{whole}.{part:03}{unit}") == (whole * 1000 + part) * size // 1000


@pytest.mark.parametrize(
    "text",
    ["1.5", "B", "1.5.5B", "-1M", "+1M", "1e3M", "1 B", " 1B", "1B\n", "1_000M", "1,5B", "\uff11B", "\u0663M",
     "infB", "nanM", "1BB", "1T", ".B", "1.M", "9" * 5000 + "B", ""],
)  # fmt: skip
def test_what_is_no_number_of_parameters_is_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match=r"135M or 1\.5B"):
        parse_parameters(text)


@given(st.text(max_size=200))
@example("..")
@example("CON")
@example("a/../../b")
@example("\ud800")
def test_an_id_is_a_safe_name_of_a_file_whatever_the_model_is_called(name):
    made = model_id(name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", made)
    assert len(made) <= MOST
    assert ".." not in made
    assert model_id(made) == made
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", system_name(name))


@given(st.text(max_size=60))
def test_a_name_is_the_same_as_itself_in_other_case(name):
    assert same_name(name, name.swapcase()) or name.swapcase().swapcase() != name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\u202eb", "nobody sees"),  # turns the direction
        ("a\u200bb", "nobody sees"),  # no width
        ("a\u200db", "nobody sees"),  # joins
        ("a\x1b[31mb", "nobody sees"),
        ("a\nb", "nobody sees"),
        ("a\x00b", "nobody sees"),
        ("Gem\u043ca", "CYRILLIC and LATIN"),  # a word of two alphabets
        ("<script>alert(1)</script>", "no name needs"),
        ("a`id`", "no name needs"),
        ("$(id)", "no name needs"),
        ("  ", "blank"),
        ("x" * 81, "81 characters"),
    ],
)
def test_a_name_that_is_made_to_deceive_is_refused(text, said):
    assert said in (fault_of_text(text, most=80) or "")


@pytest.mark.parametrize(
    "name", ["SmolLM2-135M-Instruct", "Gemma 3 (270M)", "Qwen2.5/Coder", "模型-1"]
)
def test_names_as_models_have_them_may_stand(name):
    assert fault_of_text(name, most=80) is None


@given(st.sampled_from((*SPDX, *NAMED)))
def test_a_licence_is_known_in_any_case_and_with_any_marks(name):
    assert canonical(name) == name
    assert canonical(name.lower()) == name
    assert canonical(name.upper().replace(" ", "-")) == name


def test_a_licence_that_nobody_knows_gets_the_nearest_one():
    assert canonical("Free") is None
    assert suggested("CC-BY-SA4") == "did you mean 'CC-BY-SA-4.0'?"
    assert "LicenseRef-" in suggested("zzzzzz")


def test_a_board_finds_both_endings_and_no_links(tmp_path: Path):
    from assay.publish.board.folder import submissions_of

    folder = tmp_path / "models" / "submissions"
    folder.mkdir(parents=True)
    for name in ("b.yml", "a.yaml", "c.json"):
        (folder / name).write_text("")
    (folder / "d.yaml").symlink_to("/etc/passwd")
    assert [path.name for path in submissions_of(tmp_path)] == ["a.yaml", "b.yml"]
