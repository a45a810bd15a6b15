"""What a plan may ask of a threshold, and what may be said of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..core.metric import Metric
from ..stats.tuned import Payoff

TUNED = "tuned, no guarantee"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxRisk:
    """At most this share of the answers is wrong, with confidence 1 - delta."""

    max_risk: float
    delta: float = 0.05
    by_class: bool = False
    """Of the answers of each class; every class is tested at delta over their number."""

    @property
    def method(self) -> str:
        """How it is chosen."""
        said = "Learn-then-Test, Clopper-Pearson, fixed sequence, one sample per group"
        return f"{said}, each class at its share of delta" if self.by_class else said

    @property
    def promise(self) -> str:
        """What holds of a threshold that was chosen so."""
        sure = f"with {_percent(1 - self.delta)} confidence"
        if self.by_class:
            return (
                f"at most {_percent(self.max_risk)} of its answers of each class are wrong, {sure} for "
                "all classes together, for this mix of samples"
            )
        return f"at most {_percent(self.max_risk)} of its answers are wrong, {sure}, for this mix of samples"

    @property
    def refusal(self) -> str:
        """What is said where there is no threshold."""
        return f"no threshold keeps the risk at or below {_percent(self.max_risk)}; it declines all"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCoverage:
    """Answer this share of the questions, the surest ones."""

    coverage: float
    by_class: bool = False

    @property
    def method(self) -> str:
        """How it is chosen."""
        return "the strictest threshold that answers so much of calibration"

    @property
    def promise(self) -> str:
        """What holds of a threshold that was chosen so."""
        each = " of what it says of each class" if self.by_class else " of the questions"
        return f"answers about {_percent(self.coverage)}{each}: {TUNED}"

    @property
    def refusal(self) -> str:
        """What is said where there is no threshold."""
        return "it has no answer to choose from, and declines all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByUtility:
    """Answer where it pays."""

    payoff: Payoff
    by_class: bool = False

    @property
    def method(self) -> str:
        """How it is chosen."""
        return "the threshold that is worth most on calibration"

    @property
    def promise(self) -> str:
        """What holds of a threshold that was chosen so."""
        each = ", class by class" if self.by_class else ""
        return f"worth the most on calibration ({self._words}){each}: {TUNED}"

    @property
    def refusal(self) -> str:
        """What is said where there is no threshold."""
        return f"no threshold is worth more than silence ({self._words}); it declines all"

    @property
    def _words(self) -> str:
        of = self.payoff
        return f"right {of.right:g}, wrong {of.wrong:g}, declined {of.declined:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtBest:
    """Answer where a metric of the task is best."""

    metric: Metric
    by_class: bool = False

    @property
    def method(self) -> str:
        """How it is chosen."""
        return f"the threshold at which {self.metric.name} is best on calibration, the strictest of equals"

    @property
    def promise(self) -> str:
        """What holds of a threshold that was chosen so."""
        return f"the best {self.metric.name} on calibration: {TUNED}"

    @property
    def refusal(self) -> str:
        """What is said where there is no threshold."""
        return f"{self.metric.name} is undefined at every threshold; it declines all"


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"


Rule: TypeAlias = MaxRisk | AtCoverage | ByUtility | AtBest
