"""Feed what measures speed its own files: a measurement, the one that is the baseline, a list of peers.  See driver.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import driver

with driver.instrumented(__name__, "assay.publish.perf", "assay.publish.gated", "assay.stats"):
    from assay.publish.gated.annotations import annotated
    from assay.publish.gated.comments import summary
    from assay.publish.gated.junit import junit
    from assay.publish.gated.sarif import sarif
    from assay.publish.perf.baseline import set_baseline
    from assay.publish.perf.compared import compare
    from assay.publish.perf.document import newest
    from assay.publish.perf.document import read as read_measurement
    from assay.publish.perf.judging import judge, judged
    from assay.publish.perf.page import lost, page
    from assay.publish.perf.peers import peers_of

HOME = driver.new_folder()
ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "RESULTS.json"


def small() -> dict[str, Any]:
    """Return the measurement of this repository with three benchmarks of three processes, and one peer."""
    whole = json.loads(RESULTS.read_bytes())
    about = whole["assay"]
    name = {id(one): one["metadata"]["name"] for one in whole["benchmarks"]}
    some = [one for one in whole["benchmarks"] if name[id(one)].startswith("control/")][:1]
    some += [one for one in whole["benchmarks"] if one not in some][:2]
    for one in some:
        one["runs"] = [
            {"values": run["values"], "metadata": {"cpu_s": run["metadata"]["cpu_s"]}}
            for run in one["runs"]
            if "values" in run
        ][:3]
        one["metadata"] = {"name": one["metadata"]["name"]}
    names = [one["metadata"]["name"] for one in some]
    suites = {each.partition("/")[0] for each in names}
    peer = about["peers"][0]
    peer["rows"] = peer["rows"][:2]
    about |= {
        "packages": {"numpy": about["packages"]["numpy"]},
        "suites": {key: facts for key, facts in about["suites"].items() if key in suites},
        "rows": [row for row in about["rows"] if row["name"] in names],
        "absent": [{"name": f"{min(suites)}/gone", "says": "s", "why": "w", "broke": True}],
        "peers": [peer],
    }
    return {**whole, "metadata": {}, "benchmarks": some}


def seeds() -> list[bytes]:
    """Return a measurement beside itself, one by itself, and a list of peers."""
    one = small()
    return [
        driver.bundle({"then.json": one, "now.json": one}),
        driver.bundle({"now.json": one}),
        driver.bundle({"peers.yaml": {"journal": "what it compares"}, "journal.py": ""}),
    ]


def read(data: bytes) -> None:
    """Read what there is; judge the second measurement by the first, and make a page of it."""
    place = HOME / "perf"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    names = {path.name for path in driver.unbundled(data, place)}
    if "peers.yaml" in names:
        peers_of(place)
    if "now.json" not in names:
        return
    newest(place)
    now = read_measurement(place / "now.json")
    page(now, "now.json").encode()
    lost(now)
    set_baseline(place / "now.json", HOME / "baseline.json")
    if "then.json" not in names:
        return
    then = read_measurement(place / "then.json")
    for clock in ("cpu", "wall"):
        compare(then, now, clock=clock, across=True)
    gate, told = judge(then, now)
    verdict = judged(gate, place / "now.json", told)
    for text in (junit(verdict), sarif(verdict), summary(verdict), *annotated(verdict)):
        text.encode()


HARNESS = driver.Harness(read=read, seeds=seeds, quick=6)

if __name__ == "__main__":
    driver.main(HARNESS)
