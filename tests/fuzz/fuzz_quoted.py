"""Feed the reader of published score tables, CSV and JSON Lines, which a board quotes: see driver.py.

What is read is written into a board, and read back from it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import driver

with driver.instrumented(__name__, "assay.publish.board", "assay.publish.interop.reading"):
    from assay.publish.board.reported import read_reported, reported_facts, write_reported
    from assay.publish.board.tables import Wanted, check_unit, read_table

HOME = driver.new_folder()
SOURCE = {"title": "A table", "url": "https://example.org/table", "date": "2023-09-15", "licence": "MIT", "notice": ""}  # fmt: skip
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"columns": ("ARC",), "lower": ("ARC",), "unit": "points"},
    {"parameters": ("#Params (B)", 1e9), "most": 3 * 10**9, "where": (("Type", "base"),)},
    {"keep": ("org/*",)},
)


def seeds() -> list[bytes]:
    """Return a table of each form, asked in each way."""
    csv = 'Model,Type,#Params (B),ARC,MMLU\norg/one,base,1.5,50.5,\norg/two,tuned,7,61,1e1\n"three, a",base,,40,0\n'
    rows = [
        {"Model": "org/one", "Type": "base", "#Params (B)": 1.5, "ARC": 50.5, "MMLU": None},
        {"Model": "org/two", "Type": "tuned", "#Params (B)": 7, "ARC": "61", "MMLU": 1e1},
    ]
    tables: tuple[dict[str, Any], ...] = ({"t.csv": csv}, {"t.jsonl": rows})
    return [driver.bundle({**table, "way": way}) for table in tables for way in range(len(WAYS))]


def read(data: bytes) -> None:
    """Read a table in the way that the input says, in every way if it says none."""
    shutil.rmtree(HOME / "in", ignore_errors=True)
    (HOME / "in").mkdir()
    found = {path.name: path for path in driver.unbundled(data, HOME / "in")}
    ways = range(len(WAYS))
    if "way" in found:
        said = found["way"].read_bytes()
        ways = range(int(said), int(said) + 1) if said in (b"0", b"1", b"2", b"3") else ways
    for path in (found[name] for name in ("t.csv", "t.jsonl", "a.json") if name in found):
        for way in ways:
            one(path, Wanted(model="model", **WAYS[way]))


def one(path: Path, wanted: Wanted) -> None:
    """Read a table; what is read must be quoted as it was read."""
    check_unit(wanted.unit)
    table = read_table(path, "t", SOURCE, wanted)
    kept = read_reported(write_reported(table, HOME))
    assert kept == table
    json.dumps(reported_facts(kept), allow_nan=False)


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
