"""Sits a system on a task in this process: what a run would make of it, as columns."""

from __future__ import annotations

import numpy as np

from assay import Answer, Bottom, Reply
from assay.core.verdict import judge, needs_check

OUTCOMES = ("correct", "wrong", "withheld", "declined", "invented", "failed")


def sit(task, system, split="test"):
    """Return the columns that metrics of a science task read, one entry per sample."""
    samples = task.samples(split)
    replies = {r.question: r for r in system.answer([s.question() for s in samples])}
    pairs = [(s, replies[s.id]) for s in samples]
    checked = [(s, r) for s, r in pairs if needs_check(s.target, r.said)]
    checks = dict(zip([s.id for s, _ in checked], task.verifier.check(checked), strict=True))
    verdicts = [judge(s.target, r.said, checks.get(s.id)) for s, r in pairs]
    columns = {name: np.array([v.outcome == name for v in verdicts], float) for name in OUTCOMES}
    columns["asked"] = np.ones(len(pairs))
    columns["no_answer"] = np.array([isinstance(s.target, Bottom) for s, _ in pairs], float)
    columns["confidence"] = np.array([_sure(r) for _, r in pairs])
    for tag in {tag for s, _ in pairs for tag in s.tags}:
        columns[f"tag:{tag}"] = np.array([tag in s.tags for s, _ in pairs], float)
    for reason in {r.said.reason for _, r in pairs if isinstance(r.said, Bottom)}:
        columns[f"reason:{reason}"] = np.array(
            [isinstance(r.said, Bottom) and r.said.reason == reason for _, r in pairs], float
        )
    for score in {name for v in verdicts for name in v.scores}:
        columns[f"check:{score}"] = np.array([v.scores.get(score, np.nan) for v in verdicts])
    return columns


def value(metrics, name, columns):
    """Return one metric of the columns; None where it is undefined."""
    [metric] = [m for m in metrics if m.name == name]
    none = np.zeros(len(columns["asked"]))
    held = {
        c: columns.get(c, np.full_like(none, np.nan) if c.startswith("check:") else none)
        for c in metric.columns
    }
    if hasattr(metric.form, "of"):
        return metric.form.of(held, np.ones(len(columns["asked"])))
    above, below = metric.form.numerator(held), metric.form.denominator(held)
    kept = ~(np.isnan(above) | np.isnan(below))
    return above[kept].sum() / below[kept].sum() if below[kept].sum() else None


def _sure(reply: Reply) -> float:
    match reply.said:
        case Answer(_, sure) | Bottom(_, Answer(_, sure)):
            return sure
        case _:
            return np.nan
