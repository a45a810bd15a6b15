"""Samples are read back as they were written, and have one fingerprint in any order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, Sample
from assay.core.errors import SealError
from assay.store.samples import (
    digested,
    fingerprint,
    plain_line,
    read_samples,
    sample_line,
    write_samples,
)
from strategies import samples

SETS = st.lists(samples(), max_size=6, unique_by=lambda s: s.id)


@given(made=SETS)
def test_samples_are_read_back_as_they_were_written(
    made: list[Sample], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.jsonl"
    write_samples(path, made)
    # A sample without a group is stored in a group of its own.
    assert read_samples(path) == [replace(s, group=s.cluster) for s in made]


@given(made=SETS, data=st.data())
def test_the_fingerprint_does_not_depend_on_order(made: list[Sample], data: st.DataObject) -> None:
    assert fingerprint(made) == fingerprint(data.draw(st.permutations(made)))


@given(sample=samples(), other=samples())
def test_the_fingerprint_depends_on_everything_else(sample: Sample, other: Sample) -> None:
    for change in ("id", "input", "target", "group", "tags"):
        twin = replace(sample, **{change: getattr(other, change)})
        same = sample_line(twin) == sample_line(sample)
        assert (fingerprint([twin]) == fingerprint([sample])) == same


@given(sample=samples())
def test_a_sample_of_plain_json_can_be_stored(sample: Sample) -> None:
    plain_line(sample)
    plain_line(replace(sample, group=sample.cluster))


def test_no_samples_have_a_fingerprint_too() -> None:
    assert fingerprint([]) != fingerprint([Sample(id="a", input=None)])


@pytest.mark.parametrize(
    "bad",
    [
        Sample(id="s", input=float("nan")),
        Sample(id="s", input={"deep": [float("inf")]}),
        Sample(id="s", input=(1, 2)),
        Sample(id="s", input={1: "one"}),  # type: ignore[dict-item]
        Sample(id="s", input={1, 2}),  # type: ignore[arg-type]
        Sample(id="s", input="\ud800"),
        Sample(id="\udfff", input=""),
        Sample(id=7, input=""),  # type: ignore[arg-type]
        Sample(id="s", input="", group=7),  # type: ignore[arg-type]
        Sample(id="s", input="", target=Answer(("a", "b"))),
        Sample(id="s", input="", target=Answer(float("nan"))),
        Sample(id="s", input="", target=Answer(b"bytes")),  # type: ignore[arg-type]
        Sample(id="s", input="", target=Bottom("\ud800")),
        Sample(id="s", input="", tags=frozenset({3})),  # type: ignore[arg-type]
    ],
    ids=lambda s: repr(s)[:60],
)
def test_a_sample_that_would_be_read_back_otherwise_is_refused(bad: Sample) -> None:
    with pytest.raises(DataError) as caught:
        plain_line(bad)
    assert caught.value.code == "A200"
    assert repr(bad.id) in caught.value.what
    assert "plain JSON" in caught.value.hint


@pytest.mark.parametrize("damage", ["{", "7", '{"id": 3}', "\x00"])
def test_a_sample_file_that_cannot_be_read_names_its_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "test.jsonl"
    write_samples(path, [Sample(id="a", input=1), Sample(id="b", input=2)])
    path.write_text(path.read_text() + damage)
    with pytest.raises(SealError) as caught:
        read_samples(path)
    assert caught.value.where == f"{path}:3"


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_line_breaks_inside_a_sample_do_not_break_its_line(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "breaks.jsonl"
    made = [Sample(id="a", input=f"\r\n{text}\x85\u2028"), Sample(id="b", input=text)]
    write_samples(path, made)
    assert [s.input for s in read_samples(path)] == [s.input for s in made]


def test_what_a_target_answers_is_kept_and_how_sure_it_is_is_not(tmp_path: Path) -> None:
    """A target is right; it has no confidence that anything could be computed from."""
    path = tmp_path / "t.jsonl"
    target: Any = Answer("x", 0.4, {"lower": 1.0})
    write_samples(path, [Sample(id="a", input=0, target=target, group="g")])
    assert read_samples(path)[0].target == Answer("x", scores={"lower": 1.0})


def test_what_is_known_beside_a_reason_is_kept_and_counts_in_the_fingerprint(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.jsonl"
    made = [Sample(id="a", input=0, target=Bottom("below", Answer(5.0)), group="g")]
    write_samples(path, made)
    assert read_samples(path) == made
    assert fingerprint(made) != fingerprint([replace(made[0], target=Bottom("below"))])


def test_of_what_may_not_be_copied_nothing_known_of_the_value_is_kept() -> None:
    told = [Answer(2.0, scores={"lower": 1.0}), Bottom("below", Answer(5.0))]
    kept = [digested(Sample(id="a", input=0, target=target)).target for target in told]
    assert kept[1] == Bottom("below")
    assert isinstance(kept[0], Answer)
    assert not kept[0].scores
