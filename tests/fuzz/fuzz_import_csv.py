"""Feed the reader of CSV logs: see driver.py."""

from __future__ import annotations

from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish.interop", "assay.engine.foreign"):
    import imports


def seeds() -> list[bytes]:
    """Return a log of each form."""
    plain = "system,sample,correct\na,1,1\na,2,0\nb,1,true\nb,2,withheld\n"
    head = "system,sample,correct,score,task,group,seed,cost,seconds,tokens_in,tokens_out\n"
    more = 'a,1,1,0.5,t,g,0,0.01,1.5,10,20\na,1,failed,,t,g,1,,,,\n"b, c",1,0,1,t,g,0,0,0,0,0\nb,"1\n",1,,t,,1,,,,\n'
    scores = "\ufeffsystem,sample,score\na,1,0.25\na,2,1\n"
    return [text.encode() for text in (plain, head + more, scores)]


def shape(data: bytes, into: Path) -> Path:
    """Write the file."""
    (into / "log.csv").write_bytes(data)
    return into / "log.csv"


HARNESS = driver.Harness(read=imports.read_as("csv", shape), seeds=seeds, trees=False)

if __name__ == "__main__":
    driver.main(HARNESS)
