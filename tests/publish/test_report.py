"""The report: one page and one text, of the run and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from assay.publish import browser
from assay.publish.document import Section, Table
from assay.publish.report import Report
from assay.publish.run import Run
from assay.store.columns import OUTCOMES
from publish.harm import HARM, TASK

NUMBER = re.compile(
    r"(not measured \(.+\)"
    r"|.*\[.+, .+\].* n=\d+(x\d+)?.*"
    r"|.*\(these questions only\) n=\d+.*"
    r"|[\d,]+ of [\d,]+.*: at (most|least) .* % n=\d+(x\d+)?.*)"
)
OURS = {
    *("html", "head", "meta", "title", "style", "body", "script", "header", "nav", "main"),
    *("footer", "section", "article", "div", "p", "a", "b", "em", "strong", "small", "span"),
    *("code", "h1", "h2", "h3", "h4", "ol", "ul", "li", "dl", "dt", "dd", "figure"),
    *("figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "details"),
    *("summary", "svg", "g", "path", "line", "rect", "circle", "text", "tspan", "defs"),
    *("clippath", "noscript", "label", "select", "option", "input", "fieldset", "legend", "button"),
}


class Page(HTMLParser):
    """Elements, attributes and script bodies of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.bodies: dict[str, list[str]] = {"script": [], "style": []}
        self.inside = ""
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.inside = tag if tag in self.bodies else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.bodies[self.inside].append(data)
        else:
            self.shown += data

    def value(self, name: str) -> list[str]:
        return [v for _, n, v in self.attributes if n == name]


@pytest.fixture(scope="module")
def report(harmed: Run) -> Report:
    return Report(harmed)


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(report.html())


def samples_of(page: Page) -> list[dict]:
    return [json.loads(body) for body in page.bodies["script"] if body.startswith("{")]


def digits(text: str, width: int = 1) -> list[int]:
    found = [browser.DIGITS.index(c) for c in text]
    return [sum(d * 64 ** (width - 1 - j) for j, d in enumerate(found[i : i + width]))
            for i in range(0, len(found), width)]  # fmt: skip


def tables(blocks) -> list[Table]:
    found = []
    for block in blocks:
        if isinstance(block, Table):
            found.append(block)
        found += tables(getattr(block, "blocks", ()))
    return found


def test_no_text_of_somebody_else_becomes_an_element(page):
    assert set(page.tags) <= OURS
    assert page.tags["script"] == 2  # ours, and the samples as data
    assert page.tags["style"] == 1


def test_no_attribute_acts(page):
    assert not [n for _, n, _ in page.attributes if n.startswith("on") or n == "style"]


def test_the_page_asks_for_nothing_from_outside(page):
    for _, name, value in page.attributes:
        if name in {"href", "src", "srcset", "action", "data", "poster", "xlink:href"}:
            assert value.startswith("#")
        elif name != "content" and "//" in value:
            assert name in {"xmlns", "aria-label", "title"}
    style = "".join(page.bodies["style"])
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_this_style_and_script_and_nothing_else(page):
    policy = next(v for v in page.value("content") if v.startswith("default-src"))
    script = next(body for body in page.bodies["script"] if not body.startswith("{"))
    for body in (script, page.bodies["style"][0]):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_script_never_writes_markup():
    body = Path(browser.__file__).with_name("templates").joinpath("page.js").read_text("utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in body


def test_hostile_text_is_shown_as_it_is(page):
    assert HARM[0] in page.shown
    assert HARM[2] in page.shown
    assert "[U+202E]gnp.exe" in json.dumps(samples_of(page), ensure_ascii=False)


def test_samples_cannot_end_their_script(report):
    html = report.html()
    start = html.index('class="samples">') + len('class="samples">')
    body = html[start : html.index("</script>", start)]
    assert not re.search("[<>&\u2028\u2029]", body)
    assert json.loads(body)["task"] == TASK


def test_every_reply_on_the_page_is_the_reply_in_the_records(harmed, page):
    [data] = samples_of(page)
    case = harmed.results.cases[TASK]
    for system in data["systems"]:
        found = Counter(OUTCOMES[d - 1] for row in system["outcome"] for d in digits(row) if d)
        counted = Counter(OUTCOMES[c] for c in case.tables[system["name"]].outcome.ravel())
        assert found == counted


def test_the_counts_in_the_table_are_those_of_the_samples(report):
    look = next(report._looks())
    bars = browser.outcomes(look.case, look.seen, 0).bars
    for bar in bars:
        assert sum(n for _, n, _ in bar.parts) == look.case.tables[bar.system].outcome.size


def test_samples_on_which_systems_disagree_come_first(page, harmed):
    [data] = samples_of(page)
    right = {OUTCOMES.index("correct") + 1, OUTCOMES.index("declined") + 1}
    rows = [digits(s["outcome"][0]) for s in data["systems"] if not s["control"]]
    apart = [len({d in right for d in one}) > 1 for one in zip(*rows, strict=True)]
    assert apart == sorted(apart, reverse=True)


def test_failures_and_crashes_show_their_evidence(page):
    [data] = samples_of(page)
    bad = next(s for s in data["systems"] if s["name"] == "bad")
    assert any(e.endswith("evidence") for e in bad["excerpts"].values())
    assert any(e.endswith("crash") for e in bad["excerpts"].values())


def test_a_page_stays_light_whatever_is_asked(report, harmed):
    look = next(report._looks())
    samples = harmed.results.samples[TASK]
    data = browser.pack(look.case, samples, look.seen, budget=12_000)
    assert len(data.encode()) <= 12_000
    kept = json.loads(data)
    assert 0 < len(kept["id"]) < kept["total"] == len(samples)


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


def test_a_command_to_paste_is_quoted(report):
    assert "assay front '20261121T000000Z-<script>" in report.markdown()


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
                *(b"clipPath", b"tspan"),
            }
            assert data.count(b"http") == 1  # the name of the language
            assert b'role="img"' in data


def test_all_figures_of_a_full_run_are_there(report):
    assert {n for n in report.files() if n.startswith("figures/")} == {
        "figures/metric_summary.svg",
        "figures/per_seed_metric_distributions.svg",
        "figures/front.svg",
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
