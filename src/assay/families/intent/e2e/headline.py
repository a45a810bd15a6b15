"""The headline of a domain: three rows and four sentences, each number with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay import Answer, Estimate, Outcome, Run
from assay.estimates import share, spell

from ..bench.measure import Bench
from ..rails.canonical import CaseResult
from .measure import EndToEnd

GOAL_RIGHT, GOAL_WITHHELD = 0.98, 0.01
"""What was hoped for on the honest split: right on so much, withheld less of what has an answer."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What a domain's mapper, rails and way to the ledger come to."""

    bench: Bench
    rails: Sequence[CaseResult]
    situations: Run | None
    """A sealed run of generated situations through the rails."""

    whole: EndToEnd

    @property
    def right(self) -> Estimate:
        """Right answers and right declines, before any threshold."""
        good = (Outcome.CORRECT, Outcome.DECLINED)
        pairs = [(r.verdict.outcome in good, r.group) for _, r in self.bench.records()]
        return share("right", [hit for hit, _ in pairs], groups=[group for _, group in pairs])

    @property
    def withheld(self) -> Estimate:
        """Requests with an answer that got none, before any threshold."""
        in_scope, gone, groups = [], [], []
        for sample, record in self.bench.records():
            if isinstance(sample.target, Answer):
                in_scope.append(1)
                gone.append(record.verdict.outcome is Outcome.WITHHELD)
                groups.append(record.group)
        return share("withheld", gone, asked=in_scope, groups=groups)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return a header and three rows: what, right, wrongly acted on, of what."""
        chosen = self.bench.offers.chosen
        right = "no threshold" if chosen is None else spell(chosen.test["accuracy"], percent=True)
        invented = "-" if chosen is None else spell(chosen.test["invention_rate"], percent=True)
        passed = sum(result.passed for result in self.rails)
        whole = self.whole.estimate("accuracy")
        wrong = self.whole.estimate("invention_rate")
        false_pass = self._false_pass
        return [
            ("what", "right", "acted though it must not", "asked"),
            ("mapper", right, invented, "unseen prompts, at the picked threshold"),
            (
                "rails",
                f"{passed} of {len(self.rails)} canonical (a census)",
                "-" if false_pass is None else spell(false_pass, percent=True),
                "canonical and generated situations",
            ),
            (
                "end to end",
                "-" if whole is None else spell(whole, percent=True),
                "-" if wrong is None else spell(wrong, percent=True),
                "generated requests, prompt to ledger",
            ),
        ]

    def sentences(self) -> list[str]:
        """Return four sentences that can be published as they stand."""
        [task] = self.bench.run.manifest.tasks.values()
        test = task.splits["test"]
        chosen = self.bench.offers.chosen
        first = (
            f"On {test.samples:,} prompts from {test.groups:,} template families that no training "
            "saw, no offered threshold is worth more than silence."
        )
        if chosen is not None:
            first = (
                f"On {test.samples:,} prompts from {test.groups:,} template families that no "
                f"training saw, the mapper is right on {_plain(chosen.test['accuracy'])} at "
                f"threshold {chosen.threshold:g}, which was picked on calibration: it answers "
                f"{_plain(chosen.test['coverage'])} and is right on "
                f"{_plain(chosen.test['selective_accuracy'])} of its answers."
            )
        passed = sum(result.passed for result in self.rails)
        second = f"The rails decide {passed} of {len(self.rails)} canonical situations right"
        if self._false_pass is not None and self._false_block is not None:
            second += (
                "; of generated situations judged by an independent oracle, forbidden ones that pass "
                f"are {_plain(self._false_pass)}, and allowed ones that are blocked "
                f"{_plain(self._false_block)}"
            )
        whole, wrong = self.whole.estimate("accuracy"), self.whole.estimate("invention_rate")
        third = (
            "No generated request was asked from prompt to ledger."
            if whole is None or wrong is None
            else f"From prompt to simulated ledger, {_plain(whole)} of generated requests end as they "
            f"must; of those that must not be carried out, {_plain(wrong)} are."
        )
        configurations = len(self.whole.asked)
        same = "differ" if self.whole.differ else "are identical"
        fourth = (
            f"The whole outputs of {len(self.whole.canonical)} canonical requests {same} in these "
            f"{configurations} configurations of process, batch size and threads."
        )
        return [first, f"{second}.", third, fourth]

    def goal(self) -> str:
        """Say whether what was hoped for is reached, and by how much not."""
        right, withheld = self.right, self.withheld
        said = (
            f"Goal: right on at least {GOAL_RIGHT:.0%}, and less than {GOAL_WITHHELD:.0%} withheld "
            "of what has an answer, on the honest split: "
        )
        if right.value is None or withheld.value is None:
            return f"{said}not reached, nothing was asked."
        reached = right.value >= GOAL_RIGHT and withheld.value < GOAL_WITHHELD
        short = 100 * max(GOAL_RIGHT - right.value, 0.0)
        return (
            f"{said}{'reached' if reached else 'not reached'}. Before any threshold it is right on "
            f"{_plain(right)}, {short:.1f} points short, and withholds {_plain(withheld)}."
        )

    @property
    def _false_pass(self) -> Estimate | None:
        return self._of("false_pass_rate")

    @property
    def _false_block(self) -> Estimate | None:
        return self._of("false_block_rate")

    def _of(self, metric: str) -> Estimate | None:
        return None if self.situations is None else self.situations.estimate(metric, "rails")


def _plain(estimate: Estimate) -> str:
    """Return a share as people read it in a sentence."""
    said = spell(estimate, percent=True).rpartition(" n=")[0]
    counted, colon, bound = said.partition(": ")
    return f"{counted} ({bound})" if colon else said
