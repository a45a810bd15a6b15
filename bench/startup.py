"""What a user waits for before anything happens: fresh processes with a warm file cache.

*Covered*: ``assay --help``, ``import assay``, an empty Python, and importing sentence_transformers
where it is installed (``PEERS`` names a Python that has it).  *Not covered*: a cold file cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from contest import SOURCE, children, contest, given, tell


def main() -> None:
    quick, as_json = given()
    rounds = 1 if quick else 7
    peers = os.environ.get("PEERS", sys.executable)
    sides = {
        "assay --help": starts(sys.executable, "-m", "assay", "--help"),
        "import assay": starts(sys.executable, "-c", "import assay"),
        "python -c pass": starts(sys.executable, "-c", "pass", said="the floor"),
    }
    heavy = ("-c", "import sentence_transformers")
    if not quick and has(peers, "sentence_transformers"):
        sides["import sentence_transformers"] = starts(peers, *heavy)
    elif not quick:
        print("skipped: importing sentence_transformers, which is not installed", file=sys.stderr)
    scale = ("import assay", "python -c pass")
    rows = contest("start", sides, n=1, rounds=rounds, each=children, for_scale=scale)
    tell(rows, as_json=as_json)


def starts(*words: str, said: str = "") -> Callable[[], str]:
    """Return a side that runs a fresh process."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "HF_HUB_OFFLINE": "1"}

    def start() -> str:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment)
        return said

    return start


def has(python: str, module: str) -> bool:
    """Whether a Python can find a module."""
    looks = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", looks], check=False).returncode == 0


if __name__ == "__main__":
    main()
