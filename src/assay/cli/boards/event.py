"""``assay board event``: what a workflow does when somebody comments on a pull request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...publish.board.chatops.bench import Stage
from ..page import Line, Page, Span, Style

if TYPE_CHECKING:
    from ...publish.board.chatops.bench import Done


def event(
    *,
    payload: Annotated[Path, Parameter(name="--payload")],
    stage: Annotated[Stage, Parameter(name="--stage")],
    board: Path | None = None,
    out: Path = Path("board-event"),
    artifact: Path | None = None,
) -> Page:
    """Do one stage of a command on a pull request, as the workflows in .github/workflows do.

    Reads GITHUB_API_URL, GITHUB_TOKEN, GITHUB_RUN_ID and what else a runner sets.  Exit status 1 where
    the stage says no; why stands on the pull request.

    Args:
        payload: The file with the event, as GitHub sent it ($GITHUB_EVENT_PATH).
        stage: validate, comment, gate, evaluate, recheck, report or push.
        board: A checkout of the default branch; the submission is written into it.
        out: The folder for what the stage writes.
        artifact: The folder with what earlier jobs left, for evaluate and recheck.
    """
    import os

    from ...publish.board.chatops.bench import Bench
    from ...publish.board.chatops.stages import STAGES
    from ...publish.board.chatops.surroundings import Surroundings
    from ...publish.board.folder import board_folder
    from ...store.outputs import check_output

    check_output("--out", out)
    bench = Bench(
        payload=payload,
        board=board_folder(board),
        out=out,
        artifact=artifact,
        around=Surroundings.read(os.environ),
    )
    return _page(STAGES[stage](bench), out)


def _page(done: Done, out: Path) -> Page:
    word = "go on" if done.go else "nothing to do" if done.quiet else f"refused: {done.reason}"
    style = Style.GOOD if done.go else Style.UNSURE if done.quiet else Style.BAD
    lines: list[Line] = [Span(f"{done.stage}: {word}", style), *done.says.splitlines()]
    facts = {
        "stage": done.stage,
        "go": done.go,
        "reason": done.reason,
        "says": done.says,
        "out": str(out),
        **done.facts,
    }
    return Page(lines=lines, facts=facts, code=0 if done.go or done.quiet else 1)
