"""Checks of Python programs: forked from one interpreter in the sandbox, and by a process for each.

*Covered*: the functions of the shipped corpus of py2rs, each with its cases as assertions; in every second one
the first expected value is another.  Every contender must tell the same ones as failing, or the benchmark
fails.  The first rival does what the evaluation harness of HumanEval does: a manager and a forked process a check, in
a folder of its own, with a timer.  CPU is that of this process and of all it started, the sandbox included; rivals have none.
*Not covered*: programs that import much, where the import is what costs.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.managers import ListProxy

from contest import SOURCE, adopt_orphans, all_of_it, contest, given, tell

sys.path.insert(0, str(SOURCE))

from assay import AssayError
from assay.families.transpile.cases.signature import must_fail, signature_of
from assay.families.transpile.corpus.shipped import shipped_corpus
from assay.sandbox import Limits, run_python

TIMEOUT_S = 20


def main() -> None:
    quick, as_json = given()
    adopt_orphans()
    checks = made(8 if quick else 200)
    wanted = [number % 2 == 0 for number in range(len(checks))]
    sides = {
        "assay, forked in the sandbox": lambda: same(wanted, forked(checks)),
        "manager and process": lambda: same(wanted, managed(checks)),
        "python -I -S": lambda: same(wanted, started(checks)),
    }
    try:
        forked(checks[:1])
    except AssayError as error:
        print(f"skipped: {error}", file=sys.stderr)
        tell([], as_json=as_json)
        return
    rows = contest(
        "Python programs checked, half of them broken",
        sides,
        n=len(checks),
        rounds=1 if quick else 3,
        each=all_of_it,
    )
    tell(rows, as_json=as_json)


def made(many: int) -> list[str]:
    """Return programs that assert what they compute; every second one asserts something else."""
    found: list[str] = []
    programs = [each for each in shipped_corpus().programs if "def " in each.python]
    while len(found) < many:
        for program in programs:
            cases = [case for case in program.cases if not must_fail(case)]
            signature = signature_of(program)
            if not cases or not signature.parameters or len(found) == many:
                continue
            [first, *_] = cases
            call = f"{signature.name}(*{list(first.input)!r})"
            broken = len(found) % 2
            wanted = f"repr({call})" if not broken else repr("something else")
            found.append(f"{program.python}\n\nassert repr({call}) == {wanted}\n")
    return found


def same(wanted: Sequence[bool], found: Sequence[bool]) -> str:
    if list(wanted) != list(found):
        differ = [k for k, (a, b) in enumerate(zip(wanted, found, strict=True)) if a != b]
        sys.exit(f"verdicts differ: {differ}")
    return f"{sum(found)} of {len(found)} pass"


def forked(checks: Sequence[str]) -> list[bool]:
    limits = Limits(wall_s=TIMEOUT_S, cpu_s=TIMEOUT_S, output_kb=64)
    return [ended.well for ended in run_python(checks, limits=limits)]


def managed(checks: Sequence[str]) -> list[bool]:
    context = multiprocessing.get_context("fork")
    found = []
    for check in checks:
        with context.Manager() as manager:
            results: ListProxy[bool] = manager.list()
            process = context.Process(target=one, args=(check, results))
            process.start()
            process.join(timeout=TIMEOUT_S + 1)
            if process.is_alive():
                process.kill()
            found.append(bool(results) and results[0])
    return found


def one(check: str, results: ListProxy[bool]) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, TIMEOUT_S)
        silence = io.StringIO()
        try:
            with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
                exec(check, {})
            results.append(True)
        except BaseException:  # noqa: BLE001  (whatever it is, the check fails)
            results.append(False)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.chdir("/")


def started(checks: Sequence[str]) -> list[bool]:
    def run(check: str) -> bool:
        words = [sys.executable, "-I", "-S", "-c", check]
        done = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S, check=False)
        return done.returncode == 0

    return [run(check) for check in checks]


if __name__ == "__main__":
    main()
