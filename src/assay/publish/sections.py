"""The sections of a report that speak of one task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..analysis.case import Case
from ..analysis.volume import break_evens
from ..core.metric import Ratio
from ..store.manifest import Manifest
from . import browser, cascades, classes, drawing, figures, promises, reliability, risk, tradeoffs
from .document import (
    Block,
    Figure,
    Fold,
    Inline,
    Items,
    Para,
    Row,
    Section,
    Span,
    Table,
    cell,
    heading,
)
from .findings import prices_note
from .phrases import cut_notes
from .results import Results
from .stopped import left_out
from .words import Scale, label, number, spell

UNIT = (0.0, 1.0)
PAID = ("usd_per_1k", "usd_per_correct")
WAITED = ("latency_mean", "latency_p50", "latency_p95", "determinism")


@dataclass(frozen=True, slots=True)
class Look:
    """One task of a run, and where its figures go."""

    results: Results
    case: Case
    index: int
    """The task's place in the run, which addresses its samples on the page."""

    seen: Mapping[str, browser.Seen]
    folder: str
    """``figures``, or with several tasks ``figures/<task>``."""

    @property
    def manifest(self) -> Manifest:
        """What ran."""
        return self.results.manifest

    @property
    def ship(self) -> str | None:
        """The system that the decision names."""
        return self.results.decisions[self.case.task].system

    @property
    def colours(self) -> dict[str, str]:
        """One colour per system under test, quiet ones for controls."""
        quiet = dict.fromkeys(self.case.controls, drawing.QUIET)
        return drawing.colours(self.rivals) | quiet

    @property
    def systems(self) -> list[str]:
        """Every system in the plan's order, controls last."""
        return list(self.seen)

    @property
    def rivals(self) -> list[str]:
        """The systems under test, in the plan's order."""
        return [s for s in self.systems if s not in self.case.controls]

    def figure(self, name: str) -> str:
        """Return the file of a figure."""
        return f"{self.folder}/{name}.svg"


def sections(look: Look) -> list[Section]:
    """Return the sections of one task, in the order in which they are read."""
    made = [
        ("systems", "Systems", systems(look)),
        ("front", "Accuracy and cost", fronts(look)),
        ("risk", "Risk and coverage", risk_and_coverage(look)),
        ("cascades", "Asked in turn", cascades_of(look)),
        ("classes", "Class by class", class_by_class(look)),
        ("cost", "Cost and latency", cost(look)),
        ("thresholds", "Thresholds", promises.thresholds(look.case, look.index)),
    ]
    tail = f"-{look.index}" if look.index else ""
    return [Section(f"{name}{tail}", title, blocks) for name, title, blocks in made if blocks]


def systems(look: Look) -> tuple[Block, ...]:
    """Return every system on every metric, controls set apart, and what came of the replies."""
    case, flags = look.case, look.results.flags
    rows: list[Row] = []
    for system in look.systems:
        control = system in case.controls
        if control and (not rows or rows[-1].kind != "control"):
            rows.append(Row(("Controls: they know nothing of the task",), "group"))
        cells = (
            cell(
                case.estimate(system, name),
                href=browser.behind(look.index, system, name),
                flag=f"{c} does as well" if (c := flags.get((case.task, system, name))) else "",
            )
            for name in case.metrics
        )
        kind = "control" if control else "chosen" if system == look.ship else ""
        rows.append(Row((_named(look, system), *cells), kind))
    some = case.tables[look.systems[0]]
    table = Table(
        says=f"{len(some.samples):,} test questions in {some.n_groups:,} groups. Intervals are "
        "two-sided 95 % over questions of this kind, seeds pooled; what never or always happened "
        "has a one-sided 95 % bound instead. A flag names a control that does as well.",
        header=("system", *(heading(m, n) for n, m in case.metrics.items())),
        rows=tuple(rows),
    )
    caveats = look.manifest.tasks[case.task].caveats
    cut = cut_notes(look.results.cases, case.task)
    said = [Para(one, "warning") for one in (*caveats, *cut)]
    replies = browser.outcomes(case, look.seen, look.index)
    return (
        *said,
        table,
        *_summary(look),
        Fold("What came of the replies, system by system", (replies,)),
        Fold("Seed by seed", tuple(_per_seed(look))),
    )


def _named(look: Look, system: str) -> Inline:
    facts = look.manifest.systems[system]
    seeds = len(facts.seeds)
    note = f"{facts.origin.value}, {seeds} {'seeds' if seeds > 1 else 'seed'}"
    return Span(system, "name", title=f"{facts.use} {facts.digest[:19]}", note=note)


def _summary(look: Look) -> Iterator[Block]:
    shares = [n for n, m in look.case.metrics.items() if m.bounds == UNIT][:6]
    rows = [
        {"system": s, "metric": label(n), "colour": look.colours[s], "value": e.value,
         "low": e.value if e.low is None else e.low, "high": e.value if e.high is None else e.high,
         "tip": f"{s}: {label(n)} {number(e)}"}
        for n in shares
        for s in look.systems
        if (e := look.case.estimate(s, n)).value is not None
    ]  # fmt: skip
    if not rows:
        yield Para("No metric of this task is a share: there is no summary figure.", "note")
        return
    says = f"Shares of every system on {look.case.task}, with 95 % intervals; controls in grey."
    yield Figure(figures.summary(rows, file=look.figure("metric_summary"), says=says))


