"""``transpile.py2rs``: translate a Python program to Rust so that its tests pass."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assay import OUTCOME_METRICS, Answer, Better, DataError, Metric, PlanError, Ratio, Sample, Task

from ..cases.tests import tests_of
from ..corpus.program import Program
from ..corpus.reading import read_corpus
from ..corpus.shipped import shipped_corpus
from ..levels import classify
from .composite import COMPOSITE, tag_of
from .verifier import RustTests

VERSION = "1"
SPLITS = ("train", "tune", "calibration", "test")
ASIDE = 2
"""Programs of each level that are kept from the test: one to train on, one for tune or calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    splits: Mapping[str, tuple[Sample, ...]]
    tests: Mapping[str, str]
    left_out: tuple[str, ...]
    """Programs without tests in Rust, each with the reason."""


def py2rs(*, path: Path | None = None, timeout: float = 20.0) -> Task:
    """Return the task: the shipped corpus, or one of your own.

    A question is ``{"python": source, "signature": the Rust function to write}``; the answer is text: Rust,
    or Markdown with Rust in a fenced block.  It is right when it compiles and passes every test that
    the program's cases became (``cases.tests``) and its own ``rust_tests``; no system sees these.
    Programs are divided by level: of each, one trains, one tunes or calibrates, all others are asked.
    Tags: the level (``L5``) and its difficulty.

    Raises ``PlanError`` A102 for a timeout that is none; ``DataError`` A200 for a corpus that cannot be
    read, or too small to divide.

    >>> task = py2rs()
    >>> sorted(task.samples("test")[0].input)
    ['python', 'signature']

    *Not to be trusted when* a model has seen the corpus: what is public may have been learnt.
    """
    if not 0 < timeout < 1e6:
        raise PlanError(f"timeout is {timeout:g}", hint="give seconds above 0", code="A102")
    return Task(
        name="transpile.py2rs",
        version=VERSION,
        says="Does a translation of a Python program to Rust compile and pass its tests?",
        samples=lambda split: _made(path).splits[split],
        verifier=RustTests(tests=lambda: _made(path).tests, timeout=timeout),
        metrics=(*OUTCOME_METRICS, COMPILES, COMPOSITE),
        license="Apache-2.0" if path is None else "",
        redistributable=path is None,
        caveats=lambda: _caveats(path),
    )


def _compiles(columns: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.nan_to_num(columns["check:compiles"])  # what was not answered does not compile


COMPILES = Metric(
    name="compile_rate",
    says="answers that compile, of all that was asked",
    better=Better.HIGHER,
    form=Ratio(numerator=_compiles, denominator=lambda columns: columns["asked"]),
    columns=("check:compiles", "asked"),
    bounds=(0.0, 1.0),
)


@cache
def _made(path: Path | None) -> _Made:
    corpus = shipped_corpus() if path is None else read_corpus(path)
    by_level: defaultdict[int, list[Sample]] = defaultdict(list)
    tests: dict[str, str] = {}
    left_out: list[str] = []
    for program in corpus.programs:
        try:
            sample, text = _sample(program)
        except DataError as error:
            left_out.append(f"{program.id}: {error.what}")
            continue
        tests[sample.id] = text
        by_level[_level(sample)].append(sample)
    splits: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for level, samples in sorted(by_level.items()):
        _divide(level, samples, splits)
    empty = [split for split in SPLITS if not splits[split]]
    if empty:
        raise DataError(
            f"{len(tests)} programs with tests leave nothing for {', '.join(empty)}",
            where=str(path or "the shipped corpus"),
            hint="give at least three programs of two levels each",
        )
    return _Made(
        splits={split: tuple(samples) for split, samples in splits.items()},
        tests=tests,
        left_out=tuple(left_out),
    )


def _sample(program: Program) -> tuple[Sample, str]:
    """Return the question of a program, and its tests; raises ``DataError`` where it has none."""
    found = classify(program.python, where=program.origin)
    made = tests_of(program)
    if not made.whole:
        raise DataError(f"no tests in Rust: {made.why_none}", where=program.origin)
    sample = Sample(
        id=program.id,
        input={"python": program.python, "signature": made.signature},
        target=Answer(program.rust or None),
        tags=frozenset({tag_of(found.level), found.level.difficulty}),
    )
    return sample, made.whole


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


def _caveats(path: Path | None) -> tuple[str, ...]:
    left_out = _made(path).left_out
    if not left_out:
        return ()
    return (f"{len(left_out)} programs are left out, having no tests in Rust: {left_out[0]}",)
