"""The metrics that every task has for free, because every task has outcomes and a clock.

Columns are float arrays with one entry per record; every outcome is a column of ones and zeros,
``asked`` is one for every observed record, ``no_answer`` for every sample whose right answer is to
decline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.errors import PlanError
from ..core.metric import Array, Better, Columns, Contrast, Metric, Ratio
from ..core.reply import Usage

if TYPE_CHECKING:  # a worker imports this module, and no statistics
    from ..stats.tuned import Payoff

OUTCOME_COLUMNS = ("correct", "wrong", "withheld", "declined", "invented", "scored", "failed")
ANSWERED = ("correct", "wrong", "invented")
TAG = "tag:"
"""What a column is called that is 1 for the samples with a tag: ``tag:L5``."""
REASON = "reason:"
"""What a column is called that is 1 where a system declined with a reason: ``reason:above``."""


def is_column(name: str) -> bool:
    """Whether a metric can read a column of this name.

    >>> is_column("correct"), is_column("check:kl"), is_column("tag:L5"), is_column("corect")
    (True, True, True, False)
    >>> is_column("reason:above")
    True
    """
    known = (
        *OUTCOME_COLUMNS,
        *Usage.__dataclass_fields__,
        "crashed",
        "asked",
        "no_answer",
        "confidence",
    )
    return name in known or name.startswith(("check:", TAG, REASON))


def undirected(metric: str, where: str) -> PlanError:
    """Return the error of a metric that cannot tell which of two systems is better."""
    return PlanError(
        f"neither more nor less of {metric} is better",
        where=where,
        hint="name a metric with a direction, or claim both ends of this one (at_least and at_most)",
        code="A104",
    )


def total(*names: str) -> Callable[[Columns], Array]:
    """Return a function that adds columns.

    >>> total("a", "b")({"a": 1.0, "b": 2.0})
    3.0
    """

    def add(columns: Columns) -> Array:
        first, *rest = names
        found = columns[first] * 1.0
        for name in rest:
            found = found + columns[name]
        return found

    return add


def product(left: str, right: str) -> Callable[[Columns], Array]:
    """Return a function that multiplies two columns."""

    def multiply(columns: Columns) -> Array:
        return columns[left] * columns[right]

    return multiply


def _share(
    name: str,
    says: str,
    better: Better,
    of: Callable[[Columns], Array],
    among: Callable[[Columns], Array],
    columns: tuple[str, ...],
) -> Metric:
    return Metric(
        name=name,
        says=says,
        better=better,
        form=Ratio(numerator=of, denominator=among),
        columns=columns,
        bounds=(0.0, 1.0),
    )


accuracy = _share(
    "accuracy",
    "right answers and right declines, of everything asked",
    Better.HIGHER,
    total("correct", "declined"),
    total("asked"),
    ("correct", "declined", "asked"),
)
coverage = _share(
    "coverage",
    "questions that were answered, of everything asked",
    Better.HIGHER,
    total(*ANSWERED, "scored"),
    total("asked"),
    (*ANSWERED, "scored", "asked"),
)
selective_accuracy = _share(
    "selective_accuracy",
    "right answers, of the answers given",
    Better.HIGHER,
    total("correct"),
    total(*ANSWERED),
    ANSWERED,
)
risk = _share(
    "risk",
    "wrong and invented answers, of the answers given",
    Better.LOWER,
    total("wrong", "invented"),
    total(*ANSWERED),
    ANSWERED,
)
invention_rate = _share(
    "invention_rate",
    "invented answers, of the questions that have none",
    Better.LOWER,
    total("invented"),
    product("no_answer", "asked"),
    ("invented", "no_answer", "asked"),
)
failure_rate = _share(
    "failure_rate",
    "replies that failed (no reply, unreadable, too slow, died), of everything asked",
    Better.LOWER,
    total("failed"),
    total("asked"),
    ("failed", "asked"),
)


def payoff_metric(payoff: Payoff) -> Metric:
    """Return what a question is worth, of those that have an answer to give or to withhold.

    >>> from assay.stats.tuned import Payoff
    >>> payoff_metric(Payoff(right=1, wrong=-4, declined=0)).bounds
    (-4, 1)
    """

    def worth(columns: Columns) -> Array:
        return (
            payoff.right * columns["correct"]
            + payoff.wrong * (columns["wrong"] + columns["invented"])
            + payoff.declined * (columns["withheld"] + columns["declined"])
        )

    among = (*ANSWERED, "withheld", "declined")
    return Metric(
        name="utility",
        says="what a question is worth, of those answered or declined",
        better=Better.HIGHER,
        form=Ratio(numerator=worth, denominator=total(*among)),
        columns=among,
        bounds=(payoff.wrong, payoff.right),
    )


OUTCOME_METRICS = (
    accuracy,
    coverage,
    selective_accuracy,
    risk,
    invention_rate,
    failure_rate,
)
"""For tasks with right answers; the first is the headline."""

usd_per_1k = Metric(
    name="usd_per_1k",
    says="dollars for a thousand questions, one at a time, at the stated prices",
    better=Better.LOWER,
    form=Ratio(numerator=lambda c: c["usd"] * 1000.0, denominator=total("priced")),
    columns=("usd", "priced"),
    unit="$",
    bounds=(0.0, float("inf")),
    contrast=Contrast.RATIO,
    timed=True,
)
usd_per_correct = Metric(
    name="usd_per_correct",
    says="dollars for each question that is answered, or declined, as it should be",
    better=Better.LOWER,
    form=Ratio(numerator=total("usd"), denominator=total("correct", "declined")),
    columns=("usd", "correct", "declined"),
    unit="$",
    bounds=(0.0, float("inf")),
    contrast=Contrast.RATIO,
    timed=True,
)
"""Wrong, withheld and failed replies are paid for and buy nothing; a lower bound where accuracy may
be zero."""

latency_mean = Metric(
    name="latency_mean",
    says="mean seconds from question to reply, one at a time",
    better=Better.LOWER,
    form=Ratio(numerator=total("latency_s"), denominator=total("timed")),
    columns=("latency_s", "timed"),
    unit="s",
    bounds=(0.0, float("inf")),
    contrast=Contrast.RATIO,
    timed=True,
)
determinism = _share(
    "determinism",
    "questions decided the same when asked again in other processes, one at a time",
    Better.HIGHER,
    total("same"),
    total("timed"),
    ("same", "timed"),
)
"""A census: its interval generalises over nothing but the configurations that were tried."""

QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
"""Estimated by order statistics, not by resampling; see ``analysis.infer``."""
