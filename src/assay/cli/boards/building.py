"""``assay board build``, ``serve`` and ``verify``: the page of a board."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt

from ..page import Line, Page, Span, Style, columns, faint


def build(*, board: Path | None = None, out: Path | None = None) -> Page:
    """Write the registry and the data of the page; equal files give equal bytes.

    Args:
        board: The board's folder, which has models/; without it the current one.
        out: Where the page is; without it site/ of the board.
    """
    from ...publish.board.building import build as build_board
    from ...publish.board.folder import board_folder
    from ...publish.board.home import Board
    from ...store.outputs import check_output

    check_output("--out", out)
    where = board_folder(board)
    with Board(where).writing():
        built = build_board(where, site=out)
    made = built.document
    rows = [(c["id"], f"{len(c['rows'])} rows", c["hardware"]["says"]) for c in made["cohorts"]]
    states = [m["state"] for m in made["models"]]
    words = ("published", "tested", "pending", "withdrawn")
    told = [f"{n} {word}" for word in words if (n := states.count(word))] or ["none yet"]
    quoted = len(made["reported"])
    lines: list[Line] = [
        f"Models: {', '.join(told)}" + (f"; reported tables: {quoted}" if quoted else ""),
        *columns(rows),
        *([f"An older registry is kept as {built.kept}"] if built.kept else []),
        f"Wrote {len(built.files)} files: {built.files[0]}, {built.files[1]} and what stands beside it",
        "Look at it: assay board serve" + ("" if where == Path() else f" --board {where}"),
    ]
    facts = {
        "board": str(where),
        "files": [str(path) for path in built.files],
        "kept": None if built.kept is None else str(built.kept),
        "models": {m["id"]: m["state"] for m in made["models"]},
        "cohorts": {c["id"]: len(c["rows"]) for c in made["cohorts"]},
        "registry": made["built"]["registry"],
    }
    return Page(lines=lines, facts=facts)


def serve(
    *,
    board: Path | None = None,
    port: Annotated[NonNegativeInt, Parameter(name="--port")] = 8000,
) -> Page:
    """Show the built page to this machine alone, until you press Ctrl-C.

    Args:
        board: The board's folder, which has models/; without it the current one.
        port: 0 takes a free one.
    """
    from ...publish.board.folder import board_folder
    from ...publish.board.home import Board
    from ...publish.board.serving import make_server

    if port > 65_535:
        from ..failures import usage

        raise usage(f"{port} is no port", "give 0 to 65535")
    site = Board(board_folder(board)).site
    server = make_server(site, port)
    address = f"http://{server.server_address[0]!s}:{server.server_address[1]}/"
    sys.stderr.write(f"{address}  (Ctrl-C ends it)\n")
    sys.stderr.flush()
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stderr.write("\n")
    return Page(lines=["Ended."], facts={"address": address, "site": str(site)})


def verify(*, board: Path | None = None) -> Page:
    """Make every card again from its archive, and registry and page from the cards; exit 1 if anything differs.

    Args:
        board: The board's folder, which has models/; without it the current one.
    """
    from ...publish.board.folder import board_folder
    from ...publish.board.verifying import Outcome, verify_board

    where = board_folder(board)
    checks = verify_board(where)
    sound = all(check.outcome is not Outcome.DIFFERS for check in checks)
    looks = {
        Outcome.SAME: Style.PLAIN,
        Outcome.DIFFERS: Style.BAD,
        Outcome.UNKNOWN: Style.UNSURE,
    }
    same = sum(check.outcome is Outcome.SAME for check in checks)
    rows = [
        (Span(c.outcome.value, looks[c.outcome]), c.path, faint(c.why))
        for c in checks
        if c.outcome is not Outcome.SAME
    ]
    lines: list[Line] = [
        *columns(rows),
        f"{same} of {len(checks)} files are what they are made of.",
        Span("verified" if sound else "not verified", Style.GOOD if sound else Style.BAD),
    ]
    facts = {
        "board": str(where),
        "verified": sound,
        "checks": [{"path": c.path, "outcome": c.outcome.value, "why": c.why} for c in checks],
    }
    return Page(lines=lines, facts=facts, code=0 if sound else 1)
