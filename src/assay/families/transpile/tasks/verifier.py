"""The verifier of translations: builds each answer and runs the tests of its program, in a sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from assay import Answer, AssayError, Check, Crash, Reply, Sample

from ..rust.fences import rust_in
from ..rust.verified import Stand, Verified
from ..rust.verify import Workbench

BUILT = frozenset({Stand.PASSES, Stand.TESTS_FAIL, Stand.NO_TESTS, Stand.UNTESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RustTests:
    """Right when the Rust in an answer compiles and passes every test of its program.

    ``tests`` gives the Rust tests of each sample by its id, the hidden ones: no system sees them.  A
    failure of the machine is a ``Crash``, never a wrong answer.  Scores: ``compiles``, 0 or 1.  Evidence:
    the code, how far it came and why, and the logs of compiler and tests.

    *Not to be trusted when* the machine is so busy that right answers time out: look at the evidence.
    """

    tests: Callable[[], Mapping[str, str]]
    timeout: float = 20.0
    """Seconds for each build, and again for the tests."""

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Verify the answers of a batch, as many at once as there are cores."""
        if not batch:
            return
        try:
            bench = Workbench.of(self.timeout)
        except AssayError as error:
            yield from (Crash("no_verifier", str(error)) for _ in batch)
            return
        known = self.tests()
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            yield from pool.map(lambda pair: _checked(bench, known, *pair), batch)


def _checked(
    bench: Workbench, known: Mapping[str, str], sample: Sample, reply: Reply
) -> Check | Crash:
    said, tests = reply.said, known.get(sample.id)
    if tests is None or not isinstance(said, Answer):
        return Crash("no_tests", f"sample {sample.id!r} has no tests in Rust")
    code = rust_in(said.value) if isinstance(said.value, str) else ""
    try:
        found = bench.verify(code, tests)
    except AssayError as error:
        return Crash("infrastructure", str(error))
    return Check(
        passed=found.passed,
        scores={"compiles": float(found.stand in BUILT)},
        evidence=_evidence(code, found),
    )


def _evidence(code: str, found: Verified) -> dict[str, str]:
    said = {
        "code": code,
        "stand": str(found.stand),
        "why": found.why,
        "error": found.error,
        "build_log": found.build_log,
        "test_log": found.test_log,
    }
    return {name: text for name, text in said.items() if text}
