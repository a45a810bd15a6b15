"""The report: of the run and nothing else, and no number without its interval."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import numpy as np

from assay.publish.document import Section, Table
from assay.publish.report import Report
from publish.harm import TASK

NUMBER = re.compile(
    r"(not measured \(.+\)"
    r"|.*\[.+, .+\].* n=\d+(x\d+)?.*"
    r"|.*\(these questions only\) n=\d+.*"
    r"|[\d,]+ of [\d,]+.*: at (most|least) .* % n=\d+(x\d+)?.*)"
)


def tables(blocks) -> list[Table]:
    found = []
    for block in blocks:
        if isinstance(block, Table):
            found.append(block)
        found += tables(getattr(block, "blocks", ()))
    return found


def test_every_number_has_an_interval_or_says_why_not(harmed, bare):
    for run in (harmed, bare):
        text = Report(run).markdown()
        rows = re.findall(
            r"^\| (?:good|bad|echo|constant|random|silent) \(measured.*$", text, re.MULTILINE
        )
        assert len(rows) == len(run.manifest.systems)
        for row in rows:
            for cell in re.split(r"(?<!\\)\|", row)[2:-1]:
                assert NUMBER.fullmatch(cell.strip()), cell


def test_nothing_is_zero_that_was_not_measured(bare):
    text = Report(bare).markdown()
    assert "| not measured (nothing to divide by: right answers, of the answers given) |" in text
    assert not re.search(r"\$0(\.0+)?\b", text.replace("\\", "").replace("$0.3", ""))


def test_markdown_tables_keep_their_columns(report):
    for block in report.markdown().split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(counts) <= 1, block


def test_plain_words_stand_in_the_report(report):
    shown = report.markdown().lower()
    for word in ("cell", "bottom", "two-way"):
        assert not re.search(rf"\b{word}s?\b", shown)


def test_dollars_stand_beside_their_assumption_and_how_to_change_it(report):
    text = report.markdown()
    assert text.count("Dollars rest on prices") >= 3
    assert "--prices FILE" in text


def test_a_report_names_no_folder_because_it_may_be_read_from_anywhere(report):
    assert "assay front RUN --prices FILE" in report.markdown()


def test_what_cannot_be_drawn_is_left_out_and_said(bare):
    report = Report(bare)
    assert sorted(n for n in report.files() if n.endswith(".svg")) == ["figures/metric_summary.svg"]
    text = report.markdown()
    assert "No system ran with more than one seed" in text
    assert "No system gives a confidence" in text
    assert "this run has no serial pass" in text
    assert "The plan makes no claims" in text


def test_figures_are_shapes_and_text_only(report):
    for name, data in report.files().items():
        if name.endswith(".svg"):
            assert set(re.findall(rb"<([a-zA-Z]+)", data)) <= {
                *(b"svg", b"g", b"path", b"line", b"rect", b"circle", b"text", b"defs"),
                *(b"clipPath", b"tspan", b"title"),
            }
            assert data.count(b"http") == 1  # the name of the language
            assert b'role="img"' in data


def test_all_figures_of_a_full_run_are_there(report):
    assert {n for n in report.files() if n.startswith("figures/")} == {
        "figures/metric_summary.svg",
        "figures/per_seed_metric_distributions.svg",
        "figures/front.svg",
        "figures/reliability.svg",
        "figures/risk_coverage.svg",
    }


def test_equal_runs_make_equal_bytes_in_any_process(harmed):
    program = (
        "import sys, hashlib; from assay.publish.run import Run\n"
        "from assay.publish.report import Report\n"
        "files = Report(Run.load(sys.argv[1])).files()\n"
        "print({n: hashlib.sha256(d).hexdigest() for n, d in files.items()})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(harmed.path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"},
    )
    here = {n: hashlib.sha256(d).hexdigest() for n, d in Report(harmed).files().items()}
    assert done.stdout.strip() == str(here)


def test_a_report_knows_no_absolute_path(report, harmed):
    for name, data in report.files().items():
        assert str(harmed.path).encode() not in data, name


def test_a_baseline_adds_paired_changes_and_their_figure(harmed):
    report = Report(harmed, baseline=harmed)
    assert "figures/baseline_delta.svg" in report.files()
    assert "## Since the baseline" in report.markdown()
    [section] = [s for s in report.document.sections if s.id == "changes"]
    [table] = tables(section.blocks)
    assert {row.cells[-1].text for row in table.rows} == {"no difference shown"}
    assert "changes" not in {s.id for s in Report(harmed).document.sections}


def test_sections_stand_in_the_order_of_their_weight(report):
    names = [s.id for s in report.document.sections if isinstance(s, Section)]
    assert names == [
        *("decision", "findings", "systems", "front", "risk", "classes", "cost", "thresholds"),
        *("samples", "provenance"),
    ]


def test_confusions_add_up_to_the_questions(report, harmed):
    [section] = [s for s in report.document.sections if s.id == "classes"]
    asked = len(harmed.results.samples[TASK])
    for table in tables(section.blocks):
        if table.kind == "matrix":
            counts = [int(c.text) for row in table.rows for c in row.cells[1:]]
            assert np.sum(counts) == asked


def test_classes_are_listed_where_answers_come_from_a_closed_set(report, bare):
    assert "classes" in {s.id for s in report.document.sections}
    assert "classes" not in {s.id for s in Report(bare).document.sections}


def test_what_a_threshold_promised_stands_beside_what_came_of_it(report):
    [section] = [s for s in report.document.sections if s.id == "thresholds"]
    promises, table = tables(section.blocks)
    [promise] = promises.rows
    assert "at most 30% of its answers are wrong" in promise.cells[1][0]
    assert promise.cells[1][2].text == "(guaranteed)"
    assert all(NUMBER.fullmatch(f"{c.text} {c.note}") for c in promise.cells[2:])
    assert [row.cells[0].text for row in table.rows] == ["seed 0", "seed 1"]
    for row in table.rows:
        assert NUMBER.fullmatch(f"{row.cells[3].text} {row.cells[3].note}")


def test_replies_that_are_missing_are_named(report):
    assert f"never observed ({TASK}/bad/0-test)" in report.markdown()


def test_a_front_stands_beside_what_its_systems_give_up(report):
    text = report.markdown()
    section = text.partition("## Accuracy and cost")[2].partition("\n## ")[0]
    for words in (
        "of resamples",
        "right answers per dollar",
        "right answer is worth to you",
        "Hypervolume",
    ):
        assert words in section, words
    assert "value score" not in text
