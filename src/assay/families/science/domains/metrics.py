"""What is measured of a value that may not be there, from outcomes, reasons and errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assay import OUTCOME_METRICS, Better, Metric, PlanError, Ratio, Statistic

ANSWERED = ("correct", "wrong", "invented")
DECLINED = ("withheld", "declined")
UNIT = (0.0, 1.0)
DECLINE = 0.5
"""What a decline costs beside a failure: the reference weighs ``fault + 0.5 x semantic``."""


def bottom_cost(decline: float = DECLINE) -> Metric:
    """Return what not answering costs: failures whole, declines by this weight.

    Raises ``PlanError`` A102 for a weight that is none.

    >>> bottom_cost().bounds
    (0.0, 1.0)
    """
    if not 0 <= decline < float("inf"):
        raise PlanError(
            f"a decline cannot cost {decline:g} failures",
            hint="give `decline_cost` a number from 0 upwards; 0.5 is usual",
            code="A102",
        )
    return Metric(
        name="bottom_cost",
        says=f"failures and {decline:g} times declines, of everything asked",
        better=Better.LOWER,
        form=Ratio(
            numerator=lambda c: c["failed"] + decline * (c["withheld"] + c["declined"]),
            denominator=lambda c: c["asked"] * 1.0,
        ),
        columns=("failed", *DECLINED, "asked"),
        bounds=(0.0, max(1.0, decline)),
    )


withheld_rate = Metric(
    name="withheld_rate",
    says="values that are there and were not given (declined or failed), of those that are there",
    better=Better.LOWER,
    form=Ratio(
        numerator=lambda c: c["withheld"] + c["failed"] * (1.0 - c["no_answer"]),
        denominator=lambda c: c["asked"] * (1.0 - c["no_answer"]),
    ),
    columns=("withheld", "failed", "no_answer", "asked"),
    bounds=UNIT,
)
"""*False censored on in-range* of the reference."""


def mean_error(score: str, *, says: str, unit: str = "") -> Metric:
    """Return the mean of a verifier's score over the values that were given where there is one.

    *Not to be trusted alone*: it falls when hard questions are declined.  ``charged_error`` does not.
    """
    return Metric(
        name=score,
        says=says,
        better=Better.LOWER,
        form=Ratio(
            numerator=lambda c: c[f"check:{score}"] * (c["correct"] + c["wrong"]),
            denominator=lambda c: c["correct"] + c["wrong"],
        ),
        columns=(f"check:{score}", "correct", "wrong"),
        unit=unit,
        bounds=(0.0, float("inf")),
    )


def charged_error(score: str, *, most: float, says: str, unit: str = "") -> Metric:
    """Return the mean error over all values that are there; one not given, or worse, is charged ``most``.

    So declining pays only where the error would have been larger than that: systems that answer
    different shares can be compared.
    """

    def above(columns: Any) -> Any:
        given = columns["correct"] + columns["wrong"]
        error = np.minimum(np.nan_to_num(columns[f"check:{score}"], nan=most), most)
        there = columns["asked"] * (1.0 - columns["no_answer"])
        return np.where(given > 0, error, most) * there

    return Metric(
        name=f"charged_{score}",
        says=says,
        better=Better.LOWER,
        form=Ratio(numerator=above, denominator=lambda c: c["asked"] * (1.0 - c["no_answer"])),
        columns=(f"check:{score}", "correct", "wrong", "asked", "no_answer"),
        unit=unit,
        bounds=(0.0, most),
    )


def _mean_f1(per_class: Callable[[Any], list[tuple[Any, Any, Any]]]) -> Statistic:
    """Return the mean F1 of the classes that are said or there: of hits, what is said, what is."""

    def of(columns: Any, weights: Any) -> float | None:
        scores = []
        for hits, said, true in per_class(columns):
            below = float(((said + true) * weights).sum())
            if below:
                scores.append(2.0 * float((hits * weights).sum()) / below)
        return float(np.mean(scores)) if scores else None

    def prepare(columns: Any, groups: Any) -> Any:
        n = int(groups.max(initial=-1)) + 1

        def summed(column: Any) -> Any:
            return np.bincount(groups, weights=np.asarray(column, dtype=float), minlength=n)

        found = [(summed(hits), summed(said + true)) for hits, said, true in per_class(columns)]
        # One product for all classes: the counts are far larger than the caches.
        sums = np.stack([one for pair in found for one in pair], axis=1)

        def values(counts: Any) -> Any:
            drawn = (counts @ sums).T
            with np.errstate(invalid="ignore", divide="ignore"):
                stacked = np.where(drawn[1::2] > 0, 2.0 * drawn[::2] / drawn[1::2], np.nan)
            there = (~np.isnan(stacked)).sum(axis=0)
            with np.errstate(invalid="ignore"):
                return np.where(there > 0, np.nansum(stacked, axis=0) / there, np.nan)

        return values

    return Statistic(of=of, prepare=prepare)


def macro_f1(reasons: Sequence[str]) -> Metric:
    """Return the mean F1 of the classes: a value is there, or is not for one of some reasons.

    Samples without a value have their reason as a tag.  Whoever declines for another reason, or
    fails, names no class, and misses the one that is.
    """
    names = tuple(reasons)

    def per_class(columns: Any) -> list[tuple[Any, Any, Any]]:
        """Return hits, what was said and what is, of each class."""
        given = columns["correct"] + columns["wrong"] + columns["invented"]
        there = (1.0 - columns["no_answer"]) * columns["asked"]
        found = [(given * there, given, there)]
        for name in names:
            said = columns[f"reason:{name}"]
            true = columns[f"tag:{name}"] * columns["no_answer"] * columns["asked"]
            found.append((said * true, said * columns["asked"], true))
        return found

    return Metric(
        name="macro_f1",
        says=f"mean F1 over: a value, {', '.join(names)}",
        better=Better.HIGHER,
        form=_mean_f1(per_class),
        columns=(
            *("correct", "wrong", "invented", "no_answer", "asked"),
            *(f"reason:{name}" for name in names),
            *(f"tag:{name}" for name in names),
        ),
        bounds=UNIT,
    )


def direction_f1(reasons: Sequence[str]) -> Metric:
    """Return the mean F1 of the reasons, of the samples that rightly were declined.

    *Direction-only macro-F1 on censored* of the reference: declining or not is left out of it.  *Not to
    be trusted alone*: who declines only where the side is plain has a high one.
    """
    names = tuple(reasons)

    def per_class(columns: Any) -> list[tuple[Any, Any, Any]]:
        gone = columns["declined"]
        found = []
        for name in names:
            said, true = gone * columns[f"reason:{name}"], gone * columns[f"tag:{name}"]
            found.append((said * true, said, true))
        return found

    return Metric(
        name="direction_f1",
        says=f"mean F1 of {', '.join(names)}, of the right declines",
        better=Better.HIGHER,
        form=_mean_f1(per_class),
        columns=("declined", *(f"reason:{n}" for n in names), *(f"tag:{n}" for n in names)),
        bounds=UNIT,
    )


def direction_accuracy(reasons: Sequence[str]) -> Metric:
    """Return how often the reason is the right one, of the samples that rightly were declined."""
    names = tuple(reasons)

    def right(columns: Any) -> Any:
        return columns["declined"] * sum(
            columns[f"reason:{n}"] * columns[f"tag:{n}"] for n in names
        )

    return Metric(
        name="direction_accuracy",
        says=f"the right one of {', '.join(names)}, of the right declines",
        better=Better.HIGHER,
        form=Ratio(numerator=right, denominator=lambda c: c["declined"] * 1.0),
        columns=("declined", *(f"reason:{n}" for n in names), *(f"tag:{n}" for n in names)),
        bounds=UNIT,
    )


OUTCOMES = {metric.name: metric for metric in OUTCOME_METRICS}
