"""A measurement as a page in Markdown: medians with their spread, growth, peers with the rows that we lose."""

from __future__ import annotations

from itertools import pairwise
from math import log
from pathlib import Path

from ...store.canon import write_whole
from ..hostile import safe_markdown
from .contest import seconds, table
from .document import AbsentFacts, Measurement, PeerFacts, RowFacts, Summary

SUITES = """Each figure is the median over processes, with the smallest and the largest, of the seconds of one call;
pyperf calibrates, warms up and times. Every time has a process of its own, in rounds that take each benchmark
once. CPU is user plus system time of the process and of all that it starts; where other work runs beside it, it is the
steadier figure."""

PEERS = """In a round every contender runs once, in turning order; ratios are taken within rounds, and the first
contender is 1. CPU is user plus system time of the process (of its children, for programs). Wall time of what
flushes to disk is the disk's. Rows that assay loses say so."""

HEAD = (
    "benchmark",
    "what one call does",
    "CPU",
    "wall",
    "CPU a thing",
    "processes x values x loops",
)


def page(measured: Measurement, name: str) -> str:
    """Return the page; ``name`` is the file that it is made of."""
    about = measured.assay
    parts = [f"# Results of `{_maker(measured)}`", _when(measured)]
    parts += [f"To repeat: `{about.command}`."]
    parts += [f"This page: `assay perf report {name}`. What the words mean: docs/performance.md."]
    if about.rows or about.absent:
        parts += ["## assay alone", SUITES]
    for suite, facts in about.suites.items():
        rows = [row for row in about.rows if row.name.startswith(f"{suite}/")]
        gone = [row for row in about.absent if row.name.startswith(f"{suite}/")]
        dated = f"{facts.when[:10]}, load average when it began: {facts.load}."
        parts += [f"### {suite}: {safe_markdown(facts.says)}", _table(rows, gone), dated]
        if grown := _growth(rows):
            parts.append(grown)
    if about.peers:
        parts += ["## assay beside its peers", PEERS]
    parts += [text for peer in about.peers for text in _peer(peer)]
    return "\n\n".join(parts) + "\n"


def lost(measured: Measurement) -> int:
    """Return how many rows of peers assay loses, on CPU or wall."""
    return sum(bool(row.lost) for peer in measured.assay.peers for row in peer.rows)


def _maker(measured: Measurement) -> str:
    """Return the command that a page is headed with: all suites beside peers is what the repository has."""
    about = measured.assay
    whole = bool(about.peers) and " --suite all " in f"{about.command} "
    return "make bench" if whole else "assay perf run"


def _when(measured: Measurement) -> str:
    about = measured.assay
    machine = about.machine
    packages = ", ".join(f"{name} {version}" for name, version in about.packages.items())
    quick = " **A quick look, no measurement.**" * about.quick
    text = (
        f"{about.when[:10]}, assay {about.version}, {machine.get('cpus')} x {machine.get('cpu')}, "
        f"{machine.get('os')}, Python {machine.get('python')}; {packages}."
    )
    return safe_markdown(text) + quick


def _table(rows: list[RowFacts], gone: list[AbsentFacts]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for row in rows:
        cells = (
            row.name.partition("/")[2],
            safe_markdown(row.says),
            _spread(row.cpu),
            _spread(row.wall),
            seconds(row.cpu.median / row.n) if row.n > 1 else "",
            f"{row.processes} x {row.values / row.processes:.3g} x {row.loops:,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    for one in gone:
        word = "**broke**" if one.broke else "not measured"
        why = safe_markdown(one.why, 300)
        lines.append(
            f"| {one.name.partition('/')[2]} | {safe_markdown(one.says)} | {word}: {why} | | | |"
        )
    return "\n".join(lines)


def _spread(times: Summary) -> str:
    return f"{seconds(times.median)} [{seconds(times.low)}, {seconds(times.high)}]"


def _growth(rows: list[RowFacts]) -> str:
    """Return how the time of each grows with its size."""
    told = []
    for what in dict.fromkeys(row.of for row in rows if row.of):
        points = sorted((row.n, row.cpu.median) for row in rows if row.of == what)
        steps = [
            f"n^{log(b[1] / a[1]) / log(b[0] / a[0]):.2f} from {a[0]:,} to {b[0]:,}"
            for a, b in pairwise(points)
        ]
        if steps:
            told.append(f"{what} as {', '.join(steps)}")
    return f"CPU grows: {'; '.join(told)}." if told else ""


def _peer(peer: PeerFacts) -> list[str]:
    quick = " (quick)" * peer.quick
    parts = [f"### {peer.name}: {safe_markdown(peer.says)}{quick}"]
    if peer.rows:
        parts.append(table(peer.rows))
    if peer.broke:
        parts.append(f"**broke**: {safe_markdown(peer.broke, 600)}")
    if peer.skipped:
        parts.append(safe_markdown(peer.skipped, 2000))
    where = f", on {safe_markdown(peer.where)}" if peer.where else ""
    took = "" if peer.minutes is None else f", {peer.minutes:g} minutes"
    when = f"{peer.when[:10]}{where}{took}, load average when it began: {peer.load}."
    return [*parts, f"{when} To repeat it alone: `python bench/{peer.name}.py`."]


def write_page(measured: Measurement, source: Path, out: Path) -> None:
    """Write the page, whole or not at all."""
    write_whole(out, page(measured, source.as_posix()).encode())


def publish(measured: Measurement, source: Path, out: Path) -> Path:
    """Write the page, and beside it the file that it is made of, under the page's name; return that file."""
    kept = out.with_suffix(".json")
    write_whole(kept, source.read_bytes())
    write_page(measured, kept, out)
    return kept
