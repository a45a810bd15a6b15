"""Records as they count: what a threshold of the plan withholds is withheld."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.record import Record
from ..core.reply import Answer, Bottom
from ..core.sample import Sample
from ..core.verdict import Outcome, Verdict
from ..store.columns import OUTCOMES
from .meant import task_meant

if TYPE_CHECKING:
    from .run import Run

BELOW = "below_threshold"
"""The reason of an answer that is withheld, where its system has none of its own."""


def shipped(
    run: Run, system: str, *, task: str | None = None, seed: int | None = None
) -> Iterator[tuple[Sample, Record]]:
    """Yield every test sample with its record as tables and claims count it.

    ``Run.read`` yields what was said.  Where the plan has thresholds, an answer below its own is
    here a decline with that answer as its proposal, for the reason that the system had ready; its
    outcome is *withheld* or *declined*.  Without a seed, the system's first.

    Raises ``PlanError`` A103 and A104 as ``Run.read`` does.
    """
    name = task_meant(run.manifest, task, where=str(run.path))
    read = run.read(system, task=name, seed=seed)
    case = run.results.cases[name]
    if system not in case.thresholds:
        yield from read
        return
    table, raw = case.tables[system], case.raw[system]
    row = table.seeds.index(table.seeds[0] if seed is None else seed)
    gone = {
        sample: OUTCOMES[after]
        for sample, before, after in zip(
            table.samples, raw.outcome[row].tolist(), table.outcome[row].tolist(), strict=True
        )
        if before != after
    }
    for sample, record in read:
        outcome = gone.get(record.sample)
        if outcome is None or record.attempt or not isinstance(record.said, Answer):
            yield sample, record
        else:
            yield sample, _without(record, record.said, outcome)


def _without(record: Record, answer: Answer, outcome: Outcome) -> Record:
    said = Bottom(answer.instead or BELOW, answer)
    return replace(record, said=said, verdict=Verdict(outcome=outcome))