def _per_seed(look: Look) -> Iterator[Block]:
    case = look.case
    rows = []
    for name in list(case.metrics)[:3]:
        metric = case.metrics[name]
        for system in look.systems:
            table = case.tables[system]
            if not isinstance(metric.form, Ratio) or len(table.seeds) < 2:
                continue
            above, below = (term.sum(axis=1) for term in table.terms(metric))
            rows += [
                {"system": system, "metric": label(name), "colour": look.colours[system],
                 "value": float(a / b), "kind": "seed"}
                for a, b in zip(above, below, strict=True)
                if b
            ]  # fmt: skip
            if (mean := case.estimate(system, name).value) is not None:
                rows.append({**rows[-1], "value": mean, "kind": "all"})
    if not rows:
        yield Para("No system ran with more than one seed: nothing is drawn per seed.", "note")
        return
    says = f"Each seed of each seeded system on {case.task} (dots), and all of them pooled (line)."
    file = look.figure("per_seed_metric_distributions")
    yield Figure(figures.per_seed(rows, file=file, says=says))


def fronts(look: Look) -> tuple[Block, ...]:
    """Return every front of the task: the first one drawn, all as tables."""
    made = [f for f in look.results.fronts if f.task == look.case.task and f.points]
    if look.results.stopping is not None:
        return (left_out("Fronts"),)
    if not made:
        named = look.results.loaded.plan.fronts
        why = "No system was timed. " if named else "The plan names no front. "
        return (Para((why, Span("assay front RUN", "code"), " draws one."), "note"),)
    place = tradeoffs.Place(
        index=look.index, colours=look.colours, ship=look.ship, file=look.figure("front")
    )
    blocks = tradeoffs.accuracy_and_cost(look.case, made, place)
    if any(name.startswith("usd") for f in made for name, _ in f.objectives):
        blocks.append(prices_note(look.results))
    return tuple(blocks)


def risk_and_coverage(look: Look) -> tuple[Block, ...]:
    """Return how wrong each system is when it only answers what it is sure of."""
    if look.results.stopping is not None:
        return (left_out("Risk against coverage, and what confidences are worth"),)
    file = look.figure("risk_coverage")
    diagram = look.figure("reliability")
    return (
        *risk.curves(look.case, look.rivals, look.colours, ship=look.ship, file=file),
        *reliability.reliability(look.case, look.rivals, look.colours, file=diagram),
    )


def cascades_of(look: Look) -> tuple[Block, ...]:
    """Return what policies over several systems would have answered and cost."""
    return cascades.cascades(look.results, look.case, look.colours, file=look.figure)


def class_by_class(look: Look) -> tuple[Block, ...]:
    """Return precision, recall and confusions where answers come from a closed set."""
    if not look.manifest.tasks[look.case.task].redistributable:
        return (Para("The right answers are not kept: nothing is counted by class.", "note"),)
    if look.results.stopping is not None:
        return (left_out("Precision and recall of each class"),)
    samples = look.results.samples[look.case.task]
    return classes.classes(look.case, look.index, samples, look.seen, look.ship)


def cost(look: Look) -> tuple[Block, ...]:
    """Return dollars, latency and determinism, from the serial pass."""
    case, prices = look.case, look.results.prices
    if not case.timed:
        return (Para("Not measured: this run has no serial pass.", "note"),)
    base = look.ship if look.ship in case.timed else None
    paid, waited = [], []
    for system in look.rivals:
        kind = "chosen" if system == look.ship else ""
        named = Span(system, "name")
        waited.append(Row((named, *(cell(case.estimate(system, n)) for n in WAITED)), kind))
        cells = [cell(case.estimate(system, name)) for name in PAID]
        if (dollars := case.estimate(system, "usd_per_1k").value) is not None:
            low, high = (spell(dollars * f, Scale.USD) for f in (prices.low, prices.high))
            span = f"{low} to {high} at {prices.low:g} to {prices.high:g} times the prices"
            cells[0] = replace(cells[0], note=f"{cells[0].note}; {span}")
        if base and system != base:
            ratio = case.compare(system, base, "usd_per_1k")
            cells.append(cell(ratio, scale=Scale.TIMES))
        elif base:
            cells.append(Span("the one shipped", "muted"))
        paid.append(Row((named, *cells), kind))
    timing = look.results.loaded.plan.timing
    head = [heading(case.metric(PAID[0]), PAID[0]), heading(None, PAID[1])]
    head += [Span(f"cost against {base}")] if base else []
    dollars_table = Table(
        says="Dollars of the seconds and tokens that were measured, at the prices below.",
        header=("system", *head),
        rows=tuple(paid),
    )
    waits_table = Table(
        says="Measured one question at a time with nothing beside it, systems in turn; processes: "
        f"{timing.processes}, time blocks in each: {timing.blocks}. With fewer than 20 blocks or "
        "three processes a number describes these questions only. Controls are not timed.",
        header=("system", *(heading(None, name) for name in WAITED)),
        rows=tuple(waited),
    )
    even = break_evens(case, prices)
    volume = (
        (Items(tuple(f"{one.says[0].upper()}{one.says[1:]}." for one in even)),) if even else ()
    )
    return (dollars_table, *volume, prices_note(look.results), waits_table)
