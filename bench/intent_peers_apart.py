"""Environments of the peers, and processes that answer inside them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

BENCH = Path(__file__).resolve().parent
SIDE = BENCH / "intent_peer_side.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a side runs: an interpreter, and the versions that decide what it answers."""

    python: Path
    versions: str


def environment(side: str, work: Path, *, family: str = "intent") -> Environment:
    """Return the environment of a peer, made from its list of pinned versions where it is missing."""
    if side == "assay" or ":" in side:
        return Environment(python=Path(sys.executable), versions="")
    pins = BENCH / f"{family}_peers_{side}.txt"
    folder, wanted = work / side, pins.read_text("utf-8")
    made_of, python = folder / "made-of.txt", folder / "bin" / "python"
    if not made_of.exists() or made_of.read_text("utf-8") != wanted:
        print(f"making {folder}: about 1 GB, two minutes", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-input", "-r", pins]
        subprocess.run(install, check=True)
        made_of.write_text(wanted, "utf-8")
    return Environment(python=python, versions=wanted)


@dataclass(slots=True, kw_only=True)
class Child:
    """A side in a process of its own: one request, one reply."""

    side: str
    python: Path
    log: Path
    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        """Start it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.python, SIDE, self.side],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        return self

    def __exit__(self, *_: object) -> None:
        """End it: it ends where its input does."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Ask, and wait."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            sys.exit(f"{self.side} ended with status {status} at {asked['do']!r}: see {self.log}")
        return dict(json.loads(line))


def digest(*decides: Any) -> str:
    """Name what these decide."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def once(path: Path, make: Any, *arguments: Any) -> Any:
    """Return what is kept at a path, or make it and keep it."""
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    made = make(*arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made), "utf-8")
    return made
