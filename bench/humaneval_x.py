"""The published Rust answers of HumanEval-X: with their own tests, and held to their Python originals.

Prints the two counts that the documentation quotes.  ``ASSAY_DATA`` names the folder that holds
``humaneval_x_py_rust``.  About three minutes on two cores.
*Not covered*: programs whose annotations do not say what to call them with.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from contest import SOURCE

sys.path.insert(0, str(SOURCE))

from assay.families.transpile.corpus.reading import read_corpus
from assay.families.transpile.differential.comparing import comparisons
from assay.families.transpile.rust.verify import Workbench

HERE = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ASSAY_DATA") or HERE.parent / "shared" / "data")
FILE = DATA / "humaneval_x_py_rust" / "humaneval_x_py_rust.jsonl"
CALLS = 30


def main() -> None:
    if not FILE.is_file():
        sys.exit(f"there is no {FILE}; set ASSAY_DATA")
    programs = read_corpus(FILE).programs
    bench = Workbench.of(20)
    own = bench.verify_all([(each.rust, each.rust_tests or None) for each in programs])
    print("with their own tests:")
    for stand, count in Counter(str(each.stand) for each in own).most_common():
        print(f"  {count:4} {stand}")
    held = comparisons([(each, each.rust) for each in programs], CALLS)
    called = [each for each in held if each.tests]
    calls = sum(len(each.found.cases) for each in called)
    print(f"held to their originals: {len(called)} of {len(programs)}, on {calls:,} calls:")
    found = bench.verify_all([(each.program.rust, each.tests) for each in called])
    for stand, count in Counter(str(each.stand) for each in found).most_common():
        print(f"  {count:4} {stand}")
    for each, verdict in zip(called, found, strict=True):
        for said in each.differences(verdict)[:1]:
            print(f"  number {each.program.id}: {said}")


if __name__ == "__main__":
    main()
