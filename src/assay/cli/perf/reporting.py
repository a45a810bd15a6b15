"""``assay perf report``: a measurement as a page."""

from __future__ import annotations

from pathlib import Path

from ...pages import wrong_option
from ..page import Page


def report(measurement: Path, /, *, out: Path | None = None) -> Page:
    """Write a file of `assay perf run` as a page in Markdown; without --out, print it.

    Args:
        measurement: The file.
        out: The page's file; what was there is replaced.
    """
    from ...publish.perf.document import read
    from ...publish.perf.page import lost, page, write_page
    from ...store.outputs import check_output

    if out is not None and out.is_dir():
        raise wrong_option("--out", f"{out} is a folder", f"name a file, as {out / 'RESULTS.md'}")
    check_output("--out", out)
    measured = read(measurement)
    facts = {
        "file": None if out is None else str(out),
        "benchmarks": len(measured.assay.rows),
        "lost": lost(measured),
    }
    if out is None:
        text = page(measured, measurement.as_posix())
        return Page(lines=text.splitlines(), facts={**facts, "page": text})
    write_page(measured, measurement, out)
    return Page(lines=[f"{out}: {len(measured.assay.rows)} benchmarks"], facts=facts)
