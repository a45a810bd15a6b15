"""Cascades: what asking systems in turn would have been worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..analysis.cascade import Option, Sweep
from ..analysis.case import Case
from . import figures
from .document import Block, Figure, Fold, Para, Row, Span, Table, cell
from .drawing import PALETTE, QUIET, Datum
from .policy import gain_sentence, person_note, policy_sentence
from .results import Results
from .words import label

COLUMNS = ("accuracy", "escalated", "usd_per_1k", "latency_p50", "latency_p95")


def cascades(
    results: Results, case: Case, colours: Mapping[str, str], *, file: Callable[[str], str]
) -> tuple[Block, ...]:
    """Return a figure and a table for every cascade of a task; nothing where the plan has none."""
    made = [s for s in results.sweeps if s.task == case.task]
    blocks: list[Block] = []
    for place, sweep in enumerate(made):
        tail = f"_{place}" if place else ""
        if (drawn := _figure(sweep, case, colours, file(f"cascade{tail}"))) is not None:
            blocks.append(drawn)
        blocks.append(Para(_picked(sweep)))
        blocks.append(Fold(f"The policies of {_name(sweep)}", (_table(sweep),)))
    if blocks:
        blocks.append(
            Para(
                "Computed from the records of the systems; nothing was asked again. Write a "
                "policy as a file that a plan can run: assay cascade RUN --output policy.json",
                "note",
            )
        )
    return tuple(blocks)


def _picked(sweep: Sweep) -> str:
    told = f"{sweep.why[0].upper()}{sweep.why[1:]}."
    if sweep.picked is None:
        return told
    did = policy_sentence(sweep.options[sweep.picked])
    return f"{told} It is: {did}. {gain_sentence(sweep)}"


def _name(sweep: Sweep) -> str:
    return ", then ".join([*sweep.order, *(["a person"] if sweep.person else [])])


def _table(sweep: Sweep) -> Table:
    shown = [(i, o) for i, o in enumerate(sweep.options) if o.on_hull or i == sweep.picked]
    if not shown:
        shown = list(enumerate(sweep.options))[:12]
    rows = []
    for i, option in sorted(shown, key=lambda one: one[1].usd_per_1k.value or 0.0):
        kind = "chosen" if i == sweep.picked else ""
        note = "picked on calibration records" if i == sweep.picked else ""
        name = Span(f"policy {i}", "name", title=policy_sentence(option), note=note)
        rows.append(Row((name, _how(option), *(cell(getattr(option, c)) for c in COLUMNS)), kind))
    assumed = f" A person: {person_note(sweep.person)}." if sweep.person else ""
    return Table(
        says=f"{_name(sweep)}: {len(sweep.options)} policies on {sweep.n:,} test questions in "
        f"{sweep.n_groups:,} groups. Shown are those that no mixture of two others beats, and the "
        f"one that calibration records pick.{assumed}",
        header=("policy", "what it does", "right", "handed on", *map(label, COLUMNS[2:])),
        rows=tuple(rows),
    )


def _how(option: Option) -> Span:
    return Span(policy_sentence(option).partition(" (assumed")[0], "muted")


def _figure(sweep: Sweep, case: Case, colours: Mapping[str, str], file: str) -> Figure | None:
    rows: list[Datum] = []
    for i, option in enumerate(sweep.options):
        if option.usd_per_1k.value is None or option.accuracy.value is None:
            continue
        picked = i == sweep.picked
        rows.append(
            {
                "kind": "policy" if option.on_hull or picked else "other",
                "system": "picked" if picked else "",
                "colour": PALETTE[2] if picked else QUIET,
                "hull": option.on_hull,
                "size": 120 if picked else 45,
                **figures.ends("x", option.usd_per_1k),
                **figures.ends("y", option.accuracy),
            }
        )
    if not rows:
        return None
    for system in sweep.order:
        cost, right = case.estimate(system, "usd_per_1k"), case.estimate(system, "accuracy")
        if cost.value is not None and right.value is not None:
            rows.append(
                {
                    "kind": "system",
                    "system": f"{system} as shipped",
                    "colour": colours[system],
                    "hull": False,
                    "size": 110,
                    **figures.ends("x", cost),
                    **figures.ends("y", right),
                }
            )
    says = (
        f"Policies of {_name(sweep)} on {case.task}: right against dollars per 1,000 questions, "
        "with 95 % intervals; the dashed line joins those that no mixture of two others beats."
    )
    return Figure(figures.cascade(rows, file=file, says=says))
