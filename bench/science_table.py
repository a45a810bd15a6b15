"""How the systems of the science family do on UCI sets whose outermost values are hidden.

    python bench/science_table.py --data "$ASSAY_DATA" [--sets yacht] [--systems tobit] [--out FOLDER]

Every set is a ``science.table`` that hides the lowest and the highest 15 % of the training values; one
``assay run`` asks every system of ``SYSTEMS`` about every set, and the tables are printed from its
records, with 95 % intervals over groups of test rows.  A folder that holds an unfinished run is gone
on with.  Systems that are not installed here are left out, and named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay import Estimate, Run

SETS = ("yacht", "energy", "concrete", "power-plant", "wine-quality-red", "airfoil")
QUANTILES = [0.15, 0.85]
NETWORK = {"epochs": 200, "batch": 64, "activation": "silu", "rate": 0.005, "tries": 5}
"""Of every network: sets of a few hundred rows have few batches in an epoch."""

SYSTEMS: dict[str, dict[str, Any]] = {
    "median": {"use": "science.constant", "options": {"say": "median"}},
    "ridge": {"use": "science.tobit", "options": {"censored": "ignore"}},
    "tobit": {"use": "science.tobit"},
    "tobit-quadratic": {"use": "science.tobit", "options": {"terms": "quadratic"}},
    "trees": {"use": "science.trees"},
    **{
        name: {"use": f"science.{name.replace('-', '_')}", "options": NETWORK}
        for name in ("two-heads", "softmax", "projective")
    },
}
"""Another system is another line; what needs a package also one in ``NEEDS``."""

NEEDS = {
    "trees": "sklearn",
    "two-heads": "torch",
    "softmax": "torch",
    "projective": "torch",
}
METRICS = ("macro_f1", "accuracy", "coverage", "invention_rate", "charged_error_sd", "rmse", "nll")


def main() -> None:
    """Write the plan, run it, and print a table for each metric."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSAY_DATA"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--seeds", type=int, default=3, help="of systems that are seeded")
    parser.add_argument("--split", type=int, default=0, help="the seed of every set's split")
    parser.add_argument("--out", type=Path, help="keep the run there")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("give --data, or set ASSAY_DATA")
    folder = (asked.data / "uci_regression").resolve()
    if not folder.is_dir():
        parser.error(f"there is no {folder}")
    absent = [s for s in asked.systems if s in NEEDS and find_spec(NEEDS[s]) is None]
    for system in absent:
        print(f"left out: {system} needs {NEEDS[system]}", file=sys.stderr)
    systems = [system for system in asked.systems if system not in absent]
    with tempfile.TemporaryDirectory() as scratch:
        plan = Path(scratch) / "plan.yaml"
        plan.write_text(json.dumps(made(folder, asked, systems)), "utf-8")  # JSON is YAML
        out = asked.out or Path(scratch) / "run"
        subprocess.run(
            [sys.executable, "-m", "assay", "run", str(plan), "--out", str(out)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        show(Run.load(out), asked.sets, systems)


def made(folder: Path, asked: argparse.Namespace, systems: list[str]) -> dict[str, Any]:
    """Return the plan."""
    return {
        "name": "science-table",
        "says": "What do systems make of rows whose value is hidden beyond a limit?",
        "seeds": list(range(asked.seeds)),
        "tasks": [
            {
                "use": "science.table",
                "name": name,
                "options": {
                    "path": str(folder / f"{name}.jsonl"),
                    "target": "y",
                    "quantiles": QUANTILES,
                    "seed": asked.split,
                },
            }
            for name in asked.sets
        ],
        "systems": [{"name": name, **SYSTEMS[name]} for name in systems],
        "timing": {"processes": 1, "blocks": 2, "questions": 1},
    }


def show(run: Run, sets: list[str], systems: list[str]) -> None:
    """Print a table for each metric, and the caveats."""
    for metric in METRICS:
        print(f"\n{metric}\n\n| set | {' | '.join(systems)} |\n|---|{'---|' * len(systems)}")
        for name in sets:
            cells = [said(run.estimate(metric, system, task=name)) for system in systems]
            print(f"| {name} | {' | '.join(cells)} |")
    print()
    for name in sets:
        print(f"{name}: {'; '.join(run.results.manifest.tasks[name].caveats)}")


def said(estimate: Estimate) -> str:
    """Write a number with its interval."""
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]"


if __name__ == "__main__":
    main()
