"""``assay perf run``: suites of benchmarks, and programs of peers, timed into one dated file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...pages import check_folder, progress, wrong_option
from ..fitting import table
from ..page import Line, Page, Span, Style, faint

if TYPE_CHECKING:
    from ...publish.perf.document import Measurement

FOLDER = Path("perf")
SUITES: tuple[str, ...] = ("all",)
LARGEST = 100_000_000
MOST = 1000


def run(
    *,
    suite: Annotated[tuple[str, ...], Parameter(negative="")] = SUITES,
    out: Path = FOLDER,
    quick: Annotated[bool, Parameter(negative="")] = False,
    sizes: str = "",
    processes: int | None = None,
    peers: Path | None = None,
    page: Path | None = None,
) -> Page:
    """Time suites of benchmarks; the file is new in --out, named by the time of day, and pyperf reads it.

    A benchmark that this machine cannot run is a row that says why.  Exit with 1 where one broke, or a program of peers.

    Args:
        suite: A suite that is installed (stats, front, records, mapper, verify, lm, science), or all;
            may be given several times.
        out: The folder that the file is written to.
        quick: Fewer processes and the smallest sizes: to see that it runs.
        sizes: Sizes for suites that grow, with commas, as 10000,1000000; without it each has its own.
        processes: Processes for each benchmark, 3 or more; long ones get a half or a third of them, and
            3 at least.  Without it 10, with --quick 3.
        peers: A folder of programs that time assay beside its peers (bench, in the repository).
        page: Also write the page of the file, as Markdown, to this file, and a copy of the file beside it.
    """
    from ...publish.perf.document import read
    from ...publish.perf.page import publish
    from ...publish.perf.peers import peers_of
    from ...publish.perf.run import measure
    from ...publish.perf.suites import chosen
    from ...store.outputs import check_output

    check_folder(out)
    if page is not None and page.is_dir():
        raise wrong_option(
            "--page", f"{page} is a folder", f"name a file, as {page / 'RESULTS.md'}"
        )
    if page is not None:
        check_output("--page", page, page.with_suffix(".json"))
    if processes is not None and not 3 <= processes <= MOST:
        raise wrong_option(
            "--processes", f"{processes} are no number of processes", f"give 3 to {MOST}"
        )
    grown = _sizes(sizes)
    names = chosen(suite)
    beside = peers_of(peers) if peers is not None else ()
    words = ["assay perf run", *(f"--suite {name}" for name in suite)]
    words += [f"--sizes {sizes}"] * bool(sizes) + ["--quick"] * quick
    words += [f"--processes {processes}"] * (processes is not None)
    words += [f"--peers {shlex.quote(peers.as_posix())}"] if peers is not None else []
    made = measure(
        names,
        out,
        peers=beside,
        sizes=grown,
        quick=quick,
        processes=processes,
        command=" ".join(words),
        say=progress,
    )
    measured = read(made)
    if page is not None:
        publish(measured, made, page)
    return _page(measured, made, page)


def _sizes(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    words = text.replace("_", "").split(",")
    if not all(word.strip().isdecimal() and 100 <= int(word) <= LARGEST for word in words):
        what = f"{text!r} are no sizes"
        raise wrong_option(
            "--sizes", what, f"give numbers from 100 to {LARGEST:,}, as 10000,100000"
        )
    return tuple(sorted({int(word) for word in words}))


def _page(measured: Measurement, made: Path, page: Path | None) -> Page:
    from ...publish.perf.contest import seconds
    from ...publish.perf.page import lost

    about = measured.assay
    rows: list[tuple[str | Span, ...]] = [("", *map(faint, ("CPU", "from", "to", "wall")))]
    for row in about.rows:
        times = (row.cpu.median, row.cpu.low, row.cpu.high, row.wall.median)
        rows.append((row.name, *map(seconds, times)))
    for gone in about.absent:
        word = Span("broke", Style.BAD) if gone.broke else Span("not measured", Style.UNSURE)
        rows.append((gone.name, word, gone.why))
    lines: list[Line] = [*table(rows)]
    if about.peers:
        many = sum(len(peer.rows) for peer in about.peers)
        lines.append(f"{many} rows beside peers; we lose {lost(measured)} of them.")
        lines += [
            Span(f"{peer.name}: {line}", Style.UNSURE)
            for peer in about.peers
            for line in peer.skipped.splitlines()
        ]
    lines += [
        Span(f"{peer.name} broke: {peer.broke}", Style.BAD) for peer in about.peers if peer.broke
    ]
    broke = any(gone.broke for gone in about.absent) or any(peer.broke for peer in about.peers)
    if about.quick:
        lines.append(Span("A quick look, no measurement: compare nothing with it.", Style.UNSURE))
    lines.append(f"{made}: {len(about.rows)} benchmarks in {about.minutes:g} minutes")
    if page is not None:
        lines.append(f"{page}: the same as a page")
    facts = {
        "file": str(made),
        "page": None if page is None else str(page),
        **about.model_dump(mode="json", include={"when", "minutes", "quick", "rows", "absent"}),
        "peers": {peer.name: len(peer.rows) for peer in about.peers},
    }
    return Page(lines=lines, facts=facts, code=1 if broke else 0)
