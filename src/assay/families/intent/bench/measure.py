"""A bench: a sealed run of one mapper beside its rivals, and what its records say at each threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay import Answer, Bottom, Estimate, Record, Run, Sample

from .folder import run_in
from .learnt import learnt_from
from .plan import Prompts, Subject, plan_text

if TYPE_CHECKING:
    from assay.analysis.offered import Offers
    from assay.publish.rethreshold import Rethresholded

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
MAX_RISK = 0.05
SURENESS = ("ece", "brier", "aurc", "selective_accuracy_at_80", "selective_accuracy_at_90")
SPEED = ("latency_p50", "latency_p95", "usd_per_1k")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a bench is to find out."""

    thresholds: Sequence[float] = THRESHOLDS
    """Fixed beforehand; calibration records pick one of them."""

    max_risk: float = MAX_RISK
    """Of the thresholds that carry a guarantee."""

    guaranteed: bool = False
    """Whether the pick from the list must keep that risk too, or is the one that is worth most."""

    min_accuracy: float | None = None
    """Of everything asked, at the pick; the whole interval has to lie above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether the accuracy at the picked threshold is shown to be high enough."""

    needed: float
    estimate: Estimate | None
    """None where no threshold was picked."""

    learnt: int = 0
    """Prompts of the test that the mapper learnt from; any of them, and nothing is shown."""

    @property
    def status(self) -> str:
        """Return ``supported``, ``refuted`` or ``undecided``.

        >>> Gate(needed=0.85, estimate=None).status
        'undecided'
        """
        found = self.estimate
        if self.learnt or found is None or found.low is None or found.high is None:
            return "undecided"
        if found.low >= self.needed:
            return "supported"
        return "refuted" if found.high < self.needed else "undecided"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A sealed run, and the numbers that are computed from it."""

    run: Run
    subject: Subject
    wanted: Wanted
    offers: Offers
    guarantee: Rethresholded
    by_class: Rethresholded
    learnt: Mapping[str, int]
    """Prompts of calibration and test that the subject learnt from, before the bench."""

    confidence_from: str = ""
    """Where the confidence of a mapper that was loaded comes from, in words."""

    @property
    def system(self) -> str:
        """The system under test."""
        return self.subject.name

    @property
    def file(self) -> str:
        """Name of the file of prompts; empty for the DeFi requests."""
        [task] = self.run.loaded.plan.tasks
        path = task.options.get("path", "")
        return Path(str(path)).name if path else ""

    @property
    def gate(self) -> Gate | None:
        """The demand on accuracy, where there is one."""
        if self.wanted.min_accuracy is None:
            return None
        chosen = self.offers.chosen
        return Gate(
            needed=self.wanted.min_accuracy,
            estimate=None if chosen is None else chosen.test["accuracy"],
            learnt=self.learnt["test"],
        )

    @property
    def passed(self) -> bool:
        """Whether nothing was demanded, or it is shown."""
        return self.gate is None or self.gate.status == "supported"

    @property
    def caveats(self) -> tuple[str, ...]:
        """Sentences that every number has to be read with."""
        [(name, task)] = self.run.manifest.tasks.items()
        sizes = {split: facts.samples for split, facts in task.splits.items()}
        found = tuple(
            f"not held out: the mapper learnt from {n:,} of {sizes[split]:,} {split} prompts of {name}; "
            "bench it on what its training left out: same columns, same --seed"
            for split, n in self.learnt.items()
            if n
        )
        return (*found, *task.caveats)

    def systems(self) -> tuple[str, ...]:
        """Return everybody who was asked, the subject first, controls last."""
        facts = self.run.manifest.systems
        rest = [name for name in facts if name != self.system]
        return (self.system, *sorted(rest, key=lambda name: (facts[name].control, name)))

    def records(self, split: str = "test") -> Iterator[tuple[Sample, Record]]:
        """Yield what the subject said to each prompt, thresholds not applied."""
        return self.run.read(self.system, split=split)

    def estimate(self, metric: str, system: str | None = None) -> Estimate:
        """Return a number of the run, as shipped where thresholds matter."""
        return self.run.estimate(metric, system or self.system)

    @property
    def mapper(self) -> str | None:
        """The digest of the head that was loaded; None where the run trained its own."""
        loaded = self.run.manifest.systems[self.system].files
        heads = [file.digest for file in loaded if file.kind == "head"]
        return heads[0] if self.subject.mapper and heads else None

    @property
    def per_second(self) -> float | None:
        """Prompts a second, asked in batches, as the run asked its test; one process."""
        spent = [record.usage.busy_s for _, record in self.records()]
        known = [seconds for seconds in spent if seconds is not None]
        return len(known) / sum(known) if known and sum(known) > 0 else None

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that the subject's own process held in the timing pass."""
        [case] = self.run.results.cases.values()
        timed = case.timed.get(self.system)
        return None if timed is None else timed.peak_bytes

    @property
    def files(self) -> Mapping[str, int]:
        """Bytes of each kind of file that the subject loads or made."""
        loaded = self.run.manifest.systems[self.system].files
        made = [
            file
            for cell in self.run.provenance.cells
            if cell.system == self.system
            for file in cell.made
        ]
        found: dict[str, int] = {}
        for file in {file.digest: file for file in (*loaded, *made)}.values():
            found[file.kind] = found.get(file.kind, 0) + file.size
        return found


def bench(
    subject: Subject,
    prompts: Prompts,
    wanted: Wanted,
    *,
    out: Path,
    say: Callable[[str], None] | None = None,
) -> Bench:
    """Ask the subject and its rivals, once; seal the answers; compute everything else from them.

    The run lies in ``out/run`` and its plan in ``out/plan.yaml``; a bench that was stopped goes on
    where it was.  Thresholds are picked on calibration records only.

    Raises what ``assay.run`` raises; ``PlanError`` A106 when ``out`` holds a bench of something else.
    """
    made = run_in(out, plan_text(subject, prompts), say=say)
    return read_bench(made, subject, wanted)


def read_bench(made: Run, subject: Subject, wanted: Wanted) -> Bench:
    """Compute a bench from a run that was sealed before; nothing is asked."""
    from ..heads.card import read_card

    return Bench(
        confidence_from=read_card(subject.mapper).confidence_from if subject.mapper else "",
        run=made,
        subject=subject,
        wanted=wanted,
        offers=made.at_thresholds(
            subject.name,
            wanted.thresholds,
            max_risk=wanted.max_risk if wanted.guaranteed else None,
        ),
        guarantee=made.rethreshold(subject.name, max_risk=wanted.max_risk),
        by_class=made.rethreshold(subject.name, max_risk=wanted.max_risk, per="class"),
        learnt=learnt_from(subject.mapper, made, subject.name),
    )


def said_at(record: Record, threshold: float) -> tuple[object, float | None, bool]:
    """Return what a system would have said, how sure it was, and whether it is withheld.

    The first is the answer or, of a decline, what it would have been; None where there is none.

    >>> from assay import Cell, Outcome, Usage, Verdict
    >>> cell = Cell(task="t", system="s", seed=0, split="test")
    >>> said_at(Record(cell=cell, sample="1", group="1", said=Answer("swap", 0.6),
    ...                verdict=Verdict(outcome=Outcome.CORRECT), usage=Usage()), 0.7)
    ('swap', 0.6, True)
    """
    match record.said:
        case Answer(value, confidence):
            return value, confidence, confidence is not None and confidence < threshold
        case Bottom(proposal=Answer(value, confidence)):
            return value, confidence, True
        case _:
            return None, None, True
