"""A gate as JUnit XML: one test case for each check, for the test views of GitLab, Jenkins and others."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from ..hostile import visible
from .judged import Judged, sentence

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(judged: Judged) -> str:
    """Return the XML document.  A check that does not pass is a ``failure`` with its sentence.

    Source: the dialect of junit-10.xsd of the Jenkins xUnit plugin, which GitLab reads, too.
    """
    checks = judged.gate.checks
    counts = {
        "tests": str(len(checks)),
        "failures": str(sum(not check.passes for check in checks)),
        "errors": "0",
    }
    root = ET.Element("testsuites", {"name": "assay gate", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": _safe(judged.plan), **counts, "skipped": "0"})
    for check, place in zip(checks, judged.places, strict=True):
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": f"{_safe(judged.plan)}.{check.source.value}",
                "name": _safe(check.name),
                "time": "0",
            },
        )
        if not check.passes:
            told = _safe(sentence(check))
            kind = {"message": told, "type": check.source.value}
            ET.SubElement(case, "failure", kind).text = f"{told}\n{_safe(place.path)}:{place.line}"
    if told := judged.gate.alarms_told:
        ET.SubElement(suite, "system-out").text = _safe(told)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _safe(text: str) -> str:
    return _NO_XML.sub("\ufffd", visible(text))
