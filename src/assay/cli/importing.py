"""``assay import`` and ``assay export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .failures import usage
from .page import Line, Page, Span, Style
from .running import Sets

if TYPE_CHECKING:
    from ..publish.interop.take import Taken

Names = Annotated[tuple[str, ...], Parameter(negative="")]


def take(
    format: str,
    path: Path,
    /,
    *,
    out: Path | None = None,
    plan: Path | None = None,
    task: Names = (),
    system: Names = (),
    control: Names = (),
    sets: Sets = (),
) -> Page:
    """Make a sealed run of another tool's log, so that compare, front, gate and report read it.

    Nobody is asked anything: every number of the run is *reported*, and says so.

    Args:
        format: csv, lm-eval, inspect, promptfoo, helm, eee, or one that a plugin reads.
        path: The log: a file, or for most formats a folder.
        out: The run's folder.  Without it a new one under ./runs.
        plan: Claims, fronts, ship, prices, name and says, as in a plan; the rest is in the log.
        task: Take only this task of the log; may be repeated.
        system: Take only this system; may be repeated.
        control: A system of the log that knows nothing of the task; may be repeated.
        sets: An option of the format, as key=value; may be repeated.  See docs/import.md.
    """
    from ..engine.foreign import open_log
    from ..publish.interop.settings import Choice, read_settings
    from ..publish.interop.take import take_in
    from ..store.outputs import check_output

    check_output("--out", out)
    if out is not None and out.exists() and not out.is_dir():
        raise usage(f"--out {out} is a file", "name a folder; it need not exist yet")
    choice = Choice(
        tasks=frozenset(task),
        systems=frozenset(system),
        controls=frozenset(control),
        settings=read_settings(plan),
    )
    log = open_log(format, path, _options(sets))
    return _page(take_in(log, path, out=out, choice=choice))


def export(
    format: str, run: Path, /, *, out: Path, system: Names = (), developer: str = "unknown"
) -> Page:
    """Write a run for other tools.

    Args:
        format: eee: Every Eval Ever, an aggregate and one line per reply for every system.
        run: A run's folder.
        out: A new folder.
        system: Write only this system; may be repeated.
        developer: Who made the models, for those whose name does not say it.
    """
    from ..publish.interop.export import export_eee
    from ..publish.phrases import digests_only
    from ..publish.run import Run
    from ..store.outputs import check_output

    check_output("--out", out)
    if format != "eee":
        raise usage(f"there is no format {format!r} to export to", "write eee")
    loaded = Run.load(run)
    files = export_eee(loaded, out, systems=system, developer=developer)
    lines: list[Line] = [f"{file}" for file in files]
    lines.append(f"{len(files)} files; their scores are what the records compute to.")
    note = digests_only(loaded.manifest)
    if note:
        said = "Their inputs and right answers stand there as digests, marked `assay.digest`."
        lines.append(Span(f"{note} {said}", Style.UNSURE))
    facts = {"run": str(run), "files": [str(file) for file in files], "digests_only": bool(note)}
    return Page(lines=lines, facts=facts)


def _options(sets: tuple[str, ...]) -> dict[str, Any]:
    from ..engine.document import parse_document

    found = {}
    for word in sets:
        key, sign, text = word.partition("=")
        if not sign or not key:
            raise usage(f"--set needs key=value, not {word!r}", "for example --set metric=acc_norm")
        found[key] = parse_document(text, Path(f"--set {key}")).value if text.strip() else text
    return found


def _page(taken: Taken) -> Page:
    from .summary import run_page

    page = run_page(taken.run)
    lines: list[Line] = [Span(note, Style.UNSURE) for note in taken.notes]
    if taken.published:
        lines.append(
            f"{taken.published} numbers have no records: they are shown, and nothing else."
        )
    if lines:
        lines.append("")
    facts = {**page.facts, "notes": list(taken.notes), "published": taken.published}
    return Page(lines=[*lines, *page.lines], facts=facts)
