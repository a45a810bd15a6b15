"""A page of a measurement is headed with the command that made it."""

from __future__ import annotations

import pytest

from assay.publish.perf.document import read
from assay.publish.perf.page import page
from publish.measured import drawn, write

PEER = {"name": "sorts", "says": "sorting", "when": "2026-11-30", "load": "0 0 0", "rows": ()}
ALL = "assay perf run --suite all"


@pytest.mark.parametrize(
    ("command", "peers", "head"),
    [
        ("assay perf run --suite stats --quick", [], "assay perf run"),
        (ALL, [], "assay perf run"),
        ("assay perf run --suite stats --peers bench", [PEER], "assay perf run"),
        (f"{ALL} --peers bench", [PEER], "make bench"),
    ],
)
def test_only_all_suites_beside_peers_are_headed_as_those_of_the_repository(
    tmp_path, command, peers, head
):
    path = write(tmp_path / "m.json", drawn(1), command=command, peers=peers)
    text = page(read(path), "m.json")
    assert text.startswith(f"# Results of `{head}`\n")
    assert f"To repeat: `{command}`." in text
