"""Feed the reader of signatures over a seal: see driver.py.  A board trusts the key that a signature may name."""

from __future__ import annotations

from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish"):
    from assay.publish.board.archive import seal_in
    from assay.publish.board.signing import Standing, look_at_signature

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "models" / "runs"
FILE = driver.new_folder() / "SEAL.sig"
ARCHIVE = min(RUNS.glob("*.tar.xz"), key=lambda path: path.stat().st_size)
SEAL = seal_in(ARCHIVE)


def seeds() -> list[bytes]:
    """Return the signatures of the board's own runs: one that is over this seal, and one over another."""
    return [path.read_bytes() for path in sorted(RUNS.glob("*.sig.json"))]


def read(data: bytes) -> None:
    """Say what a signature is worth."""
    FILE.write_bytes(driver.trees.deepened(data))
    found = look_at_signature(SEAL, FILE, board=ROOT)
    if found.standing is Standing.SIGNED:
        assert b"payload" in data, "only what is signed is taken for signed"


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
