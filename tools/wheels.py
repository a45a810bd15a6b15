"""Which pinned packages have no wheel for another Python or another kind of machine: resolved, not run.

    .venv/bin/python tools/wheels.py [--pythons 3.11,3.14] [--platforms linux-x86_64,macos-arm64] [--newest]

Takes every package that assay and its extras need here, in the version of ``constraints.txt``, and asks pip for
a wheel of it, and of nothing else, for each pair.  With ``--newest`` any version will do.  Nothing is downloaded
but what an index says.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = {
    "linux-x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"),
    "linux-arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64", "macosx_11_0_universal2"),
    "windows-x86_64": ("win_amd64",),
}  # fmt: skip
NONE = re.compile(r"No matching distribution found for ([A-Za-z0-9_.-]+)")


def main() -> int:
    """Print a row for each pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pythons", default="3.11,3.12,3.13,3.14")
    parser.add_argument("--platforms", default=",".join(PLATFORMS))
    parser.add_argument("--newest", action="store_true", help="any version, not the pinned one")
    asked = parser.parse_args()
    every = closure("assay-eval")
    needed = {name: extras for name, extras in every.items() if not anywhere(name)}
    pins = pinned()
    print(
        f"{len(every)} packages, {len(needed)} of them not for any machine\n\n| Python | machine | no wheel for | of |\n|---|---|---|---|",
        flush=True,
    )
    for python in asked.pythons.split(","):
        for platform in asked.platforms.split(","):
            any_ = needed if asked.newest else needed.keys() - pins.keys()
            words = [name if name in any_ else f"{name}=={pins[name]}" for name in sorted(needed)]
            gone = missing(words, python, PLATFORMS[platform])
            said = ", ".join(f"{name} {pins.get(name, '')}".strip() for name in gone) or "-"
            of = ", ".join(sorted({extra for name in gone for extra in needed[name]})) or "-"
            print(f"| {python} | {platform} | {said} | {of} |", flush=True)
    return 0


def closure(root: str) -> dict[str, set[str]]:
    """Return every package that is needed here, with the extras that need it; the core is ``none``."""
    found: dict[str, set[str]] = {}
    for extra in ("none", *(metadata.metadata(root).get_all("Provides-Extra") or ())):
        left = [(root, "" if extra == "none" else extra)]
        seen = set()
        while left:
            name, wanted = left.pop()
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            try:
                lines = metadata.requires(name) or ()
            except metadata.PackageNotFoundError:
                continue
            for each in map(Requirement, lines):
                if each.marker is None or each.marker.evaluate({"extra": wanted}):
                    below = canonicalize_name(each.name)
                    found.setdefault(below, set()).add(extra)
                    left += [(below, ""), *((below, more) for more in each.extras)]
    for name, extras in found.items():
        found[name] = {"none"} if "none" in extras else extras
    return found


def anywhere(name: str) -> bool:
    """Return whether the wheel that is installed here is one for any machine."""
    try:
        told = metadata.distribution(name).read_text("WHEEL") or ""
    except metadata.PackageNotFoundError:
        return False
    return any(
        line.endswith("-none-any") for line in told.splitlines() if line.startswith("Tag: py3")
    )


def pinned() -> dict[str, str]:
    """Return the versions of ``constraints.txt``."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.partition("#")[0].strip().split("==") for line in lines if "==" in line]
    return {canonicalize_name(name): version for name, version in pairs}


def missing(words: list[str], python: str, tags: tuple[str, ...]) -> list[str]:
    """Return the packages that have no wheel for a Python on a machine."""
    gone: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        while True:
            left = [w for w in words if canonicalize_name(w.partition("==")[0]) not in gone]
            command = [
                sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:", "--target", folder, "--no-input",
                "--disable-pip-version-check", "--python-version", python, *(f"--platform={tag}" for tag in tags), *left,
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return gone
            found = NONE.search(done.stderr)
            if found is None:
                sys.exit(done.stderr[-2000:])
            gone.append(canonicalize_name(found[1]))


if __name__ == "__main__":
    sys.exit(main())
