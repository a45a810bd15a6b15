"""Install a wheel with each of its extras alone, and see that it works: a table of seconds and megabytes.

    python3 tools/extras.py dist/assay_eval-*.whl [--only query,lm] [--python python3.12] [--keep FOLDER]

A fresh environment for each extra, made of ``constraints.txt``.  In it every package of the extra is imported,
``assay doctor`` finds nothing wrong, commands that need an extra work, or name the one that is missing, and what the
extra is for is done (``extras_at_work.py``).
Ends with 1 where something does not hold.  Standard library only.
"""

from __future__ import annotations

import argparse
import email
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from extras_at_work import faults_at_work

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "tests" / "data" / "imports"
PRICES = """\
name: mine
date: "2026-11-01"
source: genai-prices
device: {usd: 1000, years: 3, utilisation: 0.5, watts: 50, usd_per_kwh: 0.3}
apis: {gpt: {genai: "openai:gpt-4o-mini"}}
"""
RUN = Path(tempfile.gettempdir()) / f"assay-extras-{os.getpid()}" / "run"
"""Made by the first environment, and read by all."""

COMMANDS = {
    "harness": ["lm", "tasks"],
    "imports": ["import", "inspect", str(LOGS / "inspect" / "adder.eval"), "--out", "{new}"],
    "prices": ["front", "{run}", "--prices", "{prices}"],
    "query": ["query", "{run}", "SELECT count(*) FROM records"],
}
"""Extra to a command that works with it, and without it says which one to install."""

IMPORTS = """
import importlib, importlib.metadata as m, re, sys
for wanted in sys.argv[1:]:
    name = re.match(r"[A-Za-z0-9_.-]+", wanted)[0]
    tops = {f.parts[0] for f in m.files(name) or () if len(f.parts) == 2 and f.name == "__init__.py"}
    own = {name.lower().replace("-", "_")} & tops or {t for t in tops if t.isidentifier()}
    for top in sorted(own):
        importlib.import_module(top)
"""
"""Imports what some distributions are for: the package of their name, or else every one of theirs."""


