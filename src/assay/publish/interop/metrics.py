"""Which metrics the records of an imported task can have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...core.task import Task
from ...core.verdict import Outcome
from ...engine import reported
from .names import score_name
from .spool import Asked

ANSWERED = (Outcome.WITHHELD, Outcome.DECLINED, Outcome.INVENTED)
RIGHT_OR_WRONG = (Outcome.CORRECT, Outcome.WRONG, *ANSWERED)
DECLINING = ("coverage", "selective_accuracy", "risk")


def what_is_known(asked: Asked, lower: Collection[str]) -> dict[str, Any]:
    """Return the metrics that a task's records can have; the first is the headline."""
    came: Sequence[Outcome] = [Outcome(o) for o in asked.outcomes]
    outcomes = []
    if any(o in RIGHT_OR_WRONG for o in came):
        outcomes.append("accuracy")
    if any(o in ANSWERED for o in came):
        outcomes += DECLINING
    if any(o in (Outcome.DECLINED, Outcome.INVENTED) for o in came):
        outcomes.append("invention_rate")
    if Outcome.FAILED in came:
        outcomes.append("failure_rate")
    scores = {name: "lower" if name in lower else "higher" for name in asked.scores}
    only_scored = Outcome.SCORED in came and "accuracy" not in outcomes
    metrics = [*scores, *outcomes] if only_scored else [*outcomes, *scores]
    spent = [reported.SPENT[column].name for column in reported.SPENT if column in asked.spent]
    return {"metrics": [*metrics, *spent] or ["failure_rate"], "scores": scores}


def lower_in(
    task: str, lower: Collection[str | tuple[str, str]], names: Mapping[str, str]
) -> frozenset[str]:
    """Return the scores of which less is better in a task; ``names`` are what tasks are called.

    Two tasks may have a score of one name, a rate of errors and a rate of hits.
    """
    mine = (
        o if isinstance(o, str) else o[1]
        for o in lower
        if isinstance(o, str) or names.get(o[0]) == task
    )
    return frozenset(map(score_name, mine))


def task_of(options: Mapping[str, Any]) -> Task:
    """Return the task that a plan's options describe."""
    return reported.samples(**{name: options[name] for name in ("version", "metrics", "scores")})
