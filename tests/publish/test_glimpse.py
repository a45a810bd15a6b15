"""A run as a notebook shows it: small, true, and harmless."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from assay import Run


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module")
def loaded(smoke) -> Run:
    return Run.load(smoke.root)


def test_a_glance_has_decision_claims_and_systems_and_is_small(loaded):
    page = loaded._repr_html_()
    assert len(page.encode()) < 8_000
    words = " ".join(Elements(page).words.replace("\u00a0", " ").split())
    assert loaded.decision["toy.errands"]["says"] in words
    assert words.count("✓ supported") == 3
    for system in loaded.manifest.systems:
        assert system in words
    accuracy = loaded.estimate("accuracy", "last-word")
    assert f"{accuracy.value:.2f} [{accuracy.low:.2f}, {accuracy.high:.2f}]" in words


def test_a_glance_at_hostile_texts_acts_on_nothing(harmed):
    found = Elements(harmed._repr_html_())
    assert found.tags <= {
        "div",
        "b",
        "code",
        "ul",
        "li",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert found.names <= {"style", "scope"}
    assert "<script>" in found.words


def test_a_glance_at_a_run_without_times_claims_or_classes_is_one_table(bare):
    words = Elements(bare._repr_html_()).words
    assert "echo" in words
    assert "supported" not in words


def test_in_a_terminal_a_run_is_a_line(loaded):
    assert repr(loaded) == f"<Run smoke at {loaded.path}: 5 systems>"


def test_a_name_of_somebody_else_neither_drives_a_terminal_nor_fills_a_notebook(loaded):
    name = "\x1b]0;x\x07\u202e\n" + "a" * 3_000_000
    other = replace(loaded, manifest=loaded.manifest.model_copy(update={"name": name}))
    assert repr(other).isprintable()
    assert len(repr(other)) < 3_000
    assert len(other._repr_html_()) < 12_000


def test_records_are_a_frame_whose_counts_are_those_of_the_journals(loaded):
    frame = pd.DataFrame(loaded.records)
    cells = {(c.system, c.seed, c.split): c.n for c in loaded.provenance.cells}
    counted = frame.groupby(["system", "seed", "split"]).size().to_dict()
    assert counted == cells
    assert frame.notna()[["task", "system", "sample", "outcome", "group"]].all().all()


@pytest.mark.heavy
def test_records_are_a_frame_of_polars_too_value_for_value(loaded):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame(loaded.records, nan_to_null=True)
    known = pd.DataFrame(loaded.records)
    assert frame.columns == list(known.columns)
    for name in frame.columns:
        assert (
            frame[name].to_list()
            == known[name].astype(object).where(known[name].notna(), None).to_list()
        )
    assert frame["seed"].dtype == polars.Int64


@pytest.mark.heavy
def test_what_was_not_measured_is_null_in_polars_and_no_part_of_a_mean(loaded):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame(loaded.records, nan_to_null=True)
    of = {
        name: frame.filter(polars.col("system") == name)["confidence"]
        for name in ("silent", "votes")
    }
    assert of["silent"].null_count() == of["silent"].len()
    assert of["silent"].mean() is None
    assert not of["votes"].null_count()
    assert of["votes"].mean() == pytest.approx(
        pd.DataFrame(loaded.records).query("system == 'votes'")["confidence"].mean()
    )
