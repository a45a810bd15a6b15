"""``intent.rails``: may these steps be carried out, and which rule says no?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from assay import (
    OUTCOME_METRICS,
    Answer,
    Better,
    Bottom,
    Built,
    Metric,
    Needs,
    Question,
    Railed,
    Ratio,
    Reply,
    SameAnswer,
    Sample,
    Task,
)

from ..draws import Draws
from ..tasks.sizes import check_size
from .judging import RULES
from .rail import EXECUTE, rails
from .situations import Stratum, strata
from .situations_oracle import truth_of

SIZES = {"train": 60, "tune": 20, "calibration": 60}
"""There is nothing to learn: these are there because every task has them."""

MOST = 100_000

false_block_rate = Metric(
    name="false_block_rate",
    says="situations that are blocked, of those that keep every rule",
    better=Better.LOWER,
    form=Ratio(
        numerator=lambda columns: columns["withheld"],
        denominator=lambda columns: columns["asked"] * (1 - columns["no_answer"]),
    ),
    columns=("withheld", "asked", "no_answer"),
    bounds=(0.0, 1.0),
)
false_pass_rate = Metric(
    name="false_pass_rate",
    says="situations that are let through, of those that break a rule",
    better=Better.LOWER,
    form=Ratio(
        numerator=lambda columns: columns["invented"],
        denominator=lambda columns: columns["asked"] * columns["no_answer"],
    ),
    columns=("invented", "asked", "no_answer"),
    bounds=(0.0, 1.0),
)


def situations(*, size: int = 3000, seed: int = 20261128) -> Task:
    """Return the task: ``size`` generated situations, judged by an independent oracle.

    An input is a mapping with ``prompt`` (a sentence for people), ``steps``, ``context`` and
    ``policy``; the right answer is ``"execute"``, or ``Bottom("rail:<rule>")``.  Kinds of situation
    take turns: every rule on every action on four sides of its limit, every fact taken away,
    requests of several steps (``situations.strata``).  A situation depends on the seed, the split
    and its place only; a smaller test is the beginning of a larger one.  Tags are the parts of the
    kind's name.

    Raises ``PlanError`` A102 for a size below 1 or over 100,000.

    >>> task = situations(size=4)
    >>> [(s.target.value if isinstance(s.target, Answer) else s.target.reason)
    ...  for s in task.samples("test")]
    ['execute', 'rail:support', 'execute', 'execute']

    *Not to be trusted when* the question is how often a real user is blocked: the shares are ours.
    It shows whether the rules do what their specification says.
    """
    check_size("intent.rails", size, most=MOST, of="situations")

    def samples(split: str) -> Sequence[Sample]:
        return make(split, SIZES.get(split, size), seed)

    return Task(
        name="intent.rails",
        version="1",
        says="May these steps be carried out, and which rule says no?",
        samples=samples,
        verifier=SameAnswer(),
        metrics=(*OUTCOME_METRICS, false_block_rate, false_pass_rate),
        license="Apache-2.0",
    )


@cache
def make(split: str, size: int, seed: int) -> tuple[Sample, ...]:
    """Return the situations of a split; made once per process."""
    kinds = strata()
    return tuple(
        _sample(
            f"{split}/{place:05}",
            kinds[place % len(kinds)],
            Draws(seed, crc32(split.encode()), place),
        )
        for place in range(size)
    )


def _sample(name: str, kind: Stratum, draws: Draws) -> Sample:
    made = kind.make(draws)
    truth = truth_of(made)
    return Sample(
        id=name,
        input={"prompt": _words(made["steps"]), **made},
        target=Bottom(f"rail:{truth.reason}") if truth.reason else Answer(EXECUTE),
        tags=kind.tags,
    )


def _words(steps: Sequence[Mapping[str, Any]]) -> str:
    """Write steps as a sentence: for people who read samples; no rule reads it."""
    return ", then ".join(" ".join(_parts(step)) for step in steps)


def _parts(step: Mapping[str, Any]) -> Iterator[str]:
    yield str(step["action"]).partition("_")[0]
    for role, before in (("amount", ""), ("asset", ""), ("to_asset", "for "), ("venue", "at ")):
        if role in step["slots"]:
            slot = step["slots"][role]
            yield before + str(slot if isinstance(slot, str) else slot["value"])


@dataclass(frozen=True, slots=True)
class Willing:
    """Agrees to every question: what rails are for."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Say ``execute`` to each."""
        for question in questions:
            yield Reply(question.id, Answer(EXECUTE), attempt=question.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rails:
    """The recipe of ``intent.rails``: the rails alone, around a system that agrees to everything.

    Not trained, not seeded.  The policy is that of each question.

    >>> system = Rails().build([], [], seed=0, workdir=Path()).system
    >>> [reply] = system.answer([Question(id="q", input={"steps": [], "context": {}})])
    >>> reply.said.reason
    'rail:missing:policy'
    """

    @property
    def seeded(self) -> bool:
        """Rules have no seed."""
        return False

    @property
    def needs(self) -> Needs:
        """Hardly anything."""
        return Needs(memory_mb=60)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the railed system."""
        return Built(system=Railed(Willing(), rails()), notes={"rules": len(RULES)})
