"""A file that says which sealed run later ones must not be worse than."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ..core.errors import DataError, PlanError, SealError
from ..store.canon import digest_file, read_plain, write_whole
from ..store.manifest import Stored, doc_bytes, first_fault
from ..store.outputs import check_output
from .run import Run

LARGEST = 1 << 20
"""Bytes; a pointer to a run needs a thousand."""

AGAIN = "`assay baseline set RUN` writes it again"


class Baseline(Stored):
    """Which run is the baseline, and how it is known again.

    A pointer, and no copy of the numbers: a gate pairs sample by sample, which needs the records,
    and only sealed records can be checked.  A number in a file could be edited; a digest that is
    edited fits no run.
    """

    schema_version: Literal[1] = 1
    run: Annotated[str, Field(min_length=1, max_length=4096)]
    """Where the run is, seen from the folder of this file, with ``/`` between folders."""

    seal: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Digest of the run's ``SEAL``, and so of everything in it."""

    plan: str
    """The name of its plan, for readers."""


def set_baseline(run: Run, out: Path) -> Baseline:
    """Write the file that makes a run the baseline, whole or not at all.

    Raises ``PlanError`` A106 where ``out`` is a folder or belongs to a run, ``RunError`` A500 where the disk
    says no.
    """
    if out.is_dir():
        hint = f"name a file, as {out / 'baseline.json'}"
        raise PlanError(f"{out} is a folder", where="--out", hint=hint, code="A106")
    check_output("--out", out)
    path = os.path.relpath(run.path.resolve(), out.resolve().parent)
    made = Baseline(
        run=Path(path).as_posix(),
        seal=digest_file(run.dir.seal),
        plan=run.loaded.plan.name,
    )
    write_whole(out, doc_bytes(made))
    return made


def load_baseline(path: Path) -> Run:
    """Return the baseline that a run's folder is, or that a file names.

    Raises ``DataError`` A200 for a file that is no baseline; ``SealError`` A303 where the run that
    it names is not there, A300 where that is another run, or was changed; what ``Run.load`` raises.
    """
    if not path.exists():
        raise SealError(
            "there is no run here, and no file that names one",
            where=str(path),
            hint="`assay ls` lists runs; `assay baseline set RUN --out FILE` writes the file",
            code="A303",
        )
    if path.is_dir():
        return Run.load(path)
    named = _read(path)
    where = Path(os.path.normpath(path.resolve().parent / named.run))
    if not where.is_dir():
        raise SealError(
            f"the baseline is the run {where}, and that is not there",
            where=str(path),
            hint=f"bring that run back (its seal begins with {short(named.seal)}), or choose another: {AGAIN}",
            code="A303",
        )
    run = Run.load(where)
    if (seal := digest_file(run.dir.seal)) != named.seal:
        raise SealError(
            f"{where} is another run than the baseline: its seal is {short(seal)}, not {short(named.seal)}",
            where=str(path),
            hint=f"bring the first one back, or accept this one: {AGAIN}",
        )
    return run


def short(digest: str) -> str:
    """Return as much of a digest as people read.

    >>> short("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return digest.removeprefix("sha256:")[:12]


def _read(path: Path) -> Baseline:
    what = "it is larger than a baseline can be"
    try:
        data = read_plain(path, LARGEST + 1)
        if len(data) <= LARGEST:
            return Baseline.model_validate_json(data)
    except ValidationError as error:
        what = ": ".join(filter(None, first_fault(error)))
    except OSError as error:
        what = error.strerror or str(error)
    raise DataError(
        f"this is no baseline: {what}", where=str(path), hint=f"name a run's folder; {AGAIN}"
    )
