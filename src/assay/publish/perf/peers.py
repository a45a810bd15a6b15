"""Programs that time assay beside its peers: a folder of them, with a list that says what each is.

They are no part of the package: they need what users lack.  ``peers.yaml`` in the folder names them in order;
each is a program of its own, so that none pays for another's imports, and prints its rows as JSON.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from ...core.errors import PlanError
from ...engine.document import read_document
from .contest import Row, load
from .document import PeerFacts

LIST = "peers.yaml"
_NAME = re.compile(r"[a-z0-9_]{1,60}")
_ROWS: TypeAdapter[tuple[Row, ...]] = TypeAdapter(tuple[Row, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One program."""

    name: str
    says: str
    program: Path


def peers_of(folder: Path) -> tuple[Peer, ...]:
    """Return the programs of a folder, in the order of its list.

    Raises ``PlanError`` A100 for a folder without a list or a list that cannot be read, A103 for a program
    that is not there.
    """
    path = folder / LIST
    begins = (
        "write one line for each program: `journal: what it compares` (journal.py lies beside it)"
    )
    document = read_document(path, what="list of peers", begins=begins)
    found = document.value
    if not isinstance(found, dict) or not all(
        _NAME.fullmatch(str(name)) and isinstance(says, str) for name, says in found.items()
    ):
        raise PlanError(
            "a list of peers has names and a sentence for each", where=str(path), hint=begins
        )
    peers = []
    for name, says in found.items():
        program = folder / f"{name}.py"
        if not program.is_file():
            raise PlanError(
                f"there is no program {program.name}",
                where=document.where((name,)),
                hint=f"put it into {folder}, or take its line out",
                code="A103",
            )
        peers.append(Peer(name=name, says=says, program=program))
    return tuple(peers)


def time_peers(
    peers: Sequence[Peer], *, quick: bool, say: Callable[[str], None]
) -> tuple[PeerFacts, ...]:
    """Run every program; ``say`` hears how far it is.  One that fails has no rows, and says why."""
    found = []
    for at, peer in enumerate(peers):
        say(f"peers {at + 1} of {len(peers)}: {peer.name}")
        begun, start, when = load(), time.monotonic(), datetime.now(UTC)
        words = [sys.executable, str(peer.program), "--json", *(["--quick"] if quick else [])]
        environment = {**os.environ, "PEERS": os.environ.get("PEERS", sys.executable)}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        skipped = "\n".join(x for x in done.stderr.splitlines() if x.startswith("skipped: "))
        rows: tuple[Row, ...] = ()
        broke = ""
        try:
            rows = _rows(done)
        except ValueError as error:
            tail = " ".join(done.stderr.strip().splitlines()[-3:])[-500:]
            broke = f"it printed no rows ({str(error).splitlines()[0]}): {tail}"
            say(f"{peer.name}: {broke}")
        found.append(
            PeerFacts(
                name=peer.name,
                says=peer.says,
                when=when.isoformat(timespec="seconds"),
                load=begun,
                minutes=round((time.monotonic() - start) / 60, 1),
                quick=quick,
                rows=rows,
                skipped=skipped,
                broke=broke,
            )
        )
    return tuple(found)


def _rows(done: subprocess.CompletedProcess[str]) -> tuple[Row, ...]:
    """Return the rows on the last line; raise ``ValueError`` where there are none."""
    if done.returncode:
        raise ValueError(f"exit status {done.returncode}")
    last = done.stdout.strip().rpartition("\n")[2]
    return _ROWS.validate_json(last)
