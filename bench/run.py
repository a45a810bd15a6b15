"""Run every benchmark, print the tables, write RESULTS.md and results.json: what `make bench` runs.

    python bench/run.py [--only journal] [--quick] [--out FOLDER] [--peers PYTHON]

``--peers`` names a Python that has sentence-transformers, where this one has not.  Each benchmark
is a program of its own, so that none pays for another's imports or memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from contest import load, read_rows, table
from startup import has

HERE = Path(__file__).resolve().parent
MAPPER_NEEDS = ("sentence_transformers", "sklearn", "onnxruntime", "tokenizers", "safetensors")
NAMED = (
    "msgspec",
    "numpy",
    "scipy",
    "pandas",
    "statsmodels",
    "moocore",
    "paretoset",
    "pymoo",
    "numba",
    "torch",
    "safetensors",
    "gguf",
)
SAYS = {
    "mapper": "intent.mapper against sentence-transformers, the same weights",
    "journal": "writing, reading and resuming a journal",
    "startup": "before anything happens",
    "columns": "from journals to intervals and a front",
    "front": "the points that nothing dominates",
    "bootstrap": "10,000 resamples of one number",
    "python_checks": "Python programs checked in the sandbox, half of them broken, against a process for each",
    "model_files": "APR files loaded, written, quantised and hashed, beside safetensors, gguf and numpy",
    "lm_harness": "items of lm-evaluation-harness, its own hf model beside ours, the same decisions",
    "science_peers": "sixteen networks of a dose, seeds together, against zeroproofml's own loop",
    "verdicts": "Rust answers verified, half of them broken, against cargo build and cargo test",
}
HOW = """Each figure is a median with its smallest and largest over the rounds. In a round every contender runs once,
in turning order; ratios are taken within rounds, and the first contender is 1. CPU is user plus system time of
the process (of its children, for programs); on a machine that is shared it is the steadier figure. Wall time of
what flushes to disk is the disk's. Rows that assay loses say so.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=SAYS, action="append")
    parser.add_argument("--quick", action="store_true", help="a few rows, to see that it runs")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--peers", default=sys.executable, help="a Python with the heavy peers")
    given = parser.parse_args()
    before, start = load(), time.monotonic()
    parts: dict[str, Any] = {}
    texts = []
    for name in given.only or SAYS:
        print(f"## {name}: {SAYS[name]}\n", flush=True)
        begun = load()
        facts, text = measure(name, given)
        parts[name] = {"load_before": begun, **facts}
        text = f"{text}\n\nLoad average when it began: {begun}.\n"
        print(text, flush=True)
        texts.append(f"## {name}: {SAYS[name]}\n\n{text}")
    facts = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "quick": given.quick,
        "load": {"before": before, "after": load()},
        "minutes": round((time.monotonic() - start) / 60, 1),
        "benchmarks": parts,
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    (given.out / "RESULTS.md").write_text(page(facts, texts, given), "utf-8")


def measure(name: str, given: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Run one benchmark; return what is kept of it, and its text."""
    if name == "mapper":
        return measure_mapper(given)
    words = [sys.executable, str(HERE / f"{name}.py"), "--json"]
    done = run([*words, "--quick"] if given.quick else words, PEERS=given.peers)
    skipped = done.stderr.strip()
    if done.returncode:
        sys.exit(f"{name} failed (exit status {done.returncode}):\n{skipped}")
    rows = read_rows(done.stdout)
    text = table(rows) + (f"\n\n{skipped}" if skipped else "")
    return {"rows": [asdict(row) for row in rows], "skipped": skipped}, text


def measure_mapper(given: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Run mapper.py, which makes tables of its own."""
    missing = [module for module in MAPPER_NEEDS if not has(given.peers, module)]
    if missing:
        text = f"skipped: {', '.join(missing)} not installed (`make bench` installs it)"
        return {"skipped": text}, text
    rounds, single, batched, starts = (
        ("3", "10", "128", "1") if given.quick else ("7", "40", "256", "5")
    )
    sizes = ["--rounds", rounds, "--single", single, "--batched", batched, "--starts", starts]
    done = run([given.peers, str(HERE / "mapper.py"), *sizes])
    if done.returncode:
        sys.exit(f"mapper failed (exit status {done.returncode}):\n{done.stderr.strip()}")
    return {"text": done.stdout.strip()}, done.stdout.strip()


def run(words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def machine() -> dict[str, Any]:
    """Describe the machine and the versions that matter."""
    found = {}
    for package in NAMED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "cpu": cpu(),
        "cpus": os.cpu_count(),
        "os": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": found,
    }


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def page(facts: dict[str, Any], texts: list[str], given: argparse.Namespace) -> str:
    """Return RESULTS.md."""
    on = facts["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in on["packages"].items())
    words = ["python bench/run.py", *(f"--only {name}" for name in given.only or [])]
    words += ["--quick"] * given.quick + ["--peers PYTHON"] * (given.peers != sys.executable)
    loads = facts["load"]
    busy = float(loads["before"].split()[0]) > on["cpus"] / 2
    when = (
        f"{facts['date'][:10]}, {on['cpus']} x {on['cpu']}, {on['os']}, Python {on['python']}, "
        f"{packages}. Load average (1, 5, 15 minutes) {loads['before']} when it began and "
        f"{loads['after']} when it ended, {facts['minutes']} minutes later"
        f"{': other work ran beside it' if busy else ''}."
    )
    repeat = f"To repeat: `{' '.join(words)}`"
    return "\n\n".join(("# Results of `make bench`", when, repeat, HOW.strip(), *texts))


if __name__ == "__main__":
    main()
