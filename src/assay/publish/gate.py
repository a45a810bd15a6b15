"""Whether a build may go on: the plan's claims hold, and nothing is worse than a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from ..analysis.alarms import Alarms, false_alarms, family
from ..core.claim import Finding, Status
from ..core.errors import PlanError
from ..core.metric import Estimate
from ..stats import multiple
from .compare import besides
from .paired import Pair, pairs
from .phrases import decides
from .words import Scale, claim_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .run import Run

ALPHA = 0.025
"""One-sided; at most this chance that any regression is wrongly called none."""


MANY = 0.2
OFTEN = {
    "records": "  A wider margin or more samples make them fewer.",
    "times": "  A wider margin, more processes or a quieter machine make them fewer.",
}
"""What helps, by what they were measured on."""


class Source(StrEnum):
    """Where a check comes from."""

    CLAIM = "claim"
    BASELINE = "baseline"
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that the gate looks at."""

    source: Source
    name: str
    """The claim's id, ``task/system``, or ``suite/benchmark``."""

    passes: bool
    why: str
    estimate: Estimate | None = None
    scale: Scale | None = None
    """How the estimate is written."""

    says: str = ""
    """The sentence of a claim."""

    system: str = ""
    """Which system a comparison with the baseline is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the gate looked at."""

    checks: tuple[Check, ...]
    alarms: Alarms | None = None
    """How often the comparison with the baseline is closed for nothing, on these records."""

    besides: tuple[str, ...] = ()
    """What got worse and is not judged, as sentences."""

    @property
    def passes(self) -> bool:
        """Whether every check passes."""
        return all(check.passes for check in self.checks)

    @property
    def verdict(self) -> str:
        """The answer, as a sentence."""
        failed = sum(not check.passes for check in self.checks)
        if self.passes:
            return "The gate is open."
        return f"The gate is closed: {failed} of {len(self.checks)} fail."

    @property
    def alarms_told(self) -> str:
        """How often the gate is closed for nothing, as a sentence; empty without a baseline."""
        if self.alarms is None:
            return ""
        rate = self.alarms.rate
        if rate is None:
            return f"False alarms are not measured: {self.alarms.why_not}."
        low, high = (f"{end:.1%}" for end in rate.ends)
        told = (
            f"False alarms: where nothing got worse, the comparison fails {rate.count} times in"
            f" {rate.trials} on these {self.alarms.of} (95 %: {low} to {high})."
        )
        return told + (OFTEN[self.alarms.of] if rate.value > MANY else "")


def gate(run: Run, baseline: Run | None = None, *, margin: float = 0.01) -> Gate:
    """Judge a run by its plan's claims and, with a baseline, by non-inferiority to it.

    Every claim must be supported.  On every system under test that the baseline has, the headline
    metric must be *shown* to be at most ``margin`` worse, paired by sample, Holm over systems at
    2.5 %: a difference that is not significant never passes by that.  A system with the same
    digest that decided every sample the same is the same system, and passes.

    How often that comparison is closed though nothing got worse is measured on these records: see
    ``analysis.alarms``.

    Raises ``PlanError`` A104 when there is nothing to judge, A106 for a margin that is none,
    ``DataError`` A203 when the runs cannot be paired.
    """
    if not 0 <= margin < inf:
        raise PlanError(
            f"the margin {margin:g} is no number from 0 upwards",
            hint="give how much worse is still good enough, for example 0.01",
            code="A106",
        )
    checks = [_claim(run, finding) for finding in run.results.findings]
    alarms = None
    more: tuple[str, ...] = ()
    if baseline is not None:
        found = pairs(run, baseline)
        judged = [pair for pair in found if pair.headline]
        checks += _against(baseline, judged, margin)
        alarms = false_alarms([x.matched for x in judged], margin=margin, rng=run.manifest.rng)
        more = besides(baseline, found)
    if not checks:
        raise PlanError(
            "there is nothing to judge: the plan makes no claims and no baseline is named",
            where=str(run.dir.plan),
            hint="add claims to the plan, or name a run with --baseline",
            code="A104",
        )
    return Gate(checks=tuple(checks), alarms=alarms, besides=more)


def _claim(run: Run, finding: Finding) -> Check:
    claim = finding.claim
    passes = finding.status is Status.SUPPORTED
    why = finding.status.value
    if finding.hold:
        why += f": {finding.hold}"
    elif more := decides(finding):
        why += f": {more}"
    return Check(
        source=Source.CLAIM,
        name=claim.id,
        says=claim.says,
        passes=passes,
        why=why,
        estimate=finding.estimate,
        scale=claim_scale(claim, run.results.cases[claim.task].contrast(claim.metric)),
    )


def _against(baseline: Run, found: Sequence[Pair], margin: float) -> list[Check]:
    tested = multiple.holm(family([x.p_not_worse(margin) for x in found]), alpha=ALPHA)
    checks = []
    for place, pair in enumerate(found):
        one = tested[str(place)]
        shown = pair.unchanged or (one.rejected and pair.complete)
        checks.append(
            Check(
                source=Source.BASELINE,
                name=f"{pair.task}/{pair.system}",
                system=pair.system,
                passes=shown,
                why=_why(pair, margin, one, shown=shown),
                estimate=pair.estimate,
                scale=Scale.CHANGE,
            )
        )
    return checks + _missing(baseline, {(x.task, x.system) for x in found})


def _why(pair: Pair, margin: float, tested: multiple.Tested, *, shown: bool) -> str:
    name = pair.metric.name
    if pair.unchanged:
        return "is the same system, and decided every sample the same"
    if not pair.complete:
        return f"{name}: replies were not observed (crashes are left)"
    if pair.estimate.value is None:
        return f"{name}: {pair.estimate.method}"
    word = "is shown" if shown else "is not shown"
    needs = None if shown else pair.margin_at(tested.level)
    hint = "" if needs is None else f" (it would be with a margin of {needs:.3g})"
    # Fewer samples than the baseline asked are no fault, and nothing to keep quiet about.
    some = "" if pair.same_test else f", on the {pair.estimate.n} samples that both asked"
    return f"{name} {word} to be at most {margin:g} worse than in the baseline{some}{hint}"


def _missing(baseline: Run, paired: set[tuple[str, str]]) -> list[Check]:
    """What the baseline had and this run lacks cannot have passed."""
    return [
        Check(
            source=Source.BASELINE,
            name=f"{task}/{system}",
            system=system,
            passes=False,
            why="is in the baseline, and not in this run",
        )
        for task in baseline.manifest.tasks
        for system, facts in baseline.manifest.systems.items()
        if not facts.control and (task, system) not in paired
    ]
