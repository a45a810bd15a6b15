"""What is said of a run that may stop early, and what is refused because it holds for one look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..analysis.stopping import ONE_LOOK
from ..core.errors import PlanError
from .document import Block, Para

if TYPE_CHECKING:
    from ..store.manifest import StoppedTask
    from .results import Results
    from .run import Run


def stopped_sentences(results: Results) -> tuple[str, ...]:
    """Return where each task stopped, and why; nothing for a run that asks everything."""
    if results.stopping is None:
        return ()
    tasks = results.stopping.tasks
    return tuple(
        f"{f'{name}: ' if len(tasks) > 1 else ''}{_sentence(told)}" for name, told in tasks.items()
    )


def _sentence(told: StoppedTask) -> str:
    asked = f"{told.groups:,} of {told.of_groups:,} groups"
    questions = f"{told.questions:,} of {told.of_questions:,} questions"
    why = "every claim was decided" if told.decided else "there was nothing left to ask"
    if told.groups == told.of_groups:
        why = "all was asked" + (", and every claim was decided" if told.decided else "")
    return f"stopped after {asked} ({questions}): {why}"


def stopped_facts(results: Results) -> dict[str, Any]:
    """Return the same as plain values, under one key; nothing for a run that asks everything."""
    if results.stopping is None:
        return {}
    return {"stopping": results.stopping.model_dump(mode="json")["tasks"]}


def stopped_note(results: Results) -> tuple[Block, ...]:
    """Return the same for a report, with what its intervals are."""
    said = stopped_sentences(results)
    if not said:
        return ()
    told = "; ".join(said)
    return (
        Para(
            f"{told[0].upper()}{told[1:]}. Groups were asked in seeded random order, and the "
            "claims looked at after set numbers of them; intervals over questions hold at every "
            "look together, and are wider than those of a run that asks everything."
        ),
    )


def left_out(what: str) -> Para:
    """Return what stands in a report in place of intervals that hold for one look only."""
    return Para(f"{what}: {ONE_LOOK}.", "note")


def require_one_look(run: Run, what: str) -> None:
    """Raise ``PlanError`` A104 where a run may stop early: ``what`` holds for one look only."""
    if run.loaded.plan.stop is not None:
        raise PlanError(
            f"{what}: {ONE_LOOK}",
            where=str(run.path),
            hint="run the plan without `stop`: assay run PLAN --set stop=null",
            code="A104",
        )
