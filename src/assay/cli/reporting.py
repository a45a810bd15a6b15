"""Write reports: a run's own files, one file somewhere else, or one page over many runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..publish.derive import decision_facts, finding_facts
from ..store.canon import disk_errors, pretty, write_whole
from .failures import usage
from .page import Line, Page, Span, Style, columns, faint, strong
from .summary import decision_lines, finding_lines, run_page

if TYPE_CHECKING:
    from ..publish.run import Run


def report_run(path: Path, baseline: Path | None, output: Path | None) -> Page:
    """Write the report of one run, and return what it says in short.

    A report with a baseline belongs to two runs: it is never put into ``derived/``, which is
    computed from one.
    """
    from ..publish.derive import derive
    from ..publish.run import Run

    run = Run.load(path)
    before = Run.load(baseline) if baseline else None
    if before is not None and output is None:
        output = path.parent / f"{path.resolve().name}-against-{before.path.resolve().name}.html"
    if output is None:
        derive(run, run.dir.derived)
        return run_page(run)
    match output.suffix:
        case ".json":
            data = _data(run, before)
        case ".jsonl":
            data = _log(run, before)
        case _:
            data = _text(run, before, output)
    _write(output, data)
    lines = [*finding_lines(run.results), *decision_lines(run.results), strong(f"Wrote {output}")]
    return Page(lines=lines, facts={"run": str(path), "report": str(output)})


def report_folder(folder: Path, baseline: Path | None, output: Path | None) -> Page:
    """Write one report over every run in or below a folder, and return what each decides.

    It is written into the folder, because it links to the reports of its runs.
    """
    from ..publish.merge import merge

    if baseline is not None:
        raise usage("--baseline is for the report of one run", f"name a run below {folder}")
    if output is not None and output.suffix == ".jsonl":
        raise usage("a folder of runs is not written as a log", f"name a run below {folder}")
    merged = merge(folder)
    runs = [
        {"run": str(run.path), "decision": decision_facts(run.results), "findings": _findings(run)}
        for run in merged.runs
    ]
    broken = [{"run": b.path, "code": b.code, "why": b.why} for b in merged.broken]
    files = [output] if output else [folder / "report.html", folder / "report.md"]
    for file in files:
        match file.suffix:
            case ".json":
                _write(file, pretty({"runs": runs, "broken": broken}))
            case ".html":
                _write(file, merged.html().encode("utf-8", "replace"))
            case _:
                _write(file, merged.markdown().encode("utf-8", "replace"))
    lines: list[Line] = []
    for run in merged.runs:
        lines += [strong(str(run.path)), *decision_lines(run.results), ""]
    lines += [(Span(b.code, Style.BAD), f" {b.path}: {b.why}") for b in merged.broken]
    lines.append(f"Report: {files[0]}")
    return Page(lines=lines, facts={"report": str(files[0]), "runs": runs, "broken": broken})


def report_log(path: Path, baseline: Path | None, output: Path | None) -> Page:
    """Say what a metric log holds; with an output also write its report."""
    from ..publish import log_report
    from ..publish.traces import log_of
    from ..store.metric_log import read_metric_log

    if baseline is not None:
        raise usage("--baseline is for the report of a run", f"{path} is a file: leave it out")
    if output is not None and output.suffix == ".jsonl":
        raise usage("a log is not written as a log again", "name an .html, .md or .json file")
    log = log_of(read_metric_log(path))
    facts = log_report.log_facts(log)
    lines: list[Line] = [f"{log.records:,} records: {', '.join(log.phases)}"]
    rows: list[tuple[str | Span, ...]] = [
        tuple(map(faint, ("metric", "of", "steps", "first", "best", "last")))
    ]
    rows += [(t.metric, t.name, str(len(t.steps)), *log_report.told(t)) for t in log.traces]
    lines += columns(rows) if log.traces else []
    if log.results:
        lines.append(f"{len(log.results):,} results without a step: see them with --output F.html")
    if output is None:
        return Page(lines=lines, facts={"log": str(path), **facts})
    match output.suffix:
        case ".json":
            _write(output, pretty(facts))
        case ".html":
            _write(output, log_report.log_page(log, path.name).encode("utf-8", "replace"))
        case _:
            _write(output, log_report.log_text(log, path.name).encode("utf-8", "replace"))
    lines.append(strong(f"Wrote {output}"))
    return Page(lines=lines, facts={"log": str(path), "report": str(output), **facts})


def _findings(run: Run) -> list[dict[str, Any]]:
    return [finding_facts(finding) for finding in run.results.findings]


def _text(run: Run, baseline: Run | None, output: Path) -> bytes:
    from ..publish.report import Report

    made = Report(run, baseline)
    return (made.html() if output.suffix == ".html" else made.markdown()).encode("utf-8", "replace")


def _log(run: Run, baseline: Run | None) -> bytes:
    from ..publish.compare import compare
    from ..publish.metric_log import change_records, log_bytes, result_records

    records = list(result_records(run.results))
    if baseline is not None:
        records += change_records(run.results, compare(run, baseline))
    return log_bytes(iter(records))


def _data(run: Run, baseline: Run | None) -> bytes:
    from ..publish.derive import data_files, estimate_facts
    from ..publish.report import Report

    files = data_files(run.results)
    facts: dict[str, Any] = {
        name.removesuffix(".json"): json.loads(files[name])
        for name in ("summary.json", "claims.json", "fronts.json", "paired.json")
    }
    facts["sections"] = {s.id: s.facts for s in Report(run).added if s.facts}
    if baseline is not None:
        from ..publish.compare import compare

        found = compare(run, baseline)
        facts["baseline"] = [
            {
                "task": d.task,
                "system": d.system,
                **estimate_facts(d.estimate),
                "p": d.p,
                "p_adjusted": d.adjusted,
            }
            for d in found.diffs
        ]
    return pretty(facts)


def _write(path: Path, data: bytes) -> None:
    with disk_errors(path):
        write_whole(path, data)
