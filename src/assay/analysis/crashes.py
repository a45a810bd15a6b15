"""What replies that were never observed could have been, at worst and at best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ..core.metric import Metric, Ratio
from ..core.verdict import Outcome
from ..stats.inference import Envelope, Inference
from ..store.columns import CODE
from .table import Table

WITH_ANSWER = (Outcome.CORRECT, Outcome.WRONG, Outcome.WITHHELD, Outcome.FAILED)
WITHOUT = (Outcome.DECLINED, Outcome.INVENTED, Outcome.FAILED)
KNOWN = {outcome.value for outcome in Outcome} | {"asked", "no_answer"}


def can_be_imputed(metric: Metric) -> bool:
    """Whether the outcome of a reply is all that a metric needs to know of it."""
    return isinstance(metric.form, Ratio) and set(metric.columns) <= KNOWN


def imputations(table: Table, metric: Metric) -> list[Table]:
    """Return the table with every crash as each outcome that makes a difference to the metric.

    All crashes on questions with an answer become the same outcome, and all others the same: a
    ratio of sums has its least and its greatest value among these.
    """
    if table.complete:
        return [table]
    gone = table.outcome == CODE["crashed"]
    none = np.broadcast_to(table.no_answer, gone.shape)
    made: dict[bytes, Table] = {}
    for with_answer in WITH_ANSWER:
        for without in WITHOUT:
            outcome = table.outcome.copy()
            outcome[gone & ~none] = CODE[with_answer.value]
            outcome[gone & none] = CODE[without.value]
            one = replace(table, outcome=outcome)
            made.setdefault(b"".join(terms.tobytes() for terms in one.terms(metric)), one)
    return list(made.values())


def in_every_case(
    observed: Inference, metric: Metric, infer: Callable[..., Inference], *tables: Table
) -> Inference:
    """Return what holds whatever the unobserved replies of some tables would have been.

    ``observed`` is returned as it is where nothing is missing, where there is no number, or where
    a reply's outcome is not enough to know the metric: claims are then held.
    """
    if observed.value is None or all(t.complete for t in tables) or not can_be_imputed(metric):
        return observed
    missing = sum(unobserved(t) for t in tables)
    replies = "reply" if missing == 1 else "replies"
    said = f"{observed.method}; {missing} unobserved {replies} at worst and at best"
    cases = tuple(infer(*each) for each in _products(metric, tables))
    return Envelope(value=observed.value, cases=cases, method=said)


def unobserved(table: Table) -> int:
    """Return how many replies crashed."""
    return int((table.outcome == CODE["crashed"]).sum())


def missing_note(table: Table) -> str:
    """Return that replies were not observed, and what that means for a claim; empty where none is missing."""
    if not (missing := unobserved(table)):
        return ""
    return (
        f"{missing} of the replies of {table.system} were not observed (crashes are left): "
        "decided only if it holds with them at worst and at best"
    )


def _products(metric: Metric, tables: tuple[Table, ...]) -> Iterator[tuple[Table, ...]]:
    if not tables:
        yield ()
        return
    first, *rest = tables
    for one in imputations(first, metric):
        for others in _products(metric, tuple(rest)):
            yield (one, *others)
