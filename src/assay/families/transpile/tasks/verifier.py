"""The verifier of translations: builds each answer and runs the tests of its program, in a sandbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assay import Answer, AssayError, Check, Crash, Needs, Reply, Sample

from ..rust.fences import rust_in
from ..rust.kept import Kept, verdicts_folder
from ..rust.together import Found
from ..rust.verified import Stand, Verified
from ..rust.verify import Workbench
from .turns import MOST, by_turn

BUILT = frozenset({Stand.PASSES, Stand.TESTS_FAIL, Stand.NO_TESTS, Stand.UNTESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RustTests:
    """Right when the Rust in an answer compiles and passes every test of its program.

    The tests stand in the target, which no system sees.  A failure of the machine is a ``Crash``, never a
    wrong answer.  What was said in earlier turns is verified as well.  Answers of a batch are built together
    where that changes no verdict (``rust.together``), and verdicts are kept in
    ``$ASSAY_CACHE/rust-verdicts`` (``rust.kept``).  Scores: ``compiles``, 0 or 1; ``turns``; and
    ``right_by_turn_1`` and so on: whether the answer would be right, had the system handed over what it
    had after so many turns.  Evidence: the code, how far it came and why, the logs of compiler and tests, and
    where a verdict was kept from before, that.

    *Not to be trusted when* the machine is so busy that right answers time out: look at the evidence.
    """

    timeout: float = 20.0
    """Seconds for each build, and again for the tests."""

    @property
    def needs(self) -> Needs:
        """What a compiler asks of a machine of a cluster: it is run apart from the systems."""
        return Needs(memory_mb=1000)

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Verify the answers of a batch, as many at once as there are cores."""
        if not batch:
            return
        try:
            bench = Workbench.of(self.timeout, kept=Kept(verdicts_folder()))
        except AssayError as error:
            yield from (Crash("no_verifier", str(error)) for _ in batch)
            return
        asked = [_asked(sample, reply) for sample, reply in batch]
        turns = [turn for each in asked if not isinstance(each, Crash) for turn in each]
        found = iter(bench.try_all(turns))
        for each in asked:
            if isinstance(each, Crash):
                yield each
            else:
                yield _checked(each[-1][0], [next(found) for _ in each])


def _asked(sample: Sample, reply: Reply) -> list[tuple[str, str]] | Crash:
    """Return the Rust of each turn, the last one last, and the tests of the program."""
    tests = _tests(sample)
    if tests is None or not isinstance(reply.said, Answer):
        return Crash("no_tests", f"sample {sample.id!r} has no tests in Rust")
    return [(_code(said), tests) for said in (*reply.earlier, reply.said)]


def _tests(sample: Sample) -> str | None:
    target = sample.target
    if not isinstance(target, Answer) or not isinstance(target.value, Mapping):
        return None
    tests = target.value.get("tests")
    return tests if isinstance(tests, str) and tests else None


def _code(said: object) -> str:
    """Return the Rust of an answer; of a gold one, which is no text, its own."""
    value = said.value if isinstance(said, Answer) else None
    if isinstance(value, Mapping):
        value = value.get("rust")
    return rust_in(value) if isinstance(value, str) else ""


def _checked(code: str, turns: Sequence[Found]) -> Check | Crash:
    verified: list[Verified] = []
    for found in turns:
        if isinstance(found, AssayError):
            return Crash("infrastructure", str(found))
        verified.append(found)
    last = verified[-1]
    return Check(
        passed=last.passed,
        scores={
            "compiles": float(last.stand in BUILT),
            "turns": float(len(verified)),
            **{
                by_turn(turn): float(verified[min(turn, len(verified)) - 1].passed)
                for turn in range(1, MOST + 1)
            },
        },
        evidence=_evidence(code, last),
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
