"""``transpile.py2rs``: translate a Python program to Rust so that its tests pass."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from assay import OUTCOME_METRICS, Answer, DataError, PlanError, Sample, Task
from assay.templates import check, fill

from ..cases.tests import tests_of
from ..corpus.program import Case, Program
from ..corpus.reading import read_corpus
from ..corpus.shipped import shipped_corpus
from ..differential.original import generated
from ..levels import classify
from .composite import COMPOSITE, tag_of
from .turns import COMPILES, TURNS
from .verifier import RustTests

VERSION = "3"
SPLITS = ("train", "tune", "calibration", "test")
ASIDE = 2
"""Programs of each level that are kept from the test: one to train on, one for tune or calibration."""


FIELDS = ("python_code", "signature", "public_tests")
"""What a question holds, and what templates may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a question is put."""

    differential: int = 0
    """Calls of each original that are generated, and are tests as well."""

    public: int = 1
    """Cases whose tests stand in the question."""

    system: str = ""
    user: str = ""
    """Templates of the prompt; empty: each system has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    splits: Mapping[str, tuple[Sample, ...]]
    left_out: tuple[str, ...]
    """Programs without tests in Rust, each with the reason."""

    not_compared: tuple[str, ...] = ()
    """Programs for which no call could be generated, each with the reason."""


def py2rs(
    *,
    path: Path | None = None,
    timeout: float = 20.0,
    public: int = 1,
    differential: int = 0,
    system: str = "",
    user: str = "",
) -> Task:
    """Return the task: the shipped corpus, or one of your own.

    A question is ``{"python_code": source, "signature": the Rust function to write, "public_tests": Rust}``;
    the answer is text: Rust, or Markdown with Rust in a fenced block.  It is right when it compiles and
    passes every test that the program's cases became (``cases.tests``) and its own ``rust_tests``.  The
    first ``public`` cases stand in the question, of programs that have more than those; no system sees the
    others.  With ``differential``, each original is called with that many generated arguments in the sandbox, and what
    it returns is a test, too (``differential``).  ``system`` and ``user`` are templates of a prompt (fields: those of the question), which
    prompted systems without a template of their own use.
    Programs are divided by level: of each that has three or more, one trains, one tunes or calibrates; all
    others are asked.
    Tags: the level (``L5``) and its difficulty.

    Raises ``PlanError`` A102 for a timeout or a number that is none, A103 for a field that no question has;
    ``DataError`` A200 for a corpus that cannot be read, or without a test in Rust.

    >>> task = py2rs()
    >>> sorted(task.samples("test")[0].input)
    ['public_tests', 'python_code', 'signature']

    *Not to be trusted when* a model has seen the corpus: what is public may have been learnt.
    """
    if not 0 < timeout < 1e6:
        raise PlanError(f"timeout is {timeout:g}", hint="give seconds above 0", code="A102")
    for name, number in (("public", public), ("differential", differential)):
        if number < 0:
            raise PlanError(
                f"{name} is {number}", hint="give a number of cases, 0 or more", code="A102"
            )
    for name, template in (("system", system), ("user", user)):
        check(template, list(FIELDS), where=f"options.{name}")
    asking = Asking(public=public, differential=differential, system=system, user=user)
    return Task(
        name="transpile.py2rs",
        version=VERSION,
        says="Does a translation of a Python program to Rust compile and pass its tests?",
        samples=lambda split: _made(path, asking).splits[split],
        verifier=RustTests(timeout=timeout),
        metrics=(*OUTCOME_METRICS, COMPILES, COMPOSITE, *TURNS),
        license="Apache-2.0" if path is None else "",
        redistributable=path is None,
        caveats=lambda: _caveats(_made(path, asking)),
    )


@cache
def _made(path: Path | None, asking: Asking) -> _Made:
    corpus = shipped_corpus() if path is None else read_corpus(path)
    by_level: defaultdict[int, list[Sample]] = defaultdict(list)
    left_out: list[str] = []
    programs, not_compared = _with_generated(corpus.programs, asking.differential)
    for program, cases in programs:
        try:
            sample = _sample(program, asking, cases)
        except DataError as error:
            left_out.append(f"{program.id}: {error.what}")
            continue
        by_level[_level(sample)].append(sample)
    splits: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for level, samples in sorted(by_level.items()):
        _divide(level, samples, splits)
    if not by_level:
        raise DataError(
            f"none of {len(corpus.programs)} programs has a test in Rust: {left_out[0]}",
            where=str(path or "the shipped corpus"),
            hint="give `test_cases` whose types the source names, or `rust_tests`",
        )
    return _Made(
        splits={split: tuple(samples) for split, samples in splits.items()},
        left_out=tuple(left_out),
        not_compared=tuple(not_compared),
    )


def _with_generated(
    programs: Sequence[Program], count: int
) -> tuple[list[tuple[Program, tuple[Case, ...]]], list[str]]:
    """Return programs with the cases that their originals make, and which have none, and why."""
    if not count:
        return [(program, ()) for program in programs], []
    found = generated(programs, count)
    why = [f"{p.id}: {each.why}" for p, each in zip(programs, found, strict=True) if each.why]
    pairs = [(p, each.cases) for p, each in zip(programs, found, strict=True)]
    return pairs, why


def _sample(program: Program, asking: Asking, more: tuple[Case, ...]) -> Sample:
    """Return the question of a program; raises ``DataError`` where it has no tests."""
    found = classify(program.python, where=program.origin)
    made = tests_of(replace(program, cases=program.cases + more))
    if not made.whole:
        raise DataError(f"no tests in Rust: {made.why_none}", where=program.origin)
    shown = ""
    if len(program.cases) > asking.public > 0:
        shown = tests_of(
            replace(program, cases=program.cases[: asking.public], rust_tests="")
        ).whole
    question = {
        "python_code": program.python,
        "signature": made.signature,
        "public_tests": shown,
    }
    prompt = {
        member: fill(template, question)
        for member, template in (("system", asking.system), ("prompt", asking.user))
        if template
    }
    return Sample(
        id=program.id,
        input=question | prompt,
        target=Answer({"rust": program.rust or None, "tests": made.whole}),
        tags=frozenset({tag_of(found.level), found.level.difficulty}),
    )


def _level(sample: Sample) -> int:
    [level] = [int(tag[1:]) for tag in sample.tags if tag[1:].isdigit()]
    return level


def _divide(level: int, samples: Sequence[Sample], splits: Mapping[str, list[Sample]]) -> None:
    """Put the programs of a level into splits, in an order that only their ids decide."""
    order = sorted(samples, key=lambda s: hashlib.sha256(s.id.encode()).digest())
    if len(order) <= ASIDE:
        splits["test"].extend(order)
        return
    splits["train"].append(order[0])
    splits["tune" if level % 2 else "calibration"].append(order[1])
    splits["test"].extend(order[ASIDE:])


def _caveats(made: _Made) -> tuple[str, ...]:
    said = []
    if made.left_out:
        count, first = len(made.left_out), made.left_out[0]
        said.append(f"{count} programs are left out, having no tests in Rust: {first}")
    if made.not_compared:
        count, first = len(made.not_compared), made.not_compared[0]
        said.append(f"{count} programs have no generated tests: {first}")
    return tuple(said)
