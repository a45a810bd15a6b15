"""Break runs in every way, thousands of times, and count what becomes of them.

    python faults.py SEED KIND=COUNT ...

prints a table: how many faults of a kind were injected, after how many of them what is promised held (a run that
decides the same, a journal that keeps its whole lines), how many were said with a code, and how many went wrong.
Which places are hit is drawn from SEED.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import TypeAlias

from assay.core.errors import AssayError
from assay.store.evidence import drop_lost, read_evidence
from assay.store.journal import read_lines, repair
from assay.store.rundir import RunDir, cell_of
from assay.store.seal import faults, journals
from many_endpoint import answer_to, many_endpoint
from power_cut import Disk, lay_out, read, record
from runs import CHILD, PLUGINS, SMOKE, TESTS, decisions, execute_plan, write_plan

Found: TypeAlias = Iterator[str]
"""What became of each fault: ``held``, a code, or ``wrong: ...``."""

FAST = ("timing.blocks=1", "timing.questions=1", "tasks.toy.errands.limit=150")
MOODY = """\
name: cut
tasks: [{use: awkward.moody, options: {n: 230}}]
systems: [{name: echo, use: awkward.echo}]
timing: {processes: 0}
"""
REMOTE = """\
name: remote
tasks: [{use: lm.labelled, options: {path: rows.jsonl, user: "{text}"}}]
timing: {processes: 0}
systems:
  - name: served
    use: lm.openai
    options: {base_url: "URL", model: m, key: "", max_tokens: 8, parallel: 100, retries: 9}
"""


def same(wanted: dict[str, str], run: RunDir) -> str:
    """Return whether a run is intact and decides what was wanted."""
    if broken := faults(run):
        return f"wrong: {broken[0]}"
    return "held" if decisions(run) == wanted else "wrong: it decides something else"


def power_cuts(folder: Path, rng: Random) -> Found:
    """Cut the power at any call; every hundredth time go on, and compare the decisions."""
    plan, runs = write_plan(folder, MOODY), folder / "runs"
    runs.mkdir()
    ops = []
    for mood in ("away", "lenient"):
        log = folder / f"{mood}.log"
        command = [sys.executable, "-c", CHILD, str(plan), str(runs / "run"), "2"]
        record(command, log, AWKWARD_MOOD=mood)
        ops += read(log, runs)
    os.environ["AWKWARD_MOOD"] = "lenient"
    wanted = decisions(RunDir(runs / "run"))
    for number in count(1):
        disk = Disk(str(runs))
        for op in ops[: rng.randrange(len(ops) + 1)]:
            disk.do(op)
        left = folder / "left"
        shutil.rmtree(left, ignore_errors=True)
        lay_out(disk.after_a_cut(rng), left)
        try:
            said = _looked_at(RunDir(left / "run"), disk.whole())
            if number % 100 == 0 and said == "held":
                said = same(wanted, execute_plan(plan, left / "run"))
            yield said
        except AssayError as error:
            yield error.code


def _looked_at(run: RunDir, before: dict[str, bytes]) -> str:
    if run.seal.exists() and (broken := faults(run)):
        return f"wrong: {broken[0]}"
    for path in journals(run) if run.root.is_dir() else []:
        whole = before[os.path.relpath(path, run.root.parent)]
        pack = run.evidence(cell_of(run.root, path))
        repair(path)
        drop_lost(path, pack)
        kept = path.read_bytes()
        if not whole.startswith(kept) or whole.count(b"\n") - kept.count(b"\n") > 100 + 64:
            return f"wrong: {path.name} lost more than it may"
        for line in read_lines(path):
            if line.usage.at:
                read_evidence(pack, line.usage.at)
    return "held"


def _whole_run(folder: Path) -> RunDir:
    return execute_plan(SMOKE, folder / "whole", *FAST)


def torn_tails(folder: Path, rng: Random) -> Found:
    """Cut a journal at any byte."""
    texts = [path.read_bytes() for path in journals(_whole_run(folder))]
    path = folder / "journal.jsonl"
    while True:
        text = rng.choice(texts)
        cut = rng.randrange(len(text) + 1)
        path.write_bytes(text[:cut])
        repair(path)
        kept = text[: text.rfind(b"\n", 0, cut) + 1]
        yield "held" if path.read_bytes() == kept else "wrong: other lines are kept"


def flipped_bits(folder: Path, rng: Random) -> Found:
    """Flip a bit of any sealed file."""
    run = _whole_run(folder)
    sealed = [path for path in run.sealed_files() if path.stat().st_size]
    while True:
        path = rng.choice(sealed)
        before = path.read_bytes()
        after = bytearray(before)
        after[rng.randrange(len(after))] ^= 1 << rng.randrange(8)
        path.write_bytes(after)
        try:
            name = str(path.relative_to(run.root))
            named = any(fault.path == name for fault in faults(run))
            yield "A300" if named else f"wrong: {name} was not named"
        except AssayError as error:
            yield error.code
        finally:
            path.write_bytes(before)


def lost_calls(folder: Path, rng: Random) -> Found:
    """Break a tenth of the calls to an endpoint, in six ways."""
    texts = [f"review number {i}" for i in range(700)]
    rows = (json.dumps({"text": text, "label": answer_to(text)}) + "\n" for text in texts)
    (folder / "rows.jsonl").write_text("".join(rows))
    with many_endpoint(0.0) as server:
        steady = write_plan(folder, REMOTE.replace("URL", server.url))
        wanted = decisions(execute_plan(steady, folder / "steady"))
    for number in count():
        with many_endpoint(0.0, faults=0.1, seed=rng.randrange(2**32)) as server:
            plan = write_plan(folder, REMOTE.replace("URL", server.url))
            run = execute_plan(plan, folder / f"run-{number}")
            told = server.told()
        said = same(wanted, run)
        if set(told["answered"].values()) != {1}:
            said = "wrong: a question was answered twice"
        yield from [said] * sum(told["went_wrong"].values())


def kills(folder: Path, rng: Random) -> Found:
    """Kill every process of a run at a point of its own."""
    wanted = decisions(_whole_run(folder))
    for number in count():
        seed, into = str(rng.randrange(2**32)), folder / str(number)
        command = [
            sys.executable,
            str(TESTS / "killing.py"),
            str(SMOKE),
            str(into),
            "50",
            seed,
            *FAST,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            yield from [f"wrong: {done.stderr[-300:]}"] * 50
            continue
        for run in json.loads(done.stdout)["runs"]:
            good = run["decisions"] == wanted and not run["faults"] and not run["half_written"]
            yield from ["held" if good else "wrong: it decides something else"] * run["kills"]


FULL = """
import os, resource, signal, sys
sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
most = int(os.environ["MOST"])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""


