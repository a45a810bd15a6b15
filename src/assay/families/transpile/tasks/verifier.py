"""The verifier of translations: builds each answer and runs the tests of its program, in a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from assay import Answer, AssayError, Check, Crash, Reply, Sample

from ..rust.fences import rust_in
from ..rust.kept import Kept, verdicts_folder
from ..rust.together import Found
from ..rust.verified import Stand, Verified
from ..rust.verify import Workbench

BUILT = frozenset({Stand.PASSES, Stand.TESTS_FAIL, Stand.NO_TESTS, Stand.UNTESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RustTests:
    """Right when the Rust in an answer compiles and passes every test of its program.

    ``tests`` gives the Rust tests of each sample by its id, the hidden ones: no system sees them.  A
    failure of the machine is a ``Crash``, never a wrong answer.  Answers of a batch are built together where
    that changes no verdict (``rust.together``), and verdicts are kept in ``$ASSAY_CACHE/rust-verdicts``
    (``rust.kept``).  Scores: ``compiles``, 0 or 1.  Evidence: the code, how far it came and why, the logs of
    compiler and tests, and where a verdict was kept from before, that.

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
            bench = Workbench.of(self.timeout, kept=Kept(verdicts_folder()))
        except AssayError as error:
            yield from (Crash("no_verifier", str(error)) for _ in batch)
            return
        known = self.tests()
        asked = [_asked(known, sample, reply) for sample, reply in batch]
        found = iter(bench.try_all([each for each in asked if not isinstance(each, Crash)]))
        for each in asked:
            yield each if isinstance(each, Crash) else _checked(each[0], next(found))


def _asked(known: Mapping[str, str], sample: Sample, reply: Reply) -> tuple[str, str] | Crash:
    """Return the Rust of an answer, and its tests."""
    said, tests = reply.said, known.get(sample.id)
    if tests is None or not isinstance(said, Answer):
        return Crash("no_tests", f"sample {sample.id!r} has no tests in Rust")
    return (rust_in(said.value) if isinstance(said.value, str) else ""), tests


def _checked(code: str, found: Found) -> Check | Crash:
    if isinstance(found, AssayError):
        return Crash("infrastructure", str(found))
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
        "verdict": "kept from before" if found.kept else "",
        "built": f"beside {found.beside} others" if found.beside else "",
    }
    return {name: text for name, text in said.items() if text}
