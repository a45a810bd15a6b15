"""Whether tests can tell a wrong program from a right one: tried with mutants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assay.sandbox import Limits

from .cases.kinds import Unmapped
from .cases.signature import Signature, must_fail
from .cases.spelling import argument, literal, name_of
from .cases.tests import FromCases, tests_of
from .corpus.program import Program
from .differential.comparing import MODULE, Comparison, comparisons
from .rust.mutants import Fault, Mutant, mutants_of, with_body
from .rust.verified import Stand, Verified
from .rust.verify import Workbench

TIMES, LEAST_S = 20, 3.0
"""How many times the time of the right answer's tests a mutant's get, and seconds that it gets at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A mutant, and how far it came."""

    mutant: Mutant
    found: Verified

    @property
    def counts(self) -> bool:
        """Whether it is a program at all: what does not compile tells nothing of the tests."""
        return self.found.stand is not Stand.DOES_NOT_COMPILE

    @property
    def killed(self) -> bool:
        """Whether the tests told it from the right program."""
        return self.counts and not self.found.passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Adequacy:
    """What the tests of a program are worth."""

    program: Program
    gold: Verified | None
    """None where there is no right answer, or no test; ``why`` says it."""

    why: str = ""
    tried: tuple[Tried, ...] = ()
    compared: Comparison | None = None
    """With its original, where that was asked for."""

    @property
    def differences(self) -> list[str]:
        """Return calls on which the right answer does not do what its original does."""
        return self.compared.differences(self.gold) if self.compared and self.gold else []

    @property
    def mutants(self) -> int:
        """Return how many mutants were programs."""
        return sum(each.counts for each in self.tried)

    @property
    def killed(self) -> int:
        """Return how many of these the tests told apart."""
        return sum(each.killed for each in self.tried)

    @property
    def killed_by_generated(self) -> int:
        """Return how many of these only the generated calls told apart."""
        return sum(each.killed and _only_generated(each.found) for each in self.tried)

    @property
    def sound(self) -> bool:
        """Whether the right answer passes and at least one mutant does not."""
        return self.gold is not None and self.gold.passed and self.killed > 0


def adequacy(
    programs: Sequence[Program],
    bench: Workbench,
    *,
    workers: int,
    differential: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> list[Adequacy]:
    """Try the right answer and the mutants of each program.

    A mutant's tests get twenty times the time that the right answer's took, and at least three seconds:
    what needs more is told from it, too.  With ``differential``, that many calls of the Python original are
    generated for each program, and are tests as well.  Raises ``AssayError`` A500 where the machine failed.

    *Not to be trusted as* a proof that tests are good: mutants are simple faults, and models make
    others.
    """
    made = [tests_of(program) for program in programs]
    asked = [n for n, each in enumerate(programs) if each.rust and made[n].whole]
    pairs = [(programs[n], programs[n].rust) for n in asked]
    compared: dict[int, Comparison] = {}
    if differential:
        held = comparisons(pairs, differential, sandbox=bench.sandbox)
        compared = dict(zip(asked, held, strict=True))
    wholes = {n: _whole(made[n], compared.get(n)) for n in asked}
    golds = bench.verify_all([(programs[n].rust, wholes[n]) for n in asked], workers=workers)
    by_number = dict(zip(asked, golds, strict=True))
    found = []
    for number, program in enumerate(programs):
        gold = by_number.get(number)
        each = _one(program, made[number], gold, wholes.get(number, ""), bench, workers=workers)
        each = replace(each, compared=compared.get(number))
        say(f"{program.id}: {each.killed} of {each.mutants} mutants killed")
        found.append(each)
    return found


def _whole(made: FromCases, compared: Comparison | None) -> str:
    return "\n".join(filter(None, (made.whole, compared.tests if compared else "")))


def _only_generated(found: Verified) -> bool:
    """Whether nothing but tests of generated calls failed."""
    return bool(found.failed) and all(f"::{MODULE}::" in name for name in found.failed)


def _one(
    program: Program,
    made: FromCases,
    gold: Verified | None,
    whole: str,
    bench: Workbench,
    *,
    workers: int,
) -> Adequacy:
    if gold is None:
        why = made.why_none if program.rust else "there is no right answer"
        return Adequacy(program=program, gold=None, why=why)
    if not gold.passed:
        why = f"the right answer: {gold.stand}, {gold.why}"
        return Adequacy(program=program, gold=gold, why=why)
    signature = made.called if made.count else None
    mutants = [*_by_cases(program, signature), *mutants_of(program.rust, _name(program, signature))]
    brief = replace(bench, within=_brief(bench.within or bench.limits, gold))
    results = brief.verify_all([(m.code, whole) for m in mutants], workers=workers)
    tried = tuple(Tried(mutant=m, found=each) for m, each in zip(mutants, results, strict=True))
    return Adequacy(program=program, gold=gold, tried=tried)


def _brief(limits: Limits, gold: Verified) -> Limits:
    """Return the limits of a mutant's tests: a mutant may wait for ever, as threads do for each other."""
    seconds = max(TIMES * gold.test_s, LEAST_S)
    return replace(limits, wall_s=min(limits.wall_s, seconds), cpu_s=min(limits.cpu_s, seconds))


def _name(program: Program, signature: Signature | None) -> str:
    if signature is not None:
        return signature.name
    _, _, after = program.rust.rpartition("fn ")
    return after.partition("(")[0].strip()


def _by_cases(program: Program, signature: Signature | None) -> Iterator[Mutant]:
    """Yield the mutants that know some of the answers."""
    if signature is None:
        return
    known = [case for case in program.cases if not must_fail(case)]
    try:
        answers = [literal(case.expected, signature.returns) for case in known]
        given = [_given(case.input, signature) for case in known]
    except Unmapped:
        return
    wrap = (lambda value: f"Ok({value})") if signature.may_fail else str
    if len(set(answers)) > 1:
        body = with_body(program.rust, signature.name, f"{{ {wrap(answers[0])} }}")
        if body is not None:
            yield Mutant(fault=Fault.CONSTANT, where=answers[0][:40], code=body)
    half = len(known) // 2
    if half and signature.parameters:
        names = ", ".join(f"&{name_of(name)}" for name, _ in signature.parameters)
        arms = "".join(
            f"if asked == format!({_DEBUG}, ({values},)) {{ return {wrap(answer)}; }} "
            for values, answer in zip(given[:half], answers[:half], strict=True)
        )
        hard = f"{{ let asked = format!({_DEBUG}, ({names},)); {arms}{wrap(answers[0])} }}"
        body = with_body(program.rust, signature.name, hard)
        if body is not None and len(set(answers[half:])) > 1:
            yield Mutant(fault=Fault.HARD_CODED, where=f"{half} of {len(known)} cases", code=body)


_DEBUG = '"{:?}"'


def _given(values: Sequence[object], signature: Signature) -> str:
    kinds = [kind for _, kind in signature.parameters]
    return ", ".join(f"&{argument(v, k)}" for v, k in zip(values, kinds, strict=True))
