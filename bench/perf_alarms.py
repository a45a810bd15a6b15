"""How often the gate of performance is closed for nothing: files of the same code held to each other.

    python bench/perf_alarms.py same --measure 5 [--margin 0.25 ...]

times the suite ``stats`` five times into the folder, about two minutes each on an idle machine, and judges; without
``--measure`` it judges what is there.

*Covered*: what differs between hours of one machine, which no two files can show.  Every ordered pair is a gate;
pairs that share a file are not independent, so no interval is printed.  *Not covered*: other machines.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from itertools import permutations
from pathlib import Path

from contest import SOURCE

sys.path.insert(0, str(SOURCE))

from assay.publish.perf.compared import Told, compare
from assay.publish.perf.document import read
from assay.publish.perf.judging import judge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--margin", type=float, nargs="+", default=[0.1, 0.25, 0.5, 1.0])
    parser.add_argument("--measure", type=int, default=0, metavar="K")
    parser.add_argument("--quick", action="store_true", help="to see that it works; no measurement")
    given = parser.parse_args()
    for number in range(given.measure):
        print(f"measurement {number + 1} of {given.measure}", file=sys.stderr)
        words = ["perf", "run", "--suite", "stats", "--out", str(given.folder)]
        subprocess.run(
            [sys.executable, "-m", "assay", *words, *["--quick"] * given.quick],
            stdout=subprocess.DEVNULL,
            check=True,
        )
    files = [read(path) for path in sorted(given.folder.glob("*.json"))]
    if len(files) < 2:
        sys.exit(
            f"{given.folder} has {len(files)} measurements, and two are held to each other: --measure 2"
        )
    pairs = list(permutations(files, 2))
    for file in files:
        about = file.assay
        load = next(iter(about.suites.values())).load
        print(
            f"{about.when}: {about.minutes:.1f} min, load average {load}{', quick' if about.quick else ''}"
        )
    print(f"{len(files)} files, {len(pairs)} ordered pairs")
    found = [compare(a, b) for a, b in pairs]
    told = [sum(row.told is not Told.UNTOLD for row in each.rows) for each in found]
    rows = sum(len(each.rows) for each in found)
    print(
        f"changed, says compare: {sum(told)} of {rows} benchmarks, in {sum(map(bool, told))} pairs"
    )
    print("| benchmark | largest ratio | median half width of the 95 % interval |\n|---|---|---|")
    for at, row in enumerate(found[0].rows):
        these = [each.rows[at].found for each in found]
        wide = [x.interval()[1] / x.value - 1 for x in these]
        print(f"| {row.name} | {max(x.value for x in these):.2f} | {statistics.median(wide):.1%} |")
    print(
        "| margin | gates closed | benchmarks that fail | false alarms, as the gates say |\n|---|---|---|---|"
    )
    for margin in given.margin:
        gates = [judge(a, b, margin=margin)[0] for a, b in pairs]
        closed = sum(not gate.passes for gate in gates)
        fails = sum(not check.passes for gate in gates for check in gate.checks)
        said = statistics.median(gate.alarms.rate.value for gate in gates)
        print(
            f"| {margin:g} | {closed} of {len(gates)} | {fails} of {rows} | {said:.1%} (median) |"
        )


if __name__ == "__main__":
    main()
