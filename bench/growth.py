"""How a run grows: seconds, memory and bytes of every phase at 10^4, 10^5, 10^6, 10^7 records.

*Covered*: a plan that is really run (two toy systems, three controls, `copies` of the test requests), each phase in
a process of its own: run with seal and report, seal alone, verify, report as page and as Markdown, query for the first
time and again, samples for the first time and again, compare, gate.
*Not covered*: what systems need to answer (these need microseconds), evidence, many machines.

``python bench/growth.py 10000 100000`` prints a row a phase; ``--json`` prints one document.  With ``--folder`` the
runs and the rows stay there, and the same command goes on where it was stopped.  10^6 take some minutes of one core
and 1.5 GB of disk below TMPDIR; 10^7 ten times that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

ASSAY = Path(sys.executable).with_name("assay")
PER_COPY = 5 * 528
"""Records of one copy: two systems and three controls are asked 528 test requests."""

PLAN = """\
name: growth
says: How does a run grow?
seeds: [0]
prices: laptop
tasks:
  - {{use: toy.errands, options: {{copies: {copies}}}}}
systems:
  - {{name: votes, use: toy.votes, abstain: {{max_risk: 0.1}}}}
  - {{name: last-word, use: toy.last_word}}
fronts: [[accuracy, usd_per_1k]]
timing: {{processes: 1, blocks: 5, questions: 2}}
claims:
  - {{id: better, says: Counting words is more accurate, system: votes, against: last-word,
      metric: accuracy, at_least: 0.0}}
"""
SEAL = """
import sys
from pathlib import Path
from assay.store.rundir import RunDir
from assay.store.seal import read_seal, seal
run = RunDir(Path(sys.argv[1]))
before = read_seal(run)
seal(run, decisions=before.decisions, incomplete=before.incomplete)
"""
SQL = "SELECT system, outcome, count(*) FROM records GROUP BY ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What one command took on a run of one size."""

    phase: str
    records: int
    wall_s: float
    cpu_s: float
    """Of the command and all processes that it started."""

    peak_mb: float
    """Of the largest of them."""

    written_mb: float
    """What the folder of the run has more than before."""

    load: float
    """Processes that waited for a processor in the last minute, when it ended."""

    @property
    def us_per_record(self) -> float:
        """Microseconds of CPU for each record."""
        return 1e6 * self.cpu_s / self.records


def growth(sizes: Sequence[int], folder: Path) -> Iterator[Phase]:
    """Yield every phase of a run of about each of these sizes, as it is measured."""
    rows = folder / "rows.jsonl"
    lines = rows.read_text("utf-8").splitlines() if rows.exists() else []
    known = {(one.phase, one.records): one for one in (Phase(**json.loads(x)) for x in lines)}
    for size in sizes:
        copies = max(1, round(size / PER_COPY))
        plan, root = folder / f"{size}.yaml", folder / f"run-{size}"
        plan.write_text(PLAN.format(copies=copies), "utf-8")
        page, text = folder / "page.html", folder / "page.md"
        for phase, words in {
            "run, seal, report": [ASSAY, "run", plan, "--out", root],
            "seal": [sys.executable, "-c", SEAL, root],
            "verify": [ASSAY, "verify", root],
            "report, page": [ASSAY, "report", root, "--output", page],
            "report, Markdown": [ASSAY, "report", root, "--output", text],
            "query, first": [ASSAY, "query", root, SQL],
            "query, again": [ASSAY, "query", root, SQL],
            "samples, first": [ASSAY, "samples", root],
            "samples, again": [ASSAY, "samples", root, "--outcome", "wrong", "--page", "3"],
            "compare": [ASSAY, "compare", root, root],
            "gate": [ASSAY, "gate", root, "--baseline", root],
        }.items():
            if (found := known.get((phase, PER_COPY * copies))) is None:
                found = measure(phase, list(map(str, words)), root, PER_COPY * copies)
                with rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(found)) + "\n")
            yield found


def measure(phase: str, words: Sequence[str], root: Path, records: int) -> Phase:
    """Run one command, and say what it took."""
    before, begun = size_of(root), time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    # Verdicts of `verify` and `gate` end with 1; so does a program of Python that broke.
    if child.returncode not in ((0, 1) if words[0] == str(ASSAY) else (0,)):
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}")
    return Phase(
        phase=phase,
        records=records,
        wall_s=round(wall, 3),
        cpu_s=round(usage.ru_utime + usage.ru_stime, 3),
        peak_mb=round(usage.ru_maxrss / 1024, 1),
        written_mb=round((size_of(root) - before) / 1e6, 2),
        load=round(os.getloadavg()[0], 1),
    )


def size_of(folder: Path) -> int:
    """Return the bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--folder", type=Path, help="where runs and rows stay")
    given = parser.parse_args()
    if not given.as_json:
        print("| phase | records | CPU | a record | wall | peak | written | load |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
    found = []
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for one in growth(given.sizes, folder):
            found.append(one)
            if not given.as_json:
                print(
                    f"| {one.phase} | {one.records:,} | {one.cpu_s:.1f} s | {one.us_per_record:.0f} us "
                    f"| {one.wall_s:.1f} s | {one.peak_mb:.0f} MB | {one.written_mb:.1f} MB | {one.load} |",
                    flush=True,
                )
    if given.as_json:
        print(json.dumps([asdict(one) for one in found], indent=1))


if __name__ == "__main__":
    main()
