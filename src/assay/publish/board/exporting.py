"""What was measured of a model, written for other places; reported numbers never leave as measured ones."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ...core.errors import PlanError, SealError
from ...store.canon import write_whole
from ..interop.export import export_eee
from ..run import Run
from .archive import unpack
from .badges import badge_of
from .eval_results import Benchmark, eval_results
from .home import SHORT, Board
from .rows import Row, model_named, rows_of
from .snippet import model_card


class Form(StrEnum):
    """What a model's numbers are written as."""

    EEE = "eee"
    EVAL_RESULTS = "eval-results"
    CARD = "card"
    BADGE = "badge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of which model, and how."""

    model: str
    form: Form
    row: str | None = None
    benchmarks: Sequence[Benchmark] = ()
    url: str | None = None
    """Where readers find the board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def export_model(
    document: Mapping[str, Any], wanted: Wanted, out: Path, *, board: Path
) -> Exported:
    """Write what was measured of a model into a new folder.

    ``document`` is what ``board.json`` holds.  Records (``eee``) come from the archived runs, each verified by its
    seal.  Raises ``PlanError`` A103 for an unknown model or row, and where nothing was measured, ``SealError`` A303
    when ``out`` is not empty, A300 for a run that is not as it was sealed.
    """
    model = model_named(document, wanted.model)
    rows = rows_of(document, wanted.model, named=wanted.row)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        hint = "name a new folder with --out"
        raise SealError("the folder is not empty", where=str(out), hint=hint, code="A303")
    match wanted.form:
        case Form.EEE:
            return _records(model, rows, out, board)
        case Form.CARD:
            return _written(out, {"card.md": model_card(model, rows)})
        case Form.BADGE:
            made = [(r, c) for r in rows if (c := r.column(r.headline)) is not None]
            return _written(out, {f"{row.id}.svg": badge_of(row, column) for row, column in made})
        case Form.EVAL_RESULTS:
            dates = {run["seal"]: run["date"] for run in model["runs"]}
            found = eval_results(rows, wanted.benchmarks, dates=dates, url=wanted.url)
            left = f"Left out, for no benchmark was named: {', '.join(found.left_out)}"
            return _written(out, found.files, notes=(left,) if found.left_out else ())


def _written(out: Path, files: Mapping[str, str], *, notes: tuple[str, ...] = ()) -> Exported:
    for name, text in files.items():
        write_whole(out / name, text.encode())
    return Exported(files=tuple(out / name for name in files), notes=notes)


def _records(model: Mapping[str, Any], rows: Sequence[Row], out: Path, board: Path) -> Exported:
    """Write the records of every run that has a row of the model."""
    systems: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        systems[row.run].append(row.system)
    home, repo = Board(board), model.get("hf_repo")
    files: list[Path] = []
    without = [seal[:SHORT] for seal in systems if not home.archive(seal).is_file()]
    if len(without) == len(systems):
        raise PlanError(
            f"the board has no archive of {', '.join(without)}",
            where=str(home.runs),
            hint="`assay export eee RUN` writes the records of a run that you have",
            code="A103",
        )
    for seal, names in systems.items():
        if seal[:SHORT] in without:
            continue
        with tempfile.TemporaryDirectory() as folder:
            run = Run.load(unpack(home.archive(seal), Path(folder)).root)
            models = dict.fromkeys(names, str(repo)) if repo else {}
            files += export_eee(run, out / seal[:SHORT], systems=names, models=models)
    notes = (f"No archive of {', '.join(without)}: left out",) if without else ()
    return Exported(files=tuple(files), notes=notes)
