"""A gate as SARIF 2.1.0: one rule for each kind of check, one result for each check that fails."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from ... import __version__
from ..gate import Check, Source
from .judged import Judged, Place, sentence

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RULES = {
    Source.CLAIM: (
        "claim-not-supported",
        "A claim of the plan is not supported by the records.",
        "Read the claim with its interval in the report; mend the system, or claim less.",
    ),
    Source.BASELINE: (
        "worse-than-baseline",
        "A system is not shown to be at most the margin worse than in the baseline.",
        "Ask more samples, widen the margin, or mend the system; see docs/ci.md.",
    ),
    Source.PERFORMANCE: (
        "slower-than-baseline",
        "A benchmark is not shown to take at most the margin longer than in the baseline.",
        "Measure again on a quiet machine, widen the margin, or mend the code; see docs/performance.md.",
    ),
}
"""Of each kind of check: the rule's id, what it means, what helps."""

_LINKS = re.compile(r"[\\\[\]]")


def sarif(judged: Judged) -> str:
    """Return the log as JSON.  A gate that is open has no results.

    Source: SARIF 2.1.0, OASIS 2020: placeholders (3.11.5) and links (3.11.6) in messages escaped,
    addresses percent-encoded (3.4), results known again by a fingerprint (3.27.17).
    """
    found = zip(judged.gate.checks, judged.places, strict=True)
    run = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": f"assay-gate/{quote(judged.plan, safe='')}/"},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(check, place) for check, place in found if not check.passes],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _driver() -> dict[str, Any]:
    return {
        "name": "assay",
        "version": __version__,
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": short},
                "help": {"text": helps},
                "defaultConfiguration": {"level": "error"},
            }
            for rule, short, helps in RULES.values()
        ],
    }


def _result(check: Check, place: Place) -> dict[str, Any]:
    rule = RULES[check.source][0]
    known = hashlib.sha256(f"{check.source.value}\0{check.name}".encode("utf-8", "replace"))
    return {
        "ruleId": rule,
        "ruleIndex": list(RULES).index(check.source),
        "level": "error",
        "message": {"text": _message(sentence(check))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(place.path)},
                    "region": {"startLine": place.line},
                }
            }
        ],
        "partialFingerprints": {"assayCheck/v1": known.hexdigest()},
    }


def _message(text: str) -> str:
    return _LINKS.sub(r"\\\g<0>", text).replace("{", "{{").replace("}", "}}")


def _uri(path: str) -> str:
    encoded = quote(path.encode("utf-8", "surrogateescape"))
    return f"file://{encoded}" if path.startswith("/") else encoded
