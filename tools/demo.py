"""The main job, as a newcomer sees it: a decision on real models, then proof that it is sealed.

make demo
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSAY = [sys.executable, "-m", "assay"]


def main() -> int:
    """Run, tamper with a copy, say what comes next, and end with the decision."""
    began = time.monotonic()
    title("1  Six systems and three controls answer the same prompts: assay run plans/defi.yaml")
    ran = subprocess.run([*ASSAY, "run", "plans/defi.yaml"], cwd=ROOT, check=False)
    if ran.returncode:
        return ran.returncode
    run = max((ROOT / "runs").glob("*-defi-*/SEAL"), key=lambda p: p.stat().st_mtime).parent

    title("2  Flip one byte in a copy of the run, and verify it: assay verify COPY")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(run, copy)
        victim = next((copy / "records" / "intent.defi" / "mapper").glob("*-test.jsonl"))
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
        print(f"flipped one bit of {victim.relative_to(copy)}")
        found = subprocess.run(
            [*ASSAY, "verify", str(copy)], cwd=ROOT, check=False, capture_output=True, text=True
        )
        print(found.stdout + found.stderr, end="")
        if found.returncode != 1:
            print("assay verify did not notice", file=sys.stderr)
            return 1
    subprocess.run([*ASSAY, "verify", str(run)], cwd=ROOT, check=True)

    title("3  Your own prompts")
    print("a CSV with the columns prompt and label is enough:")
    print("    .venv/bin/assay init --from your.csv")
    print(
        f"\nthe report, with the samples behind every number: {run.relative_to(ROOT)}"
        "/derived/report.html"
    )
    print(f"all of this took {time.monotonic() - began:.0f} s\n")
    summary = json.loads((run / "derived" / "summary.json").read_text("utf-8"))
    print(summary["says"])
    return 0


def title(text: str) -> None:
    """Print a step's title."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
