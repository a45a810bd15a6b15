"""``assay report`` of a bundle: its run is found, and its operating points are said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..store.canon import disk_errors, pretty, write_whole
from .failures import usage
from .page import Line, Page, Span, faint, strong

if TYPE_CHECKING:
    from ..publish.bundle_report import BundleReport


def report_bundle(folder: Path, among: Path | None, output: Path | None) -> Page:
    """Find the run of a bundle, and say what it ships; with an output also write that."""
    from ..publish import html, markdown
    from ..publish.bundle import find_run, read_bundle
    from ..publish.bundle_report import BundleReport
    from ..publish.run import Run

    if output is not None and output.suffix == ".jsonl":
        raise usage("a bundle is not written as a log", "name an .html, .md or .json file")
    bundle = read_bundle(folder)
    report = BundleReport(
        folder=folder, bundle=bundle, run=Run.load(find_run(folder, bundle, among))
    )
    lines = _lines(report)
    if output is None:
        return Page(lines=lines, facts=report.facts)
    match output.suffix:
        case ".json":
            data = pretty(report.facts)
        case ".html":
            data = html.render(report.document).encode("utf-8", "replace")
        case _:
            data = markdown.render(report.document).encode("utf-8", "replace")
    with disk_errors(output):
        write_whole(output, data)
    lines.append(strong(f"Wrote {output}"))
    return Page(lines=lines, facts={**report.facts, "report": str(output)})


def _lines(report: BundleReport) -> list[Line]:
    from ..publish.words import number
    from .fitting import table

    origin = report.bundle.origin
    points = list(report.points)
    rows: list[tuple[str | Span, ...]] = [
        tuple(
            map(
                faint,
                ("", "chosen for", "threshold", *(e.metric for e in points[0].estimates), "claims"),
            )
        )
    ]
    for point in points:
        name = strong(f"{point.system} (bundled)") if point.bundled else Span(point.system)
        shown = "" if point.threshold is None else f"{point.threshold:.6g}"
        claims = ", ".join(f"{claim} {status}" for claim, status in point.claims)
        rows.append((name, point.says, shown, *map(number, point.estimates), claims))
    return [
        (strong(f"{origin.system}, seed {origin.seed}"), f", on {origin.task}, of {origin.run}"),
        f"Run: {report.run.path} (sealed as {origin.seal[:19]}; files of the bundle are intact)",
        "",
        *table(rows),
        "",
        faint(f"Thresholds are those of seed {origin.seed}; numbers are of all seeds, on test."),
    ]
