"""Figures of plugins: drawn as the report's own, part of the report, and checked like it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay import Bottom, DataError, PlanError, PluginError, Report, Run
from assay.core.verdict import Outcome
from assay.figures import INK, draw, plot_categorical_reliability, plot_confusion_matrix
from assay.publish.derive import derive
from assay.sections import colours, pairwise, shipped
from publish.harm import HARM
from publish.test_sections import plugin

BARS = {
    "mark": "bar",
    "encoding": {
        "x": {"field": "n", "type": "quantitative"},
        "y": {"field": "who", "type": "nominal"},
        "description": {"field": "tip"},
    },
}
DRAWN = (
    "Section('mine', 'Mine', (Figure(draw({'mark': 'bar', 'encoding': {'x': {'field': 'n', "
    "'type': 'quantitative'}}}, {'rows': [{'n': 1}]}, file='figures/mine/bars.svg', says='Ones')),))"
)


def bars(rows: list[dict[str, object]], file: str = "figures/bars.svg") -> str:
    return draw(BARS, {"rows": rows}, file=file, says="Bars.").svg


@pytest.mark.parametrize("key", ["system", "who"])
def test_names_that_differ_in_their_last_letters_are_two_lines_of_a_figure(key: str) -> None:
    family = "a-family-of-models-whose-names-begin-alike-and-are-longer-than-a-line"
    spec = {**BARS, "encoding": {**BARS["encoding"], "y": {"field": key, "type": "nominal"}}}
    rows = [{key: f"{family}-{i:02}{end}", "n": i + 1} for end in ("", family) for i in range(5)]
    drawn = draw(spec, {"rows": rows}, file="figures/bars.svg", says="Bars.").svg
    names = [text for text in re.findall(">([^<]*)</text>", drawn) if text.startswith("a-family")]
    assert len(names) == len(rows)
    if key == "system":
        assert len(set(names)) == len(rows)
        assert names[3].endswith("ger-than-a-line-03")


def test_a_figure_of_a_section_is_linked_inlined_and_verified(
    bare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plugin(tmp_path, monkeypatch, "drawing", DRAWN):
        derive(bare, bare.dir.derived)
        report = Report(bare)
        assert "![Ones](figures/mine/bars.svg)" in report.markdown()
        assert 'aria-label="Ones"' in report.html()
        assert bare.verify() == []
        file = bare.dir.derived / "figures" / "mine" / "bars.svg"
        file.write_text(file.read_text("utf-8").replace("path", "Path", 1), "utf-8")
        [fault] = bare.verify()
        assert fault.path == "derived/figures/mine/bars.svg"
        derive(bare, bare.dir.derived)


def test_two_figures_of_one_name_are_refused(
    bare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = DRAWN.replace("says='Ones')),", "says='Ones')), Figure(draw({'mark': 'bar'}, {'rows': [{'n': 1}]},"
                        " file='figures/mine/bars.svg', says='Others')),")  # fmt: skip
    with (
        plugin(tmp_path, monkeypatch, "drawtwo", two),
        pytest.raises(PluginError, match=r"two figures of one report are called"),
    ):
        Report(bare).files()


@pytest.mark.parametrize("text", HARM)
def test_what_is_said_of_a_mark_is_text(text: str) -> None:
    root = ET.fromstring(bars([{"who": text, "n": 1, "tip": text}]))
    assert {e.tag.rpartition("}")[2] for e in root.iter()} <= {
        *("svg", "g", "path", "line", "rect", "text", "title", "defs", "clipPath", "tspan"),
    }
    assert [e for e in root.iter() if e.tag.endswith("title")]


def test_equal_rows_are_equal_bytes_and_ink_follows_the_page() -> None:
    rows = [{"who": "a", "n": 1 / 3, "tip": "a"}]
    drawn = draw(BARS, {"rows": rows}, file="figures/bars.svg", says="Bars.")
    assert drawn.svg == bars(rows)
    assert INK in drawn.svg
    assert INK not in drawn.inline
    assert not re.search(r"[ML,(]\d+\.\d{2}", drawn.svg)


@pytest.mark.parametrize("file", ["bars.svg", "figures/../x.svg", "/figures/x.svg", "figures/x.png", "figures/a b.svg"])  # fmt: skip
def test_a_figure_stands_below_figures(file: str) -> None:
    with pytest.raises(PluginError, match="a figure cannot be called"):
        bars([{"who": "a", "n": 1, "tip": "a"}], file)


def test_no_figure_loads_anything_and_none_is_heavy() -> None:
    far = {**BARS, "data": {"url": "https://example.com/rows.json"}}
    with pytest.raises(PluginError, match="cannot be drawn"):
        draw(far, {}, file="figures/far.svg", says="Far.")
    rows = [{"who": str(i), "n": i, "tip": "x" * 150} for i in range(3000)]
    with pytest.raises(PluginError, match="may have 500,000"):
        bars(rows)


def test_a_confusion_matrix_counts_what_was_said_of_what_is_there() -> None:
    svg = plot_confusion_matrix(
        ["a"] * 4 + ["b"], ["a", "a", "a", "b", "b"], panel=["one"] * 4 + ["two"]
    ).svg
    told = re.findall(r"<title>([^<]+)</title>", svg)
    assert "one: a said as b: 1 of 4 (25 %)" in told
    assert "two: b said as b: 1 of 1 (100 %)" in told
    assert "one: b said as a: never asked" in told
    with pytest.raises(DataError, match="A202"):
        plot_confusion_matrix(["a"], [])
    with pytest.raises(DataError, match="join rare categories"):
        plot_confusion_matrix([str(i) for i in range(40)], [str(i) for i in range(40)])


def test_a_notebook_shows_a_figure_and_what_it_says_as_text() -> None:
    drawn = plot_confusion_matrix(["<b>", "a"], ["a", "a"])
    shown = replace(drawn, says="<script>1 < 2</script>")._repr_html_()
    assert drawn.inline in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;1 &lt; 2" in shown


def test_classes_of_numpy_are_categories_in_the_order_of_their_numbers() -> None:
    truth, said = np.array([10, 9, 9]), np.array([10, 9, 10])
    told = re.findall(r"<title>([^<]+)</title>", plot_confusion_matrix(truth, said).svg)
    assert told[0].startswith("9 said as 9: 1 of 2")
    assert "10 said as 10: 1 of 1 (100 %)" in told
    assert (
        plot_confusion_matrix(truth, said.astype(float)).svg
        == plot_confusion_matrix(truth, said).svg
    )
    drawn = plot_confusion_matrix(["a", None], ["a", "a"])
    assert "None said as a: 1 of 1" in drawn.svg
    drawn = plot_categorical_reliability([[0.2, 0.8]], np.array([1]), categories=np.array([0, 1]))
    assert "1: given 0.8, came true in 1 of 1" in drawn.svg


def test_what_cannot_be_drawn_of_categories_says_what_to_give() -> None:
    one = {"probabilities": [[0.5, 0.5]], "truth": ["a"], "categories": ["a", "b"]}
    for wrong in (
        {"probabilities": [[0.5, 0.5], [0.5]]},
        {"probabilities": [["x", "y"]]},
        {"truth": ["c"]},
        {"categories": ["a", "a"]},
        {"bins": 0},
    ):
        with pytest.raises(DataError, match="A202") as caught:
            plot_categorical_reliability(**{**one, **wrong})
        assert caught.value.hint


def test_a_reliability_diagram_of_categories_shows_what_came_true() -> None:
    given = [[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.9, 0.1]]
    svg = plot_categorical_reliability(
        given, ["b", "b", "a", "b"], categories=("a", "b"), bins=2
    ).svg
    told = re.findall(r"<title>([^<]+)</title>", svg)
    assert told == [
        "a: given 0.15, came true in 0 of 2",
        "a: given 0.8, came true in 1 of 2",
        "b: given 0.2, came true in 1 of 2",
        "b: given 0.85, came true in 2 of 2",
    ]
    for wrong in ([[0.5]], [[1.5, -0.5]] * 4):
        with pytest.raises(DataError, match="A202"):
            plot_categorical_reliability(wrong, ["a"] * 4, categories=("a", "b"))
    with pytest.raises(DataError, match="'c' is no category"):
        plot_categorical_reliability(given, ["c"] * 4, categories=("a", "b"))


def test_records_are_read_as_tables_count_them(harmed: Run) -> None:
    [task] = harmed.results.cases
    case = harmed.results.cases[task]
    assert case.thresholds
    for system in colours(harmed):
        table = case.tables[system]
        for row, seed in enumerate(table.seeds):
            found = {r.sample: r for _, r in shipped(harmed, system, seed=seed) if not r.attempt}
            said = harmed.read(system, seed=seed)
            before = {r.sample: r for _, r in said if not r.attempt}
            for name, code in zip(table.samples, table.outcome[row].tolist(), strict=True):
                record = found[name]
                assert record.verdict.outcome is tuple(Outcome)[code]
                if record != before[name]:
                    assert isinstance(record.said, Bottom)
                    assert record.said.proposal == before[name].said


def test_pairs_of_systems_are_tested_together(harmed: Run) -> None:
    [task] = harmed.results.cases
    case = harmed.results.cases[task]
    found = pairwise(harmed)
    n = len(case.rivals)
    assert len(found) == n * (n - 1) // 2
    for one in found:
        assert one.estimate == case.compare(one.system, one.against, case.headline.name)
        assert one.p is None or one.p <= one.adjusted <= 1
    least = min((one for one in found if one.p is not None), key=lambda one: one.p)
    assert least.adjusted == pytest.approx(min(1, least.p * len(found)))


def test_some_pairs_are_a_family_of_their_own(harmed: Run) -> None:
    one, other = next(iter(harmed.results.cases.values())).rivals[:2]
    [pair] = pairwise(harmed, systems=(one, other))
    assert pair.p is None or pair.adjusted == pair.p
    with pytest.raises(PlanError, match="no system is called 'nobody'"):
        pairwise(harmed, systems=(one, "nobody"))