def main() -> int:
    """Install and try; return how the program ends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--only", default="", help="extras, with commas; 'none' is the core alone")
    parser.add_argument("--python", default=sys.executable, help="makes the environments")
    parser.add_argument("--keep", type=Path, help="where the environments stay")
    parser.add_argument(
        "--free", action="store_true", help="without constraints.txt: what pip takes today"
    )
    parser.add_argument(
        "--uv", help="this uv makes and fills the environments, instead of venv and pip: faster"
    )
    asked = parser.parse_args()
    extras = extras_of(asked.wheel)
    only = asked.only.split(",") if asked.only else ["none", *extras]
    if strange := [name for name in only if name not in ("none", *extras)]:
        sys.exit(f"no such extra: {', '.join(strange)}; there are: {', '.join(extras)}")
    broken = 0
    print("| extra | packages | MB | seconds | holds |\n|---|---|---|---|---|", flush=True)
    for name in only:
        with tempfile.TemporaryDirectory(prefix="assay-extra-") as folder:
            home = asked.keep / name if asked.keep else Path(folder) / name
            row, faults = tried(name, extras.get(name, []), asked, home)
        print(row, flush=True)
        for fault in faults:
            print(f"  {name}: {fault}", file=sys.stderr, flush=True)
        broken += bool(faults)
    shutil.rmtree(RUN.parent, ignore_errors=True)
    return 1 if broken else 0


def extras_of(wheel: Path) -> dict[str, list[str]]:
    """Return the extras of a wheel with what each requires."""
    with zipfile.ZipFile(wheel) as packed:
        [name] = [n for n in packed.namelist() if n.endswith(".dist-info/METADATA")]
        facts = email.message_from_bytes(packed.read(name))
    found: dict[str, list[str]] = {name: [] for name in facts.get_all("Provides-Extra", [])}
    for line in facts.get_all("Requires-Dist", []):
        if (of := re.search(r"extra == ['\"]([^'\"]+)['\"]", line)) is not None:
            found[of[1]].append(line.partition(";")[0].strip())
    return found


def tried(
    name: str, wanted: list[str], asked: argparse.Namespace, home: Path
) -> tuple[str, list[str]]:
    """Return the row of one extra, and what does not hold."""
    shutil.rmtree(home, ignore_errors=True)
    began = time.monotonic()
    python = home / "bin" / "python"
    makes = (
        [asked.uv, "venv", "--seed", "--python", asked.python]
        if asked.uv
        else [asked.python, "-m", "venv"]
    )
    subprocess.run([*makes, home], check=True, capture_output=True)
    words = str(asked.wheel.resolve()) + ("" if name == "none" else f"[{name}]")
    pinned = [] if asked.free else ["-c", str(ROOT / "constraints.txt")]
    pip = [
        python,
        "-m",
        "pip",
        "install",
        "--no-input",
        "--no-compile",
        "--disable-pip-version-check",
    ]
    installs = [asked.uv, "pip", "install", "--python", python] if asked.uv else pip
    done = said(*installs, "-q", *pinned, words)
    took = time.monotonic() - began
    if done.returncode:
        return f"| {name} | | | {took:.0f} | no |", [f"install: {done.stderr.strip()[-600:]}"]
    site = next((home / "lib").glob("python3*")) / "site-packages"
    mega = (
        sum(p.stat().st_size for p in site.rglob("*") if p.is_file() and not p.is_symlink()) / 1e6
    )
    listed = said(
        python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"
    ).stdout.splitlines()
    count = sum(
        1
        for line in listed
        if not line.startswith(("pip=", "setuptools=", "wheel=", "assay-eval="))
    )
    with tempfile.TemporaryDirectory(prefix="assay-extra-") as folder:
        faults = list(faults_of(name, wanted, home, Path(folder)))
    return f"| {name} | {count} | {mega:.0f} | {took:.0f} | {'no' if faults else 'yes'} |", faults


def faults_of(name: str, wanted: list[str], home: Path, folder: Path) -> Iterator[str]:
    """Yield what does not hold in an environment."""
    python, assay = home / "bin" / "python", home / "bin" / "assay"
    checked = said(python, "-m", "pip", "check", "--disable-pip-version-check")
    if checked.returncode:
        yield f"pip check: {checked.stdout.strip()[-400:]}"
    imported = said(python, "-W", "ignore", "-c", IMPORTS, *wanted)
    if imported.returncode:
        yield f"import: {imported.stderr.strip()[-400:]}"
    if name == "none" or not RUN.is_dir():
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.parent.mkdir(exist_ok=True)
        made = said(assay, "run", ROOT / "plans" / "smoke.yaml", "--out", RUN, cwd=folder)
        if made.returncode:
            yield f"run plans/smoke.yaml: {made.stderr.strip()[-400:]}"
    doctor = said(assay, "doctor", cwd=folder)
    if doctor.returncode:
        yield f"doctor: {(doctor.stdout + doctor.stderr).strip()[-600:]}"
    (folder / "prices.yaml").write_text(PRICES, "utf-8")
    places = {"run": RUN, "new": folder / "new", "prices": folder / "prices.yaml"}
    for extra, words in COMMANDS.items():
        tried_ = said(assay, *(word.format(**places) for word in words), cwd=folder)
        tells = f"assay-eval[{extra}]" in tried_.stderr and tried_.returncode == 2
        works = tried_.returncode == 0
        if not works and (extra == name or not tells):
            yield f"assay {words[0]}: ends with {tried_.returncode}: {tried_.stderr.strip()[-400:]}"
    yield from faults_at_work(name, home / "bin", folder, RUN)


def said(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        list(map(str, words)), check=False, capture_output=True, text=True, cwd=cwd
    )


if __name__ == "__main__":
    sys.exit(main())
