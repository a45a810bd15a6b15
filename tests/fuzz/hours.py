"""Fuzz every reader in turn, and count what each has had: ``python tests/fuzz/hours.py MINUTES [NAME ...]``.

    python tests/fuzz/hours.py 60                 # an hour, in turns, each for the harness that has had least
    python tests/fuzz/hours.py 60 plan            # an hour of one
    python tests/fuzz/hours.py --table            # what each has had
    python tests/fuzz/hours.py 600 --ledger /tmp/hours.json --low    # beside other work; SIGTERM ends it in order

Minutes are of CPU, of the fuzzer and all that it starts: on a busy machine an hour of the clock is less.  The ledger
is written after each turn, whole or not at all.  Inputs that crashed a reader lie in ``FOLDER/found``, each with its
traceback; the program then ends with 1.  What a turn has learnt (``FOLDER/corpus``) the next one begins with.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

HERE = Path(__file__).parent
LEDGER = HERE / "HOURS.json"
NAMES = tuple(sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py")))
TURN_S = 180
"""Seconds of the clock for one turn."""

PATIENCE_S = 120
"""Seconds of the clock for one input at the lowest priority: most of them it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Had:
    """What a harness has had, of all turns together."""

    cpu_minutes: float = 0.0
    inputs: int = 0
    turns: int = 0
    branches: int = 0
    """The most that a turn has reached."""

    crashes: int = 0
    """Places where a reader crashed, or took too long or too much memory, each once a turn."""

    def after(self, turn: Had) -> Had:
        """Return what it has had with one turn more."""
        return Had(
            cpu_minutes=round(self.cpu_minutes + turn.cpu_minutes, 2),
            inputs=self.inputs + turn.inputs,
            turns=self.turns + 1,
            branches=max(self.branches, turn.branches),
            crashes=self.crashes + turn.crashes,
        )


def read_ledger(path: Path) -> dict[str, Had]:
    """Return what each harness has had; nothing for those that are new."""
    said = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: Had(**said.get(name, {})) for name in NAMES}


def write_ledger(path: Path, ledger: dict[str, Had]) -> None:
    """Write a ledger, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    rows = (f' "{name}": {json.dumps(asdict(had))}' for name, had in sorted(ledger.items()))
    part.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
    part.replace(path)


def table(ledger: dict[str, Had]) -> str:
    """Return a ledger as Markdown."""
    rows = [
        f"| {name} | {had.cpu_minutes:,.1f} | {had.inputs:,} | {had.branches:,} | {had.crashes} |"
        for name, had in sorted(ledger.items())
    ]
    minutes, inputs = (
        sum(getattr(had, key) for had in ledger.values()) for key in ("cpu_minutes", "inputs")
    )
    rows.append(
        f"| **all** | {minutes:,.1f} | {inputs:,} | | {sum(had.crashes for had in ledger.values())} |"
    )
    return "\n".join(
        ["| harness | CPU minutes | inputs | branches | crashes |", "|---|---|---|---|---|", *rows]
    )


def least(ledger: dict[str, Had], names: tuple[str, ...]) -> str:
    """Return the harness that has had least."""
    return min(names, key=lambda name: (ledger[name].cpu_minutes, name))


class Turn:
    """One harness in a process of its own, which can be ended in order."""

    def __init__(self, name: str, asked: argparse.Namespace, seconds: int, seed: int) -> None:
        folder = asked.folder
        self.found = folder / "found" / name
        self.found.mkdir(parents=True, exist_ok=True)
        self.before = set(self.found.iterdir())
        corpus = folder / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for known in (HERE / "corpus" / name).glob("*"):
            shutil.copyfile(known, corpus / known.name)
        self.log = folder / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        words = [
            sys.executable, str(HERE / f"fuzz_{name}.py"), str(seconds), "--corpus", str(corpus),
            "--found", str(self.found), "--seed", str(seed), "--go-on",
            *(["--patience", str(PATIENCE_S)] if asked.low else []),
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        if asked.low:
            # Linux shares out the processor between sessions first, whatever is nice in them.
            with suppress(OSError):
                Path(f"/proc/{self.process.pid}/autogroup").write_text("19", "ascii")

    def stop(self) -> None:
        """Ask the fuzzer to end: it then says what it did."""
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(self.process.pid, signal.SIGTERM)

    def wait(self) -> Had:
        """Return what the harness has had in this turn."""
        _, status, spent = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        said = self.log.read_text("utf-8", "replace")
        executed = re.findall(r"stat::number_of_executed_units: (\d+)", said) or re.findall(
            r"(?m)^#(\d+)\s", said
        )
        covered = re.findall(r"\bcov: (\d+)", said)
        new = {path for path in self.found.iterdir() if path.suffix != ".txt"} - self.before
        return Had(
            cpu_minutes=(spent.ru_utime + spent.ru_stime) / 60,
            inputs=int(executed[-1]) if executed else 0,
            branches=int(covered[-1]) if covered else 0,
            crashes=len(new),
        )


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", type=float, nargs="?", default=0.0)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--ledger", type=Path, default=LEDGER)
    parser.add_argument("--folder", type=Path, default=Path(".cache/fuzz"))
    parser.add_argument(
        "--turn", type=int, default=TURN_S, help="seconds of the clock for one turn"
    )
    parser.add_argument("--low", action="store_true", help="at the lowest priority")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"there is no harness {min(unknown)}: {', '.join(NAMES)}")
    if asked.low:
        os.nice(19)
    if not asked.table:
        crashes = fuzz(asked.minutes, tuple(asked.names) or NAMES, asked)
    ledger = read_ledger(asked.ledger)
    sys.stdout.write(table(ledger) + "\n")
    sys.exit(0 if asked.table or not crashes else 1)


def fuzz(minutes: float, names: tuple[str, ...], asked: argparse.Namespace) -> int:
    """Fuzz in turns for so many minutes of CPU; return how many crashes there were."""
    now: Turn | None = None
    over = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal over
        over = True
        if now is not None:
            now.stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    left, crashes = minutes, 0
    while left > 0 and names and not over:
        ledger = read_ledger(asked.ledger)
        name = least(ledger, names)
        seconds = max(5, min(asked.turn, round(left * 60)))
        began = time.monotonic()
        now = Turn(name, asked, seconds, seed=ledger[name].turns + 1)
        turn = now.wait()
        if not turn.inputs:
            if over:  # ended before it began
                break
            sys.stderr.write(f"{name} ended without a word, and is left out: see {now.log}\n")
            names, crashes = tuple(one for one in names if one != name), crashes + 1
            continue
        ledger[name] = ledger[name].after(turn)
        write_ledger(asked.ledger, ledger)
        left, crashes = left - turn.cpu_minutes, crashes + turn.crashes
        sys.stderr.write(
            f"{name}: {turn.cpu_minutes:.1f} CPU minutes in {(time.monotonic() - began) / 60:.1f}, {turn.inputs:,} inputs, "
            f"{turn.branches:,} branches, {turn.crashes} crashes\n"
        )
    return crashes


if __name__ == "__main__":
    main()
