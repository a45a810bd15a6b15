"""The page: text of other people is text, and nothing is loaded or run but our own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assay.publish import browser
from assay.publish.document import Fold
from assay.publish.report import Report
from assay.store.columns import OUTCOMES
from publish.harm import HARM, TASK

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
def page(report: Report) -> Page:
    return Page(report.html())


def samples_of(page: Page) -> list[dict]:
    return [json.loads(body) for body in page.bodies["script"] if body.startswith("{")]


def digits(text: str, width: int = 1) -> list[int]:
    found = [browser.DIGITS.index(c) for c in text]
    return [sum(d * 64 ** (width - 1 - j) for j, d in enumerate(found[i : i + width]))
            for i in range(0, len(found), width)]  # fmt: skip


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


def test_no_line_of_the_page_begins_with_a_colon(report):
    html = report.html()
    assert re.search("<strong[^>]*>[0-9]+ of [0-9]+( groups)?</strong>", html)
    assert "<small>at most " in html
    assert "<small>:" not in html


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


def test_the_decision_is_open_and_what_stands_behind_it_is_folded(report: Report) -> None:
    sections = {section.id: section for section in report.document.sections}
    for first in ("decision", "findings"):
        assert not [b for b in sections[first].blocks if isinstance(b, Fold)]
    folded = [b for s in sections.values() for b in s.blocks if isinstance(b, Fold)]
    assert len(folded) > 5
    assert not any(fold.is_open for fold in folded)