def full_disks(folder: Path, rng: Random) -> Found:
    """Let no file grow beyond a drawn size, which is less than some file needs; in the end let them."""
    whole = _whole_run(folder)
    wanted, most_needed = decisions(whole), max(p.stat().st_size for p in whole.sealed_files())
    for number in count():
        out, said = folder / str(number), []
        for _ in range(5):
            most = str(rng.randrange(1_000, most_needed * 4 // 5))
            command = [sys.executable, "-c", FULL + CHILD, str(SMOKE), str(out), "2", *FAST]
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                env={**os.environ, "MOST": most},
                check=False,
            )
            told = done.stderr[-300:] or f"exit status {done.returncode}"
            said.append("A500" if "A500 cannot write" in done.stderr else f"wrong: {told}")
        end = same(wanted, execute_plan(SMOKE, out, *FAST))
        yield from said if end == "held" else [end] * len(said)


KINDS: dict[str, Callable[[Path, Random], Found]] = {
    "power_cuts": power_cuts,
    "torn_tails": torn_tails,
    "flipped_bits": flipped_bits,
    "lost_calls": lost_calls,
    "kills": kills,
    "full_disks": full_disks,
}


def inject(kind: str, faults_: int, seed: int) -> Counter[str]:
    """Inject at least so many faults of a kind; return what became of them."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for said in KINDS[kind](Path(folder), Random(f"{seed}/{kind}")):
            found[said] += 1
            if found.total() >= faults_:
                return found
    return found


def main() -> None:
    """Inject what the command line says; print a row as soon as it is counted."""
    sys.path.insert(0, str(PLUGINS))
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [before, str(PLUGINS), str(TESTS)]))
    seed, *asked = sys.argv[1:]
    sys.stdout.write(
        "| fault | injected | what is promised held | said with a code | wrong |\n"
        "|---|---|---|---|---|\n"
    )
    bad = 0
    for kind, _, number in (word.partition("=") for word in asked):
        found = inject(kind, int(number), int(seed))
        wrong = {said: n for said, n in found.items() if said.startswith("wrong")}
        coded = {said: n for said, n in found.items() if said not in wrong and said != "held"}
        codes = " ".join(f"{code}: {n:,}" for code, n in sorted(coded.items())) or "0"
        bad += sum(wrong.values())
        row = (kind, f"{found.total():,}", f"{found['held']:,}", codes, wrong or 0)
        sys.stdout.write("| " + " | ".join(map(str, row)) + " |\n")
        sys.stdout.flush()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
