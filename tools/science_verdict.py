"""Print the tables of a science run as Markdown: every system, every claim.

python tools/science_verdict.py runs/dose
"""

from __future__ import annotations

import sys
from pathlib import Path

from assay import Run
from assay.estimates import spell

NAMES = {
    "macro_f1": "macro-F1",
    "accuracy": "right",
    "coverage": "answers",
    "invention_rate": "invents",
    "withheld_rate": "withholds",
    "direction_accuracy": "right side",
    "charged_error": "charged error",
    "charged_tip_error": "charged tip error",
    "charged_log_error": "charged dB",
}


def main() -> None:
    """Print what the runs named on the command line came to."""
    for path in sys.argv[1:]:
        run = Run.load(Path(path))
        [task] = run.manifest.tasks
        known = run.results.cases[task].metrics
        names = [name for name in NAMES if name in known]
        seeds = len(run.manifest.seeds)
        head = ("system", *(NAMES[name] for name in names), "parameters")
        print(f"{task}, {seeds} seeds\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
        notes = {cell.system: cell.notes for cell in run.provenance.cells}
        for system in [ref.name for ref in run.loaded.plan.systems]:
            size = notes.get(system, {}).get("parameters", "")
            cells = [short(spell(run.estimate(n, system, task=task))) for n in names]
            print(f"| {' | '.join([system, *cells, str(size)])} |")
        print("\n| claim | finding | found |\n|---|---|---|")
        for finding in run.results.findings:
            found = spell(finding.estimate)
            print(f"| {finding.claim.says} | {finding.status.value} | {found} |")
        print()


def short(text: str) -> str:
    """Leave out the size, which is the same down a column."""
    return text.partition(" n=")[0]


if __name__ == "__main__":
    main()
