"""The report of a metric log: traces that one can point at, and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from ..store.metric_record import MetricRecord
from . import html, markdown
from .document import Block, Document, Figure, Para, Row, Section, Span, Table
from .drawing import Datum, Drawing, colours, draw, template
from .traces import ENDS, Log, Trace, named

MOST_POINTS = 1200
"""Of one figure; each can be pointed at."""

MOST_TRACES = 24
"""Of one figure: more lines cannot be told apart."""

PHASES = {
    "train": ("While learning", "What was logged without a step."),
    "benchmark_seed": ("Seed by seed", "Values of each seed; intervals are over all of them."),
    "benchmark_summary": ("All seeds", "With 95 % intervals, where they were logged."),
    "benchmark_delta": (
        "Changes since the baseline",
        "Run minus baseline, paired, with 95 % intervals; p after Benjamini-Hochberg.",
    ),
}


def log_document(log: Log, name: str) -> Document:
    """Return the report of a log; ``name`` is that of its file."""
    sections = []
    if log.traces:
        sections += [
            Section("traces", "Traces", tuple(_figures(log))),
            Section("steps", "First, best, last", (_summary(log.traces),)),
        ]
    for i, (phase, records) in enumerate(groupby(log.results, key=lambda r: r.phase)):
        title, says = PHASES[phase]
        sections.append(
            Section(f"results-{i}", title, (_results(list(records), dict(log.shared), says),))
        )
    counted = f"{log.records:,} record{'s' if log.records != 1 else ''}: {', '.join(log.phases)}"
    shared = " · ".join(f"{name} {value}" for name, value in log.shared.items())
    line = (Span(name, "code"), f" · {shared}" if shared else "")
    foot = ("Made by assay from a metric log: its numbers are the log's own.",)
    return Document(title=name, says=counted, line=line, sections=tuple(sections), foot=foot)


def log_page(log: Log, name: str) -> str:
    """Return the report of a log as one self-contained page."""
    return html.render(log_document(log, name))


def log_text(log: Log, name: str) -> str:
    """Return the report of a log as Markdown, without figures."""
    document = log_document(log, name)
    kept = tuple(section for section in document.sections if section.id != "traces")
    return markdown.render(
        Document(title=document.title, says=document.says, line=document.line, sections=kept)
    )


def log_facts(log: Log) -> dict[str, Any]:
    """Return what a log comes to, as plain values."""
    return {
        "records": log.records,
        "phases": list(log.phases),
        "shared": dict(log.shared),
        "traces": [
            {
                "metric": trace.metric,
                "context": dict(trace.context),
                "steps": len(trace.steps),
                "better": trace.better or None,
                "first": _at(trace.points[0]),
                "best": None if trace.best is None else _at(trace.best),
                "lowest": _at(trace.lowest),
                "highest": _at(trace.highest),
                "last": _at(trace.points[-1]),
            }
            for trace in log.traces
        ],
        "results": [
            {"phase": r.phase, "context": dict(r.context), "metrics": dict(r.metrics)}
            for r in log.results
        ],
    }


def told(trace: Trace) -> tuple[str, str, str]:
    """Return first, best and last of a trace in words."""
    (start, first), (end, last) = trace.points[0], trace.points[-1]
    if trace.best is not None:
        step, value = trace.best
        best = f"{value:.4g} at {step}"
    else:
        (low, least), (high, most) = trace.lowest, trace.highest
        best = f"lowest {least:.4g} at {low}, highest {most:.4g} at {high}"
    return f"{first:.4g} at {start}", best, f"{last:.4g} at {end}"


def _at(point: tuple[int, float]) -> dict[str, float]:
    return {"step": point[0], "value": point[1]}


def _figures(log: Log) -> Iterator[Block]:
    drawn: list[Drawing] = []
    left_out = 0
    for i, (metric, group) in enumerate(groupby(log.traces, key=lambda t: t.metric)):
        traces = list(group)
        left_out = max(left_out, len(traces) - MOST_TRACES)
        drawn.append(_figure(i, metric, traces[:MOST_TRACES]))
    yield Para("Point at a mark to see what it stands for. A ring is the best step.", "note")
    if left_out > 0:
        yield Para(f"Drawn are the first {MOST_TRACES}; the table has all.", "note")
    yield from map(Figure, drawn)


def _figure(place: int, metric: str, traces: Sequence[Trace]) -> Drawing:
    colour = colours([trace.name for trace in traces])
    share = max(2, MOST_POINTS // len(traces))
    rows: list[Datum] = []
    best: list[Datum] = []
    ends: list[Datum] = []
    for trace in traces:
        thin = -(-len(trace.steps) // share)
        kept = sorted({*trace.points[::thin], trace.points[-1], trace.lowest, trace.highest})
        row = {"name": trace.name, "colour": colour[trace.name]}
        rows += [{**row, **_mark(trace, point)} for point in kept]
        if trace.best is not None:
            best.append({**row, **_mark(trace, trace.best, "best: ")})
        ends.append({**row, **_mark(trace, trace.points[-1])})
    values = [row["value"] for row in rows]
    steep = min(values) > 0 and max(values) > 100 * min(values)
    spec = template("traces")
    spec["encoding"]["y"]["title"] = f"{metric} (logarithmic)" if steep else metric
    spec["encoding"]["y"]["scale"] = {"type": "log"} if steep else {"zero": False}
    few = len(traces) <= 6 and len(traces) > 1
    _apart(ends, min(values), max(values))
    skipped = sum(len(trace.steps) for trace in traces) - len(rows)
    says = f"{metric}, step by step" + (f"; {skipped:,} steps are not drawn" if skipped else "")
    return draw(
        spec,
        {"rows": rows, "best": best, "ends": ends if few and not steep else []},
        file=f"figures/trace-{place}.svg",
        says=f"{says}.",
    )


def _mark(trace: Trace, point: tuple[int, float], what: str = "") -> Datum:
    step, value = point
    tip = f"{what}{trace.name}, step {step}: {trace.metric} {value:.6g}"
    return {"step": step, "value": value, "tip": tip}


def _apart(ends: list[Datum], low: float, high: float) -> None:
    """Set ``dy`` of each label, in pixels, so that no two stand at one height."""
    # Halves: the difference of two numbers may be none.  From the top: beyond 2**53 a pixel more is none.
    span = high / 2 - low / 2
    taken: list[float] = []
    for row in sorted(ends, key=lambda r: -r["value"]):
        here = want = 260.0 * ((high / 2 - row["value"] / 2) / span if span else 0.0)
        while any(abs(want - other) < 14 for other in taken):
            want += 1
        taken.append(want)
        row["dy"] = round(want - here)


def _summary(traces: Sequence[Trace]) -> Table:
    rows = []
    for metric, group in groupby(traces, key=lambda t: t.metric):
        rows.append(Row((metric,), "group"))
        for trace in group:
            first, best, last = told(trace)
            rows.append(Row((Span(trace.name, "name"), str(len(trace.steps)), first, best, last)))
    return Table(
        says="Each metric of each context, with the step at which it was so.",
        header=("of", "steps", "first", "best", "last"),
        rows=tuple(rows),
    )


def _results(records: Sequence[MetricRecord], shared: dict[str, Any], says: str) -> Table:
    names = dict.fromkeys(n for r in records for n in r.metrics if not _belongs(n, r.metrics))
    rows = [
        Row((Span(named(r.context, shared), "name"), *(_cell(r, name) for name in names)))
        for r in records
    ]
    return Table(says=says, header=("of", *names), rows=tuple(rows))


def _belongs(name: str, metrics: Any) -> bool:
    of, _, end = name.rpartition("/")
    return end in ENDS and of in metrics


def _cell(record: MetricRecord, name: str) -> Span:
    if name not in record.metrics:
        return Span("", "muted")
    value = record.metrics[name]
    if value is None:
        return Span("not measured", "missing")
    low, high, n, p = (record.metrics.get(f"{name}/{end}") for end in ENDS)
    notes = [f"[{low:.4g}, {high:.4g}]"] if low is not None and high is not None else []
    notes += [f"n={n:,}"] if n is not None else []
    notes += [f"p={p:.3g}"] if p is not None else []
    return Span(f"{value:.4g}", "cell", note=" ".join(notes))
