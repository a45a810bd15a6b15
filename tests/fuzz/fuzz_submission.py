"""Feed the reader of submissions, and its checks that ask nobody: see driver.py."""

from __future__ import annotations

import json
from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish.board", "assay.engine.document"):
    from assay.engine.document import parse_document
    from assay.publish.board.checking import check

SENT = Path(__file__).parents[2] / "models" / "submissions"
FILE = driver.new_folder() / "m.yaml"


def seeds() -> list[bytes]:
    """Return every submission of the board as it is written, and as JSON."""
    made = []
    for path in sorted(SENT.glob("*.yaml")):
        text = path.read_text("utf-8")
        made += [text.encode(), json.dumps(parse_document(text, path).value).encode()]
    return made


def read(data: bytes) -> None:
    """Check a submission; what is wrong with it is said in notes."""
    FILE.write_bytes(driver.trees.deepened(data))
    found = check(FILE, offline=True)
    assert found.submission is not None or found.of("error")
    for note in found.notes:
        assert note.line >= 1
        note.says.encode()


HARNESS = driver.Harness(read=read, seeds=seeds, quick=30)

if __name__ == "__main__":
    driver.main(HARNESS)
