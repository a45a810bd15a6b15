"""The suite ``records``: a journal, and a whole run of it, at growing sizes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from ..suite import Benchmark, Suite, Work

SYSTEMS = 2
BATCH = 100
"""Records between two flushes to disk."""


def records() -> Suite:
    """Return the suite: writing, reading and resuming; sealing, verifying, loading, reporting."""
    return Suite(
        version="1",
        says="a journal written, read, resumed; a run sealed, verified, read, reported, paged",
        benchmarks=(),
        grows=_grown,
        sizes=(10_000, 100_000),
    )


def _grown(n: int) -> tuple[Benchmark, ...]:
    def one(what: str, says: str, begin: Callable[[Path, int], Work]) -> Benchmark:
        def make(folder: Path) -> Work:
            return begin(folder, n)

        return Benchmark(name=f"{what}-{n}", says=says, n=n, make=make, of=what)

    return (
        one("write", f"{n:,} records written to a journal, on disk every {BATCH}", _write),
        one("read", f"{n:,} records read from a journal", _read),
        one("resume", f"what {n:,} records say is done, every checksum checked", _resume),
        one("seal", f"a run of {n:,} records sealed: every file digested", _seal),
        one("intact", f"a sealed run of {n:,} records found as it was sealed", _intact),
        one(
            "first-read", f"a run of {n:,} records read to an interval, for the first time", _first
        ),
        one("read-again", "the same, with its columns kept", _again),
        one("verify", f"a run of {n:,} records verified: every number computed again", _verify),
        one("report", f"the page of a run of {n:,} records", _report),
        one("index", f"the samples of a run of {n:,} records, opened for the first time", _index),
        one("page", "a page of them, filtered and sorted, once they are open", _page),
    )


def _made(n: int) -> list[Any]:
    """Return records such as a classifier leaves behind."""
    from ....core.record import Cell, Record
    from ....core.reply import Answer, Bottom, Usage
    from ....core.verdict import Outcome, Verdict

    cell = Cell(task="perf.task", system="system", seed=0, split="test")
    made = []
    for k in range(n):
        declined = k % 7 == 0
        said = Answer(f"action_{k % 40}", round((k * 37 % 1000) / 1000, 6))
        made.append(
            Record(
                cell=cell,
                sample=f"test/{k:07}",
                group=f"pattern/{k // 10:06}",
                said=Bottom("below_threshold", said) if declined else said,
                verdict=Verdict(outcome=Outcome.WITHHELD if declined else Outcome.CORRECT),
                usage=Usage(busy_s=k % 1000 * 1e-6, latency_s=k % 1000 * 1.1e-6, tokens_in=12),
            )
        )
    return made


def _written(path: Path, made: list[Any]) -> None:
    from ....store.journal import Writer

    with Writer(path, path.with_suffix(".pack")) as writer:
        for k in range(0, len(made), BATCH):
            writer.write(made[k : k + BATCH], {})


def _journal(folder: Path, n: int) -> Path:
    path = folder / f"{n}.jsonl"
    if not path.exists():
        part = folder / f"{n}.part.jsonl"
        _written(part, _made(n))
        part.replace(path)
    return path


def _run(folder: Path, n: int, *, derived: bool = False) -> Path:
    """Return a sealed run; every benchmark that writes into it gets a copy of its own."""
    from ...derive import derive
    from ...run import Run
    from .big_run import write_run

    root = folder / f"run-{n}{'-derived' * derived}"
    if not root.exists():
        part = root.with_name(f"{root.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        write_run(part, n, systems=SYSTEMS)
        if derived:
            derive(Run.load(part), part / "derived")
        part.replace(root)
    return root


def _write(folder: Path, n: int) -> Work:
    made, tick = _made(n), count()

    def work() -> None:
        path = folder / f"write-{next(tick)}.jsonl"
        path.unlink(missing_ok=True)
        _written(path, made)
        path.unlink()

    return work


def _read(folder: Path, n: int) -> Work:
    from ....store.journal import read_lines

    path = _journal(folder, n)
    return lambda: sum(1 for _ in read_lines(path))


def _resume(folder: Path, n: int) -> Work:
    from ....store.journal import repair

    path = _journal(folder, n)
    return lambda: len(repair(path).seen)


def _seal(folder: Path, n: int) -> Work:
    from ....store.rundir import RunDir
    from ....store.seal import read_seal, seal

    run = RunDir(_run(folder, n))
    before = read_seal(run)
    return lambda: seal(run, decisions=before.decisions, incomplete=before.incomplete)


def _intact(folder: Path, n: int) -> Work:
    from ....store.rundir import RunDir
    from ....store.seal import require_intact

    run = RunDir(_run(folder, n))
    return lambda: require_intact(run)


def _estimated(root: Path, *, keep: bool = True) -> object:
    from ...run import Run
    from .big_run import TASK

    return Run.load(root, keep=keep).results.cases[TASK].estimate("s00", "accuracy")


def _first(folder: Path, n: int) -> Work:
    root = _run(folder, n)
    return lambda: _estimated(root, keep=False)


def _again(folder: Path, n: int) -> Work:
    root = _run(folder, n, derived=True)
    _estimated(root)
    return lambda: _estimated(root)


def _verify(folder: Path, n: int) -> Work:
    from ...verify import verify

    root = _run(folder, n, derived=True)

    def work() -> None:
        if found := verify(root):
            raise AssertionError(found)

    return work


def _report(folder: Path, n: int) -> Work:
    from ...report import Report
    from ...run import Run

    root = _run(folder, n, derived=True)
    return lambda: len(Report(Run.load(root)).html())


def _index(folder: Path, n: int) -> Work:
    from ...paging.pages import Pages

    root = _run(folder, n, derived=True)

    def work() -> None:
        shutil.rmtree(root / "cache" / "shelves", ignore_errors=True)
        Pages.open(root)

    return work


def _page(folder: Path, n: int) -> Work:
    from ....core.verdict import Outcome
    from ...paging.pages import Pages
    from ...paging.wanted import Order, Wanted

    pages = Pages.open(_run(folder, n, derived=True))
    wanted = Wanted(system="s00", outcomes=frozenset({Outcome.WRONG}), order=Order.SURE)
    return lambda: pages.find(wanted).page(2)
