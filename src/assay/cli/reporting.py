"""Write reports: a run's own files, one file somewhere else, or one page over many runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..publish.derive import decision_facts
from .failures import usage
from .page import Line, Page, strong
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
    data = _data(run, before) if output.suffix == ".json" else _text(run, before, output)
    _write(output, data)
    lines = [*finding_lines(run.results), *decision_lines(run.results), strong(f"Wrote {output}")]
    return Page(lines=lines, facts={"run": str(path), "report": str(output)})


def report_folder(folder: Path, baseline: Path | None, output: Path | None) -> Page:
    """Say what every sealed run in a folder decides."""
    from ..publish.run import Run

    if baseline is not None or output is not None:
        raise usage(
            f"{folder} holds many runs; --baseline and --output are for one", "name one of the runs"
        )
    lines: list[Line] = []
    facts: dict[str, Any] = {"runs": []}
    for seal in sorted(folder.glob("*/SEAL")):
        run = Run.load(seal.parent)
        lines += [strong(str(run.path)), *finding_lines(run.results)]
        lines += [*decision_lines(run.results), ""]
        facts["runs"].append({"run": str(run.path), "decision": decision_facts(run.results)})
    return Page(lines=lines[:-1], facts=facts)


def _text(run: Run, baseline: Run | None, output: Path) -> bytes:
    from ..publish.report import Report

    made = Report(run, baseline)
    return (made.html() if output.suffix == ".html" else made.markdown()).encode("utf-8", "replace")


def _data(run: Run, baseline: Run | None) -> bytes:
    from ..publish.derive import data_files, estimate_facts
    from ..store.canon import pretty

    files = data_files(run.results)
    facts: dict[str, Any] = {
        name.removesuffix(".json"): json.loads(files[name])
        for name in ("summary.json", "claims.json", "fronts.json", "paired.json")
    }
    if baseline is not None:
        from ..publish.compare import compare

        found = compare(run, baseline)
        facts["baseline"] = [
            {
                "task": d.task,
                "system": d.system,
                **estimate_facts(d.estimate),
                "p": d.p,
                "p_holm": d.adjusted,
            }
            for d in found.diffs
        ]
    return pretty(facts)


def _write(path: Path, data: bytes) -> None:
    from ..store.canon import write_whole

    write_whole(path, data)
