"""The canonical requests, end to end, and the same requests asked in other ways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import AssayError, DataError

from ..rails import read_context, read_policy
from ..rails.canonical import Case, canonical
from ..rails.rail import EXECUTE
from ..serving.handling import Fate, Handled, Handler

CHILD = "assay.families.intent.e2e.child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of one canonical request."""

    case: Case
    said: str
    """``execute``, or the reason without ``rail:``."""

    output: Mapping[str, Any]
    """All of it, as JSON."""

    @property
    def decided_right(self) -> bool:
        """Whether it was carried out exactly where it must be."""
        return (self.said == EXECUTE) == (self.case.expect == EXECUTE)

    @property
    def same_reason(self) -> bool:
        """Whether also the reason is the one that the rails alone would give.

        A mapper or a grammar that declines before a rule has a reason of its own.
        """
        return self.said == self.case.expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to ask: in which process, how many at once, on how many threads."""

    name: str
    batch: int
    threads: int
    hash_seed: int

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.batch} at once, {self.threads} thread"
            f"{'' if self.threads == 1 else 's'}, hash seed {self.hash_seed}"
        )


def ways(runs: int) -> tuple[Way, ...]:
    """Return so many ways, each in a process of its own; no two are alike.

    >>> [str(way) for way in ways(2)]
    ['run 1: 1000 at once, 1 thread, hash seed 0', 'run 2: 1 at once, 2 threads, hash seed 101']
    """
    batches = (1000, 1, 7, 32)
    return tuple(
        Way(
            name=f"run {number + 1}",
            batch=batches[number % len(batches)],
            threads=1 + number % 2,
            hash_seed=101 * number,
        )
        for number in range(runs)
    )


def handle_cases(handler: Handler, cases: Sequence[Case], *, batch: int) -> list[Decided]:
    """Handle canonical requests, the mapper asked so many at once.

    Documents that cannot be used decline: ``bad_context``, ``bad_policy``.
    """
    found: list[Decided] = []
    for start in range(0, len(cases), batch):
        some = cases[start : start + batch]
        said = handler.say([case.prompt for case in some])
        for case, one in zip(some, said, strict=True):
            try:
                context = read_context(case.context)
            except DataError as error:
                found.append(_bad(case, "bad_context", error))
                continue
            try:
                policy = read_policy(case.policy)
            except DataError as error:
                found.append(_bad(case, "bad_policy", error))
                continue
            handled = handler.handle_said(case.prompt, one, context=context, policy=policy)
            found.append(Decided(case=case, said=_said(handled), output=handled.facts))
    return found


def ask_in(way: Way, *, mapper: Path | None, cases: Sequence[Case] | None = None) -> list[Decided]:
    """Handle the canonical requests in a fresh process, in this way.

    Raises ``AssayError`` A500 with its words when the process fails.
    """
    every = canonical() if cases is None else cases
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(way.hash_seed),
        "OMP_NUM_THREADS": str(way.threads),
    }
    words = [sys.executable, "-m", CHILD, str(way.batch), str(way.threads)]
    if mapper is not None:
        words.append(str(mapper))
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise AssayError(
            f"{way.name} failed in its process",
            where=done.stderr.decode("utf-8", "replace").strip()[-500:],
            hint="run the command again; what the process said stands above",
            code="A500",
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    by_id = {line["id"]: line for line in lines}
    return [
        Decided(case=case, said=by_id[case.id]["said"], output=by_id[case.id]["output"])
        for case in every
    ]


def differences(runs: Sequence[Sequence[Decided]]) -> list[str]:
    """Return the cases whose full output is not the same in every run.

    >>> differences([])
    []
    """
    if not runs:
        return []
    found = []
    for together in zip(*runs, strict=True):
        texts = {json.dumps(one.output, sort_keys=True) for one in together}
        if len(texts) > 1:
            found.append(together[0].case.id)
    return found


def _bad(case: Case, said: str, error: DataError) -> Decided:
    output = {"fate": said, "code": error.code, "what": error.what, "where": error.where}
    return Decided(case=case, said=said, output=output)


def _said(found: Handled) -> str:
    return EXECUTE if found.fate is Fate.EXECUTED else found.reason.removeprefix("rail:")
