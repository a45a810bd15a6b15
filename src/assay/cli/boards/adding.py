"""``assay board add`` and ``assay board withdraw``: what is done to a board, with who did it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..page import Line, Page, columns, faint, strong

if TYPE_CHECKING:
    from ...publish.board.adding import Added, Who


def add(
    run: Path,
    /,
    *,
    board: Path | None = None,
    model: Annotated[list[str] | None, Parameter(negative="")] = None,
    by: str = "",
    action: Literal["test", "publish"] = "test",
    why: str = "",
    commit: str | None = None,
) -> Page:
    """Put a sealed run on a board: its archive, its card and who did it; `assay board build` shows it.

    Every number is computed again from the archive.  The same command twice changes nothing more.

    Args:
        run: A sealed run's folder.
        board: The board's folder, which has models/; without it the current one.
        model: Which system is which model, as MODEL=SYSTEM or MODEL:QUANTISATION=SYSTEM; repeat it. Without it
            systems are known by their files and by the plan.
        by: Who does this; without it your user name.
        action: `publish` once it may stand as published.
        why: A sentence for the history.
        commit: The commit that it is done from.
    """
    from ...publish.board.adding import add as add_run
    from ...publish.board.folder import board_folder

    where = board_folder(board)
    added = add_run(where, run, who=_who(by, why, commit), action=action, given=model or ())
    return _page(where, run, added)


def withdraw(name: str, /, *, board: Path | None = None, why: str, by: str = "") -> Page:
    """Take a model, or one run, off a board; its files and its history stay.

    Args:
        name: A model's id or name, or at least eight digits of a run's seal.
        board: The board's folder, which has models/; without it the current one.
        why: A sentence for the history.
        by: Who does this; without it your user name.
    """
    from ...publish.board.adding import withdraw as withdraw_it
    from ...publish.board.folder import board_folder

    where = board_folder(board)
    what = withdraw_it(where, name, who=_who(by, why, None))
    lines: list[Line] = [f"Withdrawn: {what}.", _then(where)]
    return Page(lines=lines, facts={"board": str(where), "withdrawn": what, "why": why})


def _who(by: str, why: str, commit: str | None) -> Who:
    from ...publish.board.adding import Who

    now = datetime.now(UTC)
    return Who(by=by or _user(), at=f"{now:%Y-%m-%dT%H:%M:%SZ}", why=why, commit=commit)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user id
        return "unknown"


def _page(where: Path, run: Path, added: Added) -> Page:
    card = added.card
    rows = []
    for name, system in sorted(card.systems.items()):
        if system.control:
            continue
        model = system.model or "no submission: a baseline"
        how = {"hand": "as you said", "plan": "by the plan", "digest": "by its files", "": ""}
        rows.append((name, model, system.quantisation or "", faint(how[system.mapped])))
    lines: list[Line] = [
        (strong(f"{card.plan}"), f" of {card.date or 'an unknown day'}, run {card.seal[:16]}"),
        *columns(rows),
        *([added.note[:1].upper() + added.note[1:] + "."] if added.note else []),
        "Wrote",
        *columns([(str(path),) for path in added.files]),
        _then(where),
    ]
    facts = {
        "board": str(where),
        "run": str(run),
        "seal": card.seal,
        "models": {
            name: {"model": s.model, "quantisation": s.quantisation, "mapped": s.mapped}
            for name, s in card.systems.items()
            if s.model is not None
        },
        "files": [str(path) for path in added.files],
        "note": added.note,
    }
    return Page(lines=lines, facts=facts)


def _then(where: Path) -> str:
    return "Show it: assay board build" + ("" if where == Path() else f" --board {where}")
