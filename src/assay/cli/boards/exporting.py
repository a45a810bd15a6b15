"""``assay board export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..failures import usage
from ..page import Line, Page, Span, Style


def export(
    model: str,
    /,
    *,
    to: Literal["eee", "eval-results", "card", "badge"],
    out: Path,
    row: str | None = None,
    benchmark: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    url: str | None = None,
    board: Path | None = None,
) -> Page:
    """Write what was measured of a model for other places; reported numbers are never written.

    Args:
        model: The model's id on the board.
        to: eee: records of Every Eval Ever; eval-results: Hugging Face's .eval_results; card: a section
            for the model card; badge: an SVG per row.
        out: A new folder.
        row: Only this row of the board.
        benchmark: For eval-results: which benchmark a task of the board is, as
            TASK=ORG/DATASET#TASK_ID; may be repeated.
        url: For eval-results: where readers find the board.
        board: The board's folder; without it the current one.
    """
    from ...publish.board.building import document
    from ...publish.board.eval_results import parse_benchmark
    from ...publish.board.exporting import Form, Wanted, export_model
    from ...publish.board.folder import board_folder
    from ...store.outputs import check_output

    form = Form(to)
    if form is Form.EVAL_RESULTS and not benchmark:
        hint = "name one with --benchmark, as gsm8k=openai/gsm8k#gsm8k"
        raise usage("a value of .eval_results belongs to a benchmark on the Hub", hint)
    if form is not Form.EVAL_RESULTS and (benchmark or url):
        raise usage("--benchmark and --url are for eval-results", "leave them out")
    if url is not None and not url.startswith(("https://", "http://")):
        raise usage(f"--url {url!r} is no address", "write it with https://")
    check_output("--out", out)
    folder = board_folder(board)
    wanted = Wanted(
        model=model,
        form=form,
        row=row,
        benchmarks=tuple(parse_benchmark(word) for word in benchmark),
        url=url,
    )
    found = export_model(document(folder), wanted, out, board=folder)
    lines: list[Line] = [str(file) for file in found.files]
    lines += [Span(f"{note}.", Style.UNSURE) for note in found.notes]
    facts = {"files": [str(file) for file in found.files], "notes": list(found.notes)}
    return Page(lines=lines, facts=facts)
