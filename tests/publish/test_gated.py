"""A verdict in the formats of others: whatever stands in it, each is read back as what it is."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from assay.analysis.alarms import Alarms
from assay.analysis.noise import Rate
from assay.publish.gate import Check, Gate, Source
from assay.publish.gated.annotations import annotated
from assay.publish.gated.comments import LONGEST, comment, marker, summary
from assay.publish.gated.judged import Judged, Place, sentence
from assay.publish.gated.junit import junit
from assay.publish.gated.sarif import RULES, sarif
from assay.publish.hostile import visible

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        (
            "::set-output name=a::b",
            "##[add-mask]x",
            "a]]>&<!--\x00\x1b[31m",
            "100 % of {0}, [x](http://e.vil)",
            "| @team | <script> | --> `x`",
            "line\r\n::error::two",
        )
    ),
)
CHECKS = st.builds(
    Check,
    source=st.sampled_from(Source),
    name=HOSTILE,
    passes=st.booleans(),
    why=HOSTILE,
    says=HOSTILE,
)
PLACES = st.builds(Place, path=HOSTILE.filter(bool), line=st.integers(1, 9999))
ALARMS = st.sampled_from((None, Alarms(rate=Rate(count=3, trials=200))))


@st.composite
def verdicts(draw) -> Judged:
    checks = draw(st.lists(CHECKS, min_size=1, max_size=4))
    return Judged(
        gate=Gate(checks=tuple(checks), alarms=draw(ALARMS)),
        plan=draw(HOSTILE),
        seal="sha256:" + "0" * 64,
        read_with=tuple(draw(st.lists(HOSTILE, max_size=2))),
        places=tuple(draw(PLACES) for _ in checks),
    )


def failed(judged: Judged) -> list[tuple[Check, Place]]:
    found = zip(judged.gate.checks, judged.places, strict=True)
    return [(check, place) for check, place in found if not check.passes]


# --- JUnit ----------------------------------------------------------------------------------

JUNIT_10 = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "time", "skipped", "file"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "system-out": set(),
}
"""Which elements and attributes of junit-10.xsd may stand in it."""


@given(verdicts())
def test_junit_has_a_case_for_each_check_and_the_sentence_of_each_failure(judged):
    root = ET.fromstring(junit(judged).encode())
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(judged.gate.checks) == int(root.get("tests", ""))
    told = [case.find("failure") is None for case in cases]
    assert told == [check.passes for check in judged.gate.checks]
    assert int(root.get("failures", "")) == told.count(False)
    for element in root.iter():
        assert set(element.attrib) <= JUNIT_10[element.tag]


def test_junit_says_why_and_where():
    check = Check(source=Source.CLAIM, name="a<b", passes=False, why='x & "y"', says="c > d")
    root = ET.fromstring(junit(one(check)))
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == 'a<b (c > d): x & "y"'
    assert failure.text == 'a<b (c > d): x & "y"\nplan.yaml:7'


def one(check: Check, *, plan: str = "small") -> Judged:
    """Return a verdict with one check."""
    return Judged(
        gate=Gate(checks=(check,)),
        plan=plan,
        seal="sha256:0",
        read_with=(),
        places=(Place(path="plan.yaml", line=7),),
    )


# --- SARIF ----------------------------------------------------------------------------------


@given(verdicts())
def test_sarif_has_a_result_for_each_failure_with_its_rule_and_line(judged):
    log = json.loads(sarif(judged))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(failed(judged))
    for result, (check, place) in zip(run["results"], failed(judged), strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == RULES[check.source][0]
        [where] = (each["physicalLocation"] for each in result["locations"])
        assert where["region"] == {"startLine": place.line}
        # RFC 3986: an address has none of the characters that a path may have.
        assert re.fullmatch(r"(file://)?[A-Za-z0-9._~/%-]+", where["artifactLocation"]["uri"])


@given(verdicts())
def test_a_message_of_sarif_has_no_link_and_no_placeholder_and_reads_back(judged):
    for result, (check, _) in zip(
        json.loads(sarif(judged))["runs"][0]["results"], failed(judged), strict=True
    ):
        text = result["message"]["text"]
        assert not re.search(r"(?<!\\)(?:\\\\)*\[[^\]]*[^\\]\]\(", text)
        assert not re.search(r"\{", text.replace("{{", ""))
        plain = re.sub(r"\\([\\\[\]])", r"\1", text.replace("{{", "{").replace("}}", "}"))
        assert plain == sentence(check)


@given(verdicts())
def test_a_result_is_known_again_by_its_check_and_by_nothing_else(judged):
    def prints(found: Judged) -> list[str]:
        results = json.loads(sarif(found))["runs"][0]["results"]
        return [result["partialFingerprints"]["assayCheck/v1"] for result in results]

    names = [(check.source, check.name) for check, _ in failed(judged)]
    assert len(set(prints(judged))) == len(set(names))


# --- GitHub's annotations -------------------------------------------------------------------


def obeyed(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as actions/runner does: ActionCommand.TryParseV2."""
    assert line.startswith("::")
    head, _, data = line[2:].partition("::")
    name, _, properties = head.partition(" ")
    pairs = (each.split("=", 1) for each in properties.split(",") if each)
    back = (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%"))
    said = {}
    for key, text in pairs:
        for code, char in back:
            text = text.replace(code, char)  # noqa: PLW2901
        said[key] = text
    for code, char in back[2:]:
        data = data.replace(code, char)
    return name, said, data


@given(verdicts())
def test_a_runner_reads_an_annotation_for_each_failure_and_nothing_else(judged):
    lines = annotated(judged)
    assert not [line for line in lines if len(line.splitlines()) > 1 and re.search("[\r\n]", line)]
    for line, (check, place) in zip(lines, failed(judged), strict=True):
        name, properties, message = obeyed(line)
        assert name == "error"
        assert properties["file"] == place.path
        assert properties["line"] == str(place.line)
        assert properties["title"].startswith("assay gate: ")
        assert message == sentence(check)


# --- Markdown -------------------------------------------------------------------------------


@given(verdicts())
def test_nothing_in_markdown_acts(judged):
    text = comment(judged)
    first, _, rest = text.partition("\n")
    assert first == marker(judged.plan)
    assert "--" not in first.removeprefix("<!--").removesuffix("-->")
    assert "<" not in rest
    assert not re.search(r"@\w", rest)
    assert not re.search(r"(?<!\\)\]\(", rest)
    rows = [line for line in rest.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert len(rows) == 2 + len(judged.gate.checks)


def test_a_long_verdict_stays_below_what_a_comment_may_have():
    check = Check(source=Source.CLAIM, name="n" * 400, passes=False, why="w" * 9000, says="s" * 400)
    many = Judged(
        gate=Gate(checks=(check,) * 500),
        plan="p",
        seal="sha256:0",
        read_with=(),
        places=(Place(path="p", line=1),) * 500,
    )
    assert len(comment(many)) < 65_536
    assert len(summary(many)) <= LONGEST + 20
    assert "not shown" in summary(many) or "(cut)" in summary(many)


def test_a_comment_of_a_plan_is_found_again_whatever_it_says():
    good = Check(source=Source.CLAIM, name="a", passes=True, why="supported")
    bad = Check(source=Source.CLAIM, name="a", passes=False, why="refuted")
    first, second = (comment(one(check)).splitlines()[0] for check in (good, bad))
    assert first == second == "<!-- assay-gate small -->"
    assert visible("a\nb") == "a\nb"
