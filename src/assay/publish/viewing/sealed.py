"""What a page shows of a sealed run: computed from its records, or as its derived files have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ..document import Block, Para, Row, Section, Span, Table, cell, heading
from ..findings import decision, findings
from ..run import Run

NUMBERS = ("coverage", "risk", "usd_per_1k", "latency_p50")
TIMED = ("usd_per_1k", "latency_p50")
COMPUTED = "Computed here from the sealed records."
STORED = "As derived/summary.json has it; nothing here has computed it again."


def sections_of(run: Run) -> tuple[Section, ...]:
    """Return decision, findings and systems of a run, as its records say."""
    results = run.results
    blocks: list[Block] = [_systems(run, task) for task in results.cases]
    made = (
        decision(results),
        findings(run),
        Section("systems", "Systems", (Para(COMPUTED, "note"), *blocks)),
    )
    return tuple(_led(section, run.path.name, list(results.cases)) for section in made)


def _led(thing: Any, name: str, tasks: Sequence[str]) -> Any:
    """Return parts of a report with links to samples of its own page as links to the page of samples."""
    if isinstance(thing, tuple):
        return tuple(_led(one, name, tasks) for one in thing)
    if isinstance(thing, Span) and thing.href.startswith("#samples?"):
        wanted = dict(parse_qsl(thing.href.partition("?")[2]))
        task = tasks[int(wanted.pop("task", "0"))]
        known = {key: wanted[key] for key in ("outcome", "tag", "against") if key in wanted}
        return replace(thing, href=samples_link(name, task, wanted.get("system", ""), **known))
    if is_dataclass(thing) and not isinstance(thing, type):
        parts = {f.name: getattr(thing, f.name) for f in fields(thing) if f.init}
        return replace(thing, **{key: _led(part, name, tasks) for key, part in parts.items()})
    return thing


def _systems(run: Run, task: str) -> Table:
    case = run.results.cases[task]
    names = [next(iter(case.metrics)), *(m for m in NUMBERS if m in (*case.metrics, *TIMED))]
    shown = [m for m in dict.fromkeys(names) if m not in TIMED or case.timed]
    planned = [s.name for s in run.loaded.plan.systems]
    order = [*planned, *(s for s in case.tables if s not in planned)]
    rows = []
    for system in (s for s in order if s in case.tables):
        control = system in case.controls
        numbers = [
            cell(case.estimate(system, m))
            if m not in TIMED or system in case.timed
            else Span("-", "quiet")
            for m in shown
        ]
        name = Span(system, "name", samples_link(run.path.name, task, system))
        rows.append(Row((name, *numbers), "control" if control else ""))
    return Table(
        says=f"Systems on {task}; a name leads to what it said.  Intervals of 95 %.",
        header=("system", *(heading(case.metrics.get(m), m) for m in shown)),
        rows=tuple(rows),
    )


def stored_sections(summary: Any, claims: Any) -> tuple[Section, ...]:
    """Return what derived files say of a run, whatever they hold: nobody has checked them."""
    says = summary.get("says") if isinstance(summary, dict) else None
    lines = [Para(line) for line in str(says or "There is no derived summary.").splitlines()]
    made = [Section("decision", "Decision", (*lines, Para(STORED, "note")))]
    rows = [
        Row(
            (
                Span(str(one.get("status")), str(one.get("status"))),
                str(one.get("says")),
                _number(one.get("estimate")),
            )
        )
        for one in (claims if isinstance(claims, list) else [])
        if isinstance(one, dict)
    ]
    if rows:
        header = ("status", "claim", "found")
        table = Table(says="Claims of the plan.", header=header, rows=tuple(rows))
        made.append(Section("findings", "Findings", (table, Para(STORED, "note"))))
    return tuple(made)


def _number(estimate: Any) -> str:
    if not isinstance(estimate, dict):
        return "-"
    value, low, high = (_float(estimate.get(key)) for key in ("value", "low", "high"))
    if value is None:
        return "-"
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} [{low:.4g}, {high:.4g}]"


def _float(said: Any) -> float | None:
    """Return a number that a float can be; JSON's whole numbers may have any number of digits."""
    try:
        return float(said) if isinstance(said, int | float) else None
    except OverflowError:
        return None


def run_link(name: str, *more: str) -> str:
    """Return the address of a run's page.

    >>> run_link("a b", "report")
    '/run/a%20b/report'
    """
    return "/".join(("/run", quote(name, safe="", errors="surrogateescape"), *more))


def samples_link(name: str, task: str, system: str = "", **wanted: str | int) -> str:
    """Return the address of samples.

    >>> samples_link("r", "t", "s", outcome="wrong")
    '/run/r/samples?task=t&system=s&outcome=wrong'
    """
    query: Mapping[str, str | int] = {"task": task, "system": system, **wanted}
    given = {key: value for key, value in query.items() if value}
    return f"{run_link(name, 'samples')}?{urlencode(given, errors='replace')}"
