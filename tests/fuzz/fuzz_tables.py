"""Feed the families their data files: labelled prompts, sheets of numbers, rows of questions, corpora of programs.  See driver.py."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import driver

with driver.instrumented(
    __name__,
    "assay.lines",
    "assay.cli.draft",
    "assay.families.intent.table",
    "assay.families.lm.labelled.rows",
    "assay.families.lm.safety.rows",
    "assay.families.science.domains.sheet",
    "assay.families.transpile.corpus",
    "assay.families.transpile.evaluate.rows",
):
    from assay.families.intent import table as prompts
    from assay.families.lm.labelled import rows as labelled
    from assay.families.lm.safety import rows as harms
    from assay.families.science.domains import sheet as sheets
    from assay.families.transpile.corpus.reading import read_corpus
    from assay.families.transpile.evaluate.rows import look

HOME = driver.new_folder()


def seeds() -> list[bytes]:
    """Return a file of each kind, and one that is packed."""
    said = [
        {"prompt": "stake 2 ETH", "label": "stake", "group": 1, "split": "dev"},
        {"prompt": "hello", "label": None, "group": "b", "split": "test"},
    ]
    csv = 'prompt,label,group,split\n"swap, now",swap,a,train\nhello,none,b,test\n'
    numbers = "x,y,site\n0.5,1e3, north \nNA,-2,\n"
    wide = [{"x": [0.5, 1], "y": None, "site": "a"}, {"x": [2, 3], "y": 1, "site": True}]
    questions = [
        {"input": "so good", "label": ["yes", 1], "group": "g"},
        {"input": {"a": 1}, "label": 2, "group": 3},
    ]
    programs = [{"id": "add", "python_code": "def add(a, b): return a + b", "rust_tests": "", "rust_code": None,
                 "test_cases": [{"input": [1, 2.5], "expected": 3}]}]  # fmt: skip
    pairs = [{"id": "Python/0", "python": {"prompt": "def f(x):\n", "canonical_solution": " return x", "test": ""},
              "rust": {"declaration": "use rand::Rng;\nfn f(", "canonical_solution": "", "test": ""}}]  # fmt: skip
    files: list[dict[str, Any]] = [
        {"prompts.csv": csv}, {"prompts.jsonl": said}, {"sheet.csv": numbers}, {"sheet.jsonl": wide}, {"rows.jsonl": questions},
        {"harms.jsonl": [{"prompt": "How do I kill a process?", "harmful": False}]}, {"corpus.jsonl": programs}, {"corpus.jsonl": pairs},
        {"example_a/p.py": "def p(): pass", "example_a/test_p.py": "", "example_a/p.json": [{"input": [], "expected": None}], "example_a/p.rs": ""},
        {"prompts.csv.gz": csv},
    ]  # fmt: skip
    return [driver.bundle(each) for each in files]


def read(data: bytes) -> None:
    """Read each file that there is; a folder of programs whole."""
    written = driver.unbundled(data, HOME)
    try:
        if (HOME / "example_a").is_dir():
            read_corpus(HOME)
        for path in written:
            one(path)
    finally:
        for path in written:
            path.unlink(missing_ok=True)
        shutil.rmtree(HOME / "example_a", ignore_errors=True)


def one(path: Path) -> None:
    """Read a file as what it is called."""
    if path.name.endswith(".gz"):
        data = path.read_bytes()
        packed = gzip.compress(data, mtime=0)
        path.write_bytes(packed[: len(packed) - data.count(b"\0")])  # cut, where the text has a NUL
    match path.name.partition(".")[0]:
        case "prompts":
            columns = prompts.Columns(group="group", split="split")
            for found in (columns, prompts.Columns()):
                prompts.read_table(path, found)
        case "sheet":
            sheet = sheets.read_sheet(path)
            for row in range(len(sheet.rows)):
                for column in range(len(sheet.names)):
                    sheets.read_cell(sheet, row, column)
            sheet.places("x")
        case "rows":
            labelled.read_rows(path, labelled.Layout(label="label", group="group", kind="text"))
        case "harms":
            for row in harms.read_rows(path):
                row.text("prompt")
                row.truth("harmful")
        case "corpus":
            look(path, "id")
            read_corpus(path)
        case _:
            return


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
